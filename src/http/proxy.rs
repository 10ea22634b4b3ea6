//! The proxy that the environment names, checked instead of dropped in silence.

use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use reqwest::{NoProxy, Proxy};
use url::Url;

use crate::http::{OptionsError, Secret, secret};

/// What the environment says about proxies. Requests to loopback addresses never use one.
///
/// Without any of the variables the system's own settings count, where a system has some (macOS, Windows).
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// The variable and its value, which may hold credentials.
    proxy: Option<(&'static str, Secret)>,
    except: Option<String>,
}

impl Proxies {
    /// Looks the usual variables up: `HTTPS_PROXY` before `ALL_PROXY`, and `NO_PROXY`, each in capitals before small
    /// letters.
    #[must_use]
    pub fn of(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let filled = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        Self {
            proxy: VARIABLES
                .iter()
                .find_map(|name| Some((*name, Secret::from(filled(name)?)))),
            except: filled("NO_PROXY").or_else(|| filled("no_proxy")),
        }
    }

    /// Whether `NO_PROXY` names this host together with its port. The library knows entries without one.
    pub(super) fn leave_out(&self, url: &Url) -> bool {
        let (Some(list), Some(host), Some(port)) = (&self.except, url.host_str(), url.port_or_known_default()) else {
            return false;
        };
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let mut entries = list.split(',').filter_map(|entry| with_port(entry.trim()));
        entries.any(|(name, its_port)| {
            let name = name.to_ascii_lowercase();
            let domain = name.trim_start_matches("*").trim_start_matches('.');
            let is_below = || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
            its_port == port && (host == domain || name == "*" || is_below())
        })
    }

    /// The proxy for the library; `None` where no variable names one.
    pub(super) fn configure(&self) -> Result<Option<Configured>, OptionsError> {
        let Some((variable, value)) = &self.proxy else {
            return Ok(None);
        };
        let bad = |why: String| OptionsError::Proxy { variable, why };
        let text = value.expose().trim();
        let complete = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let mut address = Url::parse(&complete).map_err(|error| bad(error.to_string()))?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(bad(format!(
                "the scheme {} is not supported, only http and https are",
                address.scheme()
            )));
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = decoded(address.username());
        let password = Secret::from(address.password().map(decoded).unwrap_or_default());
        secret::register(&password);
        // Cannot fail for an address with a host.
        let _ = address.set_username("");
        let _ = address.set_password(None);
        let mut proxy = Proxy::all(address.clone()).map_err(|error| bad(error.without_url().to_string()))?;
        if !user.is_empty() || !password.is_empty() {
            proxy = proxy.basic_auth(&user, password.expose());
        }
        let except = self.except.as_deref().map(exceptions).unwrap_or_default();
        Ok(Some(Configured {
            proxy: proxy.no_proxy(NoProxy::from_string(&except)),
            matcher: Matcher::builder().all(address.as_str()).no(except).build(),
            shown: format!("the proxy {} ({variable})", address.as_str().trim_end_matches('/')),
        }))
    }
}

/// A usable proxy, and what messages call it.
pub(super) struct Configured {
    pub(super) proxy: Proxy,
    /// Tells for which addresses the library will use it: with the library's own rules.
    matcher: Matcher,
    pub(super) shown: String,
}

impl Configured {
    /// Whether requests to this address go through the proxy.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        let uri = url.as_str().parse::<http::Uri>();
        uri.is_ok_and(|uri| self.matcher.intercept(&uri).is_some())
    }
}

/// `*.example.com` as the library spells it: `.example.com`.
fn exceptions(list: &str) -> String {
    let entries = list.split(',').map(str::trim);
    let entries = entries.map(|entry| match entry.strip_prefix("*.") {
        Some(rest) => format!(".{rest}"),
        None => entry.to_owned(),
    });
    entries.collect::<Vec<_>>().join(",")
}

