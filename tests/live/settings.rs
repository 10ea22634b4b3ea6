//! What the environment says: the provider's own variables, and those of the run.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use servicenow_provider::clients::Clients;
use servicenow_provider::http::Url;
use servicenow_provider::plugin::{Configured, Object, Provider as _};
use servicenow_provider::provider::{Environment, Servicenow};

/// The variables of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    variables: BTreeMap<String, String>,
}

impl Settings {
    pub(crate) fn of_process() -> Self {
        Self::of(std::env::vars())
    }

    pub(crate) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: BTreeMap<String, String> = variables.into_iter().collect();
        variables.retain(|_, value| !value.trim().is_empty());
        Self { variables }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The same with another value of a variable.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.variables.insert(name.to_owned(), value.to_owned());
        other
    }

    pub(crate) fn is_opted_in(&self) -> bool {
        self.get("TF_ACC").is_some()
    }

    pub(crate) fn wants_sweep(&self) -> bool {
        self.get("LIVE_SWEEP").is_some()
    }

    /// What is asked for by name beyond the default run.
    pub(crate) fn also(&self) -> BTreeSet<&str> {
        self.list("LIVE_ALSO")
    }

    /// The resources whose stories are run; empty for all. `none` runs the probes alone.
    pub(crate) fn only(&self) -> BTreeSet<&str> {
        self.list("LIVE_ONLY")
    }

    fn list(&self, name: &str) -> BTreeSet<&str> {
        let names = self.get(name).unwrap_or_default().split(',').map(str::trim);
        let names = names.map(|name| name.trim_start_matches("servicenow_"));
        names.filter(|name| !name.is_empty()).collect()
    }

    /// The address of the instance as it is given.
    pub(crate) fn address(&self) -> Option<&str> {
        self.get("SERVICENOW_INSTANCE_URL").or_else(|| self.get("SN_HOST"))
    }

    /// Its host, in small letters, without a port.
    pub(crate) fn host(&self) -> Option<String> {
        let address = self.address()?.trim();
        let url = if address.contains("://") {
            Url::parse(address)
        } else {
            Url::parse(&format!("https://{address}"))
        };
        Some(url.ok()?.host_str()?.to_lowercase())
    }

    /// The variable that sends requests through a proxy, if one does.
    pub(crate) fn proxy(&self) -> Option<&'static str> {
        let variables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        variables.into_iter().find(|name| self.get(name).is_some())
    }

    /// What terraform and the provider get of the environment: nothing that is not theirs.
    pub(crate) fn for_terraform(&self) -> impl Iterator<Item = (&str, &str)> {
        let passed = self.variables.iter().filter(|(name, _)| {
            let own = ["SERVICENOW_", "SN_", "ARM_", "M365_", "TFC_WORKLOAD_IDENTITY_TOKEN"];
            own.iter().any(|prefix| name.starts_with(prefix)) || PASSED.contains(&name.as_str())
        });
        passed.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The clients that the provider would have with these variables and an empty provider block.
    ///
    /// # Errors
    /// What the provider says of the variables.
    pub(crate) fn clients(&self) -> Result<Clients, String> {
        VARIABLES.set(self.variables.clone());
        let environment = Environment::of(|name| VARIABLES.with_borrow(|variables| variables.get(name).cloned()));
        match (Servicenow { environment }).configure(&Object::new(), "1.14.0") {
            Configured::Ready(clients, _) => Ok(clients),
            Configured::Failed(problems) => {
                let texts = problems.iter().map(|it| format!("{}. {}", it.summary, it.detail));
                Err(texts.collect::<Vec<_>>().join("\n"))
            }
        }
    }

    /// What must be found nowhere: the values of variables that are secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let is_secret = |name: &str| {
            ["PASSWORD", "SECRET", "TOKEN", "KEY"]
                .iter()
                .any(|part| name.contains(part))
        };
        let secrets = self.for_terraform().filter(move |(name, _)| is_secret(name));
        secrets.map(|(_, value)| value).filter(|value| value.len() >= 6)
    }

    /// What names the account or the tenant.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let named = ["USERNAME", "CLIENT_ID", "TENANT_ID"];
        let names = self
            .for_terraform()
            .filter(move |(name, _)| named.iter().any(|end| name.ends_with(end)));
        names.map(|(_, value)| value)
    }
}

const PASSED: [&str; 14] = [
    "PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "LANG",
    "LC_ALL",
    "SystemRoot",
];

thread_local! {
    /// The lookup of an environment cannot hold anything, and is done with before another task has the thread.
    static VARIABLES: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}
