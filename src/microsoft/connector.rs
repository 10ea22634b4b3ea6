//! The addresses that Microsoft's support connector calls from and is called at.

use std::net::IpAddr;

use crate::http::Limits;

/// The connector's host name: the source of truth, while it resolves.
pub const HOST: &str = "connector.rave.microsoft.com";

/// The addresses that every version of Microsoft's page prints.
pub const DOCUMENTED: [&str; 6] = [
    "52.149.152.32",
    "40.83.232.243",
    "40.83.114.39",
    "13.76.138.31",
    "13.79.229.170",
    "20.105.151.142",
];

/// The addresses in DNS now.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The addresses, sorted, each once. Empty when the name does not resolve.
    pub addresses: Vec<IpAddr>,
    /// Why there are none.
    pub note: Option<String>,
}

/// Resolves the connector's name. A name that does not resolve is a finding, not a failure: the service was
/// announced as retired, and a machine without DNS may still use the documented addresses.
pub async fn resolve(limits: &Limits) -> Resolved {
    resolve_name(HOST, limits).await
}

async fn resolve_name(host: &str, limits: &Limits) -> Resolved {
    let nothing = |why: String| Resolved {
        addresses: Vec::new(),
        note: Some(format!(
            "{host} does not resolve on this machine ({why}); only the documented addresses are known"
        )),
    };
    match limits.bound(tokio::net::lookup_host((host, 443))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            addresses.sort();
            addresses.dedup();
            if addresses.is_empty() {
                return nothing("no address".to_owned());
            }
            Resolved { addresses, note: None }
        }
        Ok(Err(error)) => nothing(error.to_string()),
        Err(error) => nothing(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::test_server::limits;

    #[tokio::test]
    async fn a_name_without_address_is_a_note() {
        let resolved = resolve_name("no-such-host.invalid", &limits()).await;

        assert!(resolved.addresses.is_empty());
        assert!(resolved.note.unwrap().contains("no-such-host.invalid"));
    }

    #[tokio::test]
    async fn addresses_are_listed_once() {
        let resolved = resolve_name("localhost", &limits()).await;

        assert!(resolved.note.is_none());
        assert!(resolved.addresses.iter().all(IpAddr::is_loopback));
        assert!(resolved.addresses.len() <= 2);
    }

    #[test]
    fn the_documented_addresses_are_addresses() {
        assert!(DOCUMENTED.iter().all(|text| text.parse::<IpAddr>().is_ok()));
    }
}