/// `example.com:8443`, `*.example.com:8443`, `192.0.2.1:8443` or `[2001:db8::1]:8443`, taken apart.
fn with_port(entry: &str) -> Option<(&str, u16)> {
    let (name, port) = entry.rsplit_once(':')?;
    let port = port.parse().ok()?;
    match name.strip_prefix('[') {
        Some(address) => Some((address.strip_suffix(']')?, port)),
        // An IPv6 address without a port.
        None if name.contains(':') => None,
        None => Some((name, port)),
    }
}

const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &'static [(&'static str, &'static str)]) -> Proxies {
        Proxies::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_address_without_a_scheme_is_one_of_http() {
        let shown = |value| {
            let proxies = Proxies::of(|name| (name == "ALL_PROXY").then_some(value).map(str::to_owned));
            proxies.configure().unwrap().unwrap().shown
        };
        assert_eq!(shown("proxy:8080"), "the proxy http://proxy:8080 (ALL_PROXY)");
        assert_eq!(shown(" https://proxy/ "), "the proxy https://proxy (ALL_PROXY)");
    }

    #[test]
    fn the_variable_for_https_comes_first_and_an_empty_one_does_not_count() {
        let both = of(&[("HTTPS_PROXY", " "), ("https_proxy", "one"), ("ALL_PROXY", "two")]);
        assert!(both.configure().unwrap().unwrap().shown.contains("one"));
        assert!(of(&[("HTTP_PROXY", "http://proxy")]).configure().unwrap().is_none());
    }

    #[test]
    fn what_is_no_proxy_is_an_error_that_names_the_variable_and_no_password() {
        let cases: [&'static [(&'static str, &'static str)]; 3] = [
            &[("HTTPS_PROXY", "http://robot:proxy-marker@proxy:99999")],
            &[("HTTPS_PROXY", "socks5://robot:proxy-marker@proxy")],
            &[("HTTPS_PROXY", "http://")],
        ];
        for variables in cases {
            let Err(error) = of(variables).configure() else {
                panic!("{variables:?}")
            };
            let said = format!("{error} {}", error.remedy());
            assert!(said.contains("HTTPS_PROXY") && !said.contains("proxy-marker"), "{said}");
        }
    }

    #[test]
    fn credentials_are_neither_shown_nor_printed() {
        let proxies = of(&[("https_proxy", "http://robot:proxy-marker@proxy:8080")]);
        assert!(!format!("{proxies:?}").contains("proxy-marker"));
        let shown = proxies.configure().unwrap().unwrap().shown;
        assert_eq!(shown, "the proxy http://proxy:8080 (https_proxy)");
    }

    #[test]
    fn an_exception_with_a_port_is_for_that_port_alone() {
        let leaves_out = |list: &'static str, url: &str| {
            let proxies = Proxies::of(|name| (name == "NO_PROXY").then(|| list.to_owned()));
            proxies.leave_out(&Url::parse(url).unwrap())
        };
        let list = "other, Example.com:8443,*.net.example:443 , .org.example:443,[2001:db8::1]:8443,192.0.2.1:443,2001:db8::443";
        for url in [
            "https://example.com:8443/",
            "https://dev1.example.com:8443/",
            "https://a.net.example/",
            "https://net.example/",
            "https://b.org.example",
            "https://[2001:db8::1]:8443",
            "https://192.0.2.1",
        ] {
            assert!(leaves_out(list, url), "{url}");
        }
        for url in [
            "https://example.com/",
            "https://myexample.com:8443/",
            "https://example.com.evil.example:8443/",
            "https://other/",
            "https://192.0.2.11",
            "https://[2001:db8::]",
        ] {
            assert!(!leaves_out(list, url), "{url}");
        }
        assert!(leaves_out("*:8443", "https://any:8443") && !leaves_out("*:8443", "https://any"));
        assert!(!leaves_out("", "https://any"));
    }

    #[test]
    fn a_star_before_a_domain_means_its_hosts() {
        assert_eq!(
            exceptions("localhost, *.example.com ,10.0.0.0/8,*"),
            "localhost,.example.com,10.0.0.0/8,*"
        );
    }
}
