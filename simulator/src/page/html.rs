//! HTML in the making: what is not markup is escaped.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// A page, or a piece of one.
#[derive(Clone, Default)]
pub(super) struct Html(String);

impl Html {
    /// A piece that is text alone.
    pub(super) fn of(text: &str) -> Html {
        let mut html = Html::default();
        html.text(text);
        html
    }

    /// Markup of this program's own. Nothing that came from outside goes through here.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    /// Text, also within the quotes of an attribute.
    pub(super) fn text(&mut self, text: &str) -> &mut Html {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    pub(super) fn code(&mut self, text: &str) -> &mut Html {
        self.raw("<code>").text(text).raw("</code>")
    }

    pub(super) fn link(&mut self, address: &str, text: &str) -> &mut Html {
        self.raw("<a href=\"").text(address).raw("\">").text(text).raw("</a>")
    }

    pub(super) fn piece(&mut self, piece: &Html) -> &mut Html {
        self.0.push_str(&piece.0);
        self
    }

    /// A table; on a narrow screen each row becomes a card that repeats the names.
    pub(super) fn table<'a>(&mut self, names: &[&str], rows: impl IntoIterator<Item = &'a Vec<Html>>) -> &mut Html {
        self.raw("<table><thead><tr>");
        for name in names {
            self.raw("<th scope=\"col\">").text(name).raw("</th>");
        }
        self.raw("</tr></thead><tbody>");
        for row in rows {
            self.raw("<tr>");
            for (name, cell) in names.iter().zip(row) {
                self.raw("<td data-name=\"")
                    .text(name)
                    .raw("\">")
                    .piece(cell)
                    .raw("</td>");
            }
            self.raw("</tr>");
        }
        self.raw("</tbody></table>")
    }

    /// Everything around the main part.
    pub(super) fn page(title: &str, main: &Html) -> Html {
        let mut html = Html::default();
        html.raw(HEAD)
            .text(title)
            .raw("</title></head><body><header><a class=\"home\" href=\"/\">")
            .raw("ServiceNow and Microsoft 365, simulated</a>")
            .raw("<p>Both clouds in the memory of one process on this machine. Reload to see what changed.</p>")
            .raw("</header><main>")
            .piece(main)
            .raw("</main></body></html>");
        html
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        (headers, self.0).into_response()
    }
}

/// No script, and nothing from elsewhere: a value that slipped through as markup would still do nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";
const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
    <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
    <link rel=\"stylesheet\" href=\"/simulator/style.css\"><title>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let mut html = Html::of("<script>alert('a' & \"b\")</script>");
        html.link("\"><b>", "<i>");

        assert_eq!(
            html.0,
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;\
             <a href=\"&quot;&gt;&lt;b&gt;\">&lt;i&gt;</a>"
        );
    }
}
