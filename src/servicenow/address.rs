//! The address of an instance, as people type or copy it.

use crate::http::{HttpError, Origin, as_typed, probably_meant};

/// Checks an instance's address.
///
/// # Errors
/// As [`Origin::parse`]; also [`HttpError::BadUrl`] for a page of the instance, as it is copied from a browser. A path is
/// not refused as such: a gateway may serve the instance below one.
pub fn check_url(text: &str) -> Result<(), HttpError> {
    parse(text).map(|_| ())
}

pub(super) fn parse(text: &str) -> Result<Origin, HttpError> {
    let origin = Origin::parse(text).map_err(|error| named(text, error))?;
    let path = origin.base().path();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let is_page = path.trim_end_matches('/').ends_with(".do")
        || first.starts_with('$')
        || PAGES.iter().any(|page| page.eq_ignore_ascii_case(first));
    if is_page {
        return Err(HttpError::BadUrl {
            url: as_typed(text),
            why: "it is the address of a page of the instance, not the instance's own".to_owned(),
            meant: probably_meant(text),
        });
    }
    Ok(origin)
}

/// The name of an instance alone stands for its address.
fn named(text: &str, error: HttpError) -> HttpError {
    let text = text.trim();
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match error {
        HttpError::BadUrl { url, why, meant: None } if is_name => HttpError::BadUrl {
            url,
            why,
            meant: Some(format!("https://{}.service-now.com", text.to_ascii_lowercase())),
        },
        error => error,
    }
}

/// Where the pages of an instance and its APIs begin.
const PAGES: &[&str] = &["now", "nav", "sp", "esc", "csm", "api", "login", "navpage"];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        match (check_url(text), expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(meant)) => {
                assert_eq!(error.remedy(), format!("Use \"{meant}\"."), "{text}");
                // A query may be a token.
                let typed = match text.trim().split_once('?') {
                    Some((before, _)) => format!("\"{before}?***\""),
                    None => format!("\"{}\"", text.trim()),
                };
                assert!(error.to_string().contains(&typed), "{error}");
            }
            (found, expected) => panic!("{text}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn what_people_type_and_copy_is_answered_with_the_right_address() {
        const RIGHT: &str = "https://dev1.service-now.com";
        for text in [
            "dev1.service-now.com",
            "dev1.service-now.com/",
            "DEV1.service-now.com",
            "//dev1.service-now.com",
            "dev1",
            "http://dev1.service-now.com",
            "ftp://dev1.service-now.com",
            "htps://dev1.service-now.com",
            "https//dev1.service-now.com",
            "https://dev1.service-now.com/now/nav/ui/classic/params/target/sys_user_list.do",
            "https://dev1.service-now.com/nav_to.do?uri=incident.do",
            "https://dev1.service-now.com/login.do",
            "https://dev1.service-now.com/sp",
            "https://dev1.service-now.com/api/now/table/incident",
            "https://dev1.service-now.com/$pa_dashboard.do",
            "https://dev1.service-now.com/?id=1",
        ] {
            check(text, Err(RIGHT));
        }
        check("dev1.service-now.com:8443/x", Err("https://dev1.service-now.com:8443"));
        check(RIGHT, Ok(()));
        check(" https://dev1.service-now.com/ ", Ok(()));
        check("https://gateway.example.com/servicenow", Ok(()));
        check("http://127.0.0.1:8080", Ok(()));
    }

    #[test]
    fn credentials_in_an_address_are_not_shown() {
        for text in [
            "https://admin:pw-marker@dev1.service-now.com:99999/",
            "ftp://admin:pw-marker@dev1.service-now.com",
            "https://admin:pw-marker@dev1.service-now.com/now",
            "https://admin:pw-marker/x@dev1.service-now.com",
            "admin:pw-marker@dev1.service-now.com",
            "http://admin:pw-marker@dev1.service-now.com",
        ] {
            let error = check_url(text).unwrap_err();
            let said = format!("{error} {} {error:?}", error.remedy());
            assert!(!said.contains("pw-marker"), "{said}");
            assert!(said.contains("@dev1.service-now.com"), "{said}");
        }
    }
}
