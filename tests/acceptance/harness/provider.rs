//! The provider in this process: what a provider block means, without the second that a terraform command takes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use servicenow_provider::clients::Clients;
use servicenow_provider::http::Limits;
use servicenow_provider::plugin::{Configured, Diagnostic, Object, Provider as _};
use servicenow_provider::provider::{Environment, Servicenow};
use servicenow_provider::records::diagnostics;
use servicenow_provider::servicenow::tables::sys_user;
use servicenow_provider::servicenow::{Query, Session};
use tokio_util::sync::CancellationToken;

use super::Simulator;

/// A configured provider, or rather its clients.
pub(crate) struct Provider(Clients);

impl Provider {
    /// With this provider block and nothing in the environment.
    pub(crate) fn new(block: Object) -> Result<Self, String> {
        Self::in_environment(block, &[])
    }

    /// With this provider block and these environment variables.
    pub(crate) fn in_environment(block: Object, variables: &[(&str, &str)]) -> Result<Self, String> {
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        VARIABLES.set(owned.collect());
        let environment = Environment::of(|name| VARIABLES.with_borrow(|variables| variables.get(name).cloned()));
        match (Servicenow { environment }).configure(&block, "1.14.0") {
            Configured::Ready(clients, _) => Ok(Self(clients)),
            Configured::Failed(problems) => Err(problems.iter().map(text).collect()),
        }
    }

    /// The instance, for one operation.
    pub(crate) fn instance(&self) -> Result<Session, String> {
        let instance = self.0.servicenow.as_ref().map_err(text)?;
        Ok(instance.at(limits()))
    }

    /// Reads a record of the instance; an error as the user reads it.
    pub(crate) async fn read_a_record(&self) -> Result<(), String> {
        let query = Query::equals(sys_user::USER_NAME, "admin").unwrap();
        let found = self.instance()?.find_unique(sys_user::TABLE, &query, &[]).await;
        let failed = |error| text(&diagnostics::of_table(&error, "read a record"));
        found.map(|_| ()).map_err(failed)
    }

    /// Reads the settings of the admin center; an error as the user reads it.
    pub(crate) async fn read_the_settings(&self) -> Result<(), String> {
        let microsoft = self.0.microsoft.as_ref().map_err(text)?;
        let found = microsoft.support.find_settings(&limits()).await;
        found
            .map(|_| ())
            .map_err(|error| text(&diagnostics::of_support(&error, "read the settings")))
    }
}

impl Simulator {
    /// A provider block that knows where everything is, but not how to sign in. Nothing is tried twice.
    pub(crate) fn block(&self) -> Object {
        let microsoft = Object::new()
            .with("tenant_id", self.tenant_id())
            .with("login_url", self.urls().login.clone())
            .with("admin_url", self.urls().admin.clone());
        Object::new()
            .with("instance_url", self.urls().instance.clone())
            .with("ca_certificate_path", self.ca_certificate().display().to_string())
            .with("max_retries", 0)
            .with("microsoft365", microsoft)
    }

    /// That block with these texts.
    pub(crate) fn block_with(&self, texts: &[(&'static str, &str)]) -> Object {
        texts
            .iter()
            .fold(self.block(), |block, (name, text)| block.with(name, *text))
    }

    /// That block with these texts in `microsoft365`.
    pub(crate) fn block_with_microsoft(&self, texts: &[(&'static str, &str)]) -> Object {
        let block = self.block();
        let microsoft = block.object("microsoft365").unwrap().clone();
        let microsoft = texts
            .iter()
            .fold(microsoft, |block, (name, text)| block.with(name, *text));
        block.with("microsoft365", microsoft)
    }

    /// As whom the instance saw its last request.
    pub(crate) fn last_user(&self) -> String {
        self.instance()
            .requests()
            .last()
            .map(|request| request.user.clone())
            .unwrap_or_default()
    }
}

/// Checks that a failure says all of `parts`.
#[track_caller]
pub(crate) fn fails_saying<T>(outcome: Result<T, String>, parts: &[&str]) {
    let Err(said) = outcome else {
        panic!("it should fail saying {parts:?}");
    };
    for part in parts {
        assert!(said.contains(part), "it should say {part:?}:\n{said}");
    }
}

fn limits() -> Limits {
    Limits::new(Duration::from_secs(60), CancellationToken::new())
}

fn text(problem: &Diagnostic) -> String {
    format!("{}\n{}", problem.summary, problem.detail)
}

thread_local! {
    /// A test runs in one thread, and the lookup of an environment cannot hold anything.
    static VARIABLES: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}
