//! What the host passes to the plugin in the environment, read once.

use std::env;
use std::path::PathBuf;

use crate::plugin::transport::error::StartError;

/// The host's side of the negotiation. An empty variable counts as absent.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// Whether a host started us at all, as opposed to a person.
    pub(super) knows_the_cookie: bool,
    /// Major protocol versions the host offers; empty when it says nothing.
    pub(super) versions: Vec<u32>,
    /// PEM of the only certificate we let in. `None`: serve without TLS.
    pub(super) client_certificate: Option<String>,
    /// Ports for a TCP listener. Only Windows uses them.
    #[cfg_attr(unix, expect(dead_code, reason = "a Unix socket needs no port"))]
    pub(super) ports: Ports,
    /// Where the socket goes; else the temp folder.
    pub(super) socket_folder: Option<PathBuf>,
    /// Name or number of a group that may connect besides our own user.
    pub(super) socket_group: Option<String>,
    /// The host asks whether we multiplex the broker. We say no, as a seventh field.
    pub(super) asks_for_multiplexing: bool,
}

/// First and last port to try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ports {
    pub(super) from: u16,
    pub(super) to: u16,
}

impl Default for Ports {
    /// Any free port.
    fn default() -> Self {
        Self { from: 0, to: 0 }
    }
}

impl Host {
    /// Reads this process's environment.
    ///
    /// # Errors
    /// [`StartError::BadPort`] for a port that is no number.
    #[expect(
        clippy::disallowed_methods,
        reason = "these belong to the plugin protocol, not to the provider's configuration"
    )]
    pub(super) fn from_environment() -> Result<Self, StartError> {
        Self::from_variables(|name| env::var_os(name).and_then(|value| value.into_string().ok()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, StartError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let port = |name: &'static str| match set(name) {
            None => Ok(0),
            Some(value) => value.parse().map_err(|_| StartError::BadPort { variable: name, value }),
        };
        Ok(Self {
            knows_the_cookie: set(COOKIE_NAME).as_deref() == Some(COOKIE_VALUE),
            versions: set("PLUGIN_PROTOCOL_VERSIONS")
                .map(|list| {
                    list.split(',')
                        .filter_map(|version| version.trim().parse().ok())
                        .collect()
                })
                .unwrap_or_default(),
            // The switch wins: with it the host sends no certificate of its own, so one that is there
            // was inherited from an outer host and would make both sides wait for each other.
            client_certificate: match set("TF_DISABLE_PLUGIN_TLS") {
                Some(_) => None,
                None => set("PLUGIN_CLIENT_CERT"),
            },
            ports: Ports {
                from: port("PLUGIN_MIN_PORT")?,
                to: port("PLUGIN_MAX_PORT")?,
            },
            socket_folder: set("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
            socket_group: set("PLUGIN_UNIX_SOCKET_GROUP"),
            asks_for_multiplexing: set("PLUGIN_MULTIPLEX_GRPC").is_some(),
        })
    }

    /// The highest major version both sides speak, or our lowest: the host then says that it does not fit.
    pub(super) fn agreed_version(&self) -> u32 {
        let common = SERVED_VERSIONS
            .iter()
            .rev()
            .find(|version| self.versions.contains(version));
        *common.unwrap_or(&SERVED_VERSIONS[0])
    }
}

/// Proves that a host started the process. Not a secret: it only keeps people from starting plugins directly.
const COOKIE_NAME: &str = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// Major protocol versions we serve, rising.
const SERVED_VERSIONS: [u32; 1] = [6];

#[cfg(test)]
mod tests {
    use super::*;

    fn host(variables: &[(&str, &str)]) -> Host {
        let find = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Host::from_variables(find).unwrap()
    }

    #[test]
    fn only_the_exact_cookie_counts() {
        assert!(host(&[(COOKIE_NAME, COOKIE_VALUE)]).knows_the_cookie);
        assert!(!host(&[]).knows_the_cookie);
        assert!(!host(&[(COOKIE_NAME, &COOKIE_VALUE[1..])]).knows_the_cookie);
    }

    #[test]
    fn the_version_is_ours_whatever_the_host_offers() {
        for offer in ["5,6", "6,5", "6", "5", "7,8", "", "six", "6, 7"] {
            assert_eq!(
                host(&[("PLUGIN_PROTOCOL_VERSIONS", offer)]).agreed_version(),
                6,
                "{offer}"
            );
        }
    }

    #[test]
    fn tls_needs_a_certificate_and_no_switch() {
        let certificate = ("PLUGIN_CLIENT_CERT", "pem");
        assert_eq!(host(&[certificate]).client_certificate.as_deref(), Some("pem"));
        assert_eq!(host(&[("PLUGIN_CLIENT_CERT", "")]).client_certificate, None);
        assert_eq!(
            host(&[certificate, ("TF_DISABLE_PLUGIN_TLS", "1")]).client_certificate,
            None
        );
    }

    #[test]
    fn a_port_that_is_no_number_is_refused() {
        let error = Host::from_variables(|name| (name == "PLUGIN_MIN_PORT").then(|| "ten".to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "PLUGIN_MIN_PORT is \"ten\", which is not a port number"
        );
    }

    #[test]
    fn fuzz_host() {
        let examples = ["5,6", "7,,6 ,-1,99999999999", "65536", COOKIE_VALUE];
        crate::fuzz::fuzz_text(&examples, &[",", "6", "\u{0}"], |text| {
            if let Ok(host) = Host::from_variables(|_| Some(text.to_owned())) {
                assert!(SERVED_VERSIONS.contains(&host.agreed_version()));
            }
        });
    }
}
