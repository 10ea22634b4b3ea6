//! What probes and stories work with: a session, the names of the run, and the records that several probes look at.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use servicenow_provider::clients::Clients;
use servicenow_provider::http::{Limits, Secret};
use servicenow_provider::servicenow::tables::{
    oauth_entity, oauth_oidc_entity, oidc_provider_configuration, sys_user, sys_user_group, sys_user_has_role,
    sys_user_role, sys_user_role_contains,
};
use servicenow_provider::servicenow::{
    Deleted, InputMode, Insert, Record, Row, Session, SysId, Table, TableError, Update, Written,
};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::entra;
use crate::settings::Settings;

/// The beginning of every name that any run gives.
pub(crate) const EVERY_RUN: &str = "tfacc_";

/// One run and its instance.
pub(crate) struct RunContext {
    pub(crate) settings: Settings,
    pub(crate) clients: Clients,
    /// The address of the instance, also where a recorder stands in front of it.
    pub(crate) instance: String,
    /// Ends early when the run is interrupted.
    pub(crate) session: Session,
    /// The beginning of every name of this run.
    pub(crate) prefix: String,
    /// Of the account, where they can be read.
    pub(crate) roles: Option<BTreeSet<String>>,
    /// What probes have made, oldest first: it is removed also where it is not found by its name.
    made: Mutex<Vec<Made>>,
    /// What the applications of the run have shown, once that is over.
    pub(crate) entra: Option<entra::Outcome>,
    user: OnceCell<Record>,
    group: OnceCell<Record>,
    outer_role: OnceCell<Record>,
    inner_role: OnceCell<Record>,
    containment: OnceCell<Record>,
    grant: OnceCell<Record>,
    entity: OnceCell<Record>,
    configuration: OnceCell<Record>,
    provider: OnceCell<Record>,
}

/// A record that a probe has made.
pub(crate) struct Made {
    pub(crate) table: Table,
    pub(crate) sys_id: SysId,
    /// Whether it could be read.
    pub(crate) was_seen: bool,
}

impl RunContext {
    pub(crate) fn new(settings: &Settings, clients: Clients, cancel: &CancellationToken) -> Result<Self, String> {
        let session = session(&clients, cancel)?;
        let instance = clients
            .servicenow
            .as_ref()
            .map_or(String::new(), |instance| instance.url().to_owned());
        Ok(Self {
            settings: settings.clone(),
            clients,
            instance,
            session,
            prefix: format!("{EVERY_RUN}{:06x}", rand::random::<u32>() & 0x00ff_ffff),
            roles: None,
            made: Mutex::default(),
            entra: None,
            user: OnceCell::new(),
            group: OnceCell::new(),
            outer_role: OnceCell::new(),
            inner_role: OnceCell::new(),
            containment: OnceCell::new(),
            grant: OnceCell::new(),
            entity: OnceCell::new(),
            configuration: OnceCell::new(),
            provider: OnceCell::new(),
        })
    }

    /// A session that an interruption does not end, for cleaning up.
    pub(crate) fn lasting_session(&self) -> Session {
        session(&self.clients, &CancellationToken::new()).unwrap_or_else(|_| self.session.clone())
    }

    /// Whether the account is known to have one of these roles, or `admin`.
    pub(crate) fn has_role(&self, roles: &[&str]) -> bool {
        let has = |known: &BTreeSet<String>| known.contains("admin") || roles.iter().any(|role| known.contains(*role));
        self.roles.as_ref().is_some_and(has)
    }

    /// A name of this run.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{}_{what}", self.prefix)
    }

    /// Makes a record, and reads all of it.
    pub(crate) async fn make(&self, table: Table, row: Row) -> Result<Record, TableError> {
        let read = [];
        let insert = Insert {
            table,
            row,
            read: &read,
            natural_key: None,
            input: InputMode::Stored,
        };
        let written = self.insert(insert).await?;
        let whole = self.whole(table, written.record.sys_id()).await?;
        let mut made = self.made.lock().unwrap();
        made.iter_mut()
            .filter(|made| made.sys_id == *whole.sys_id())
            .for_each(|made| made.was_seen = true);
        drop(made);
        Ok(whole)
    }

    /// Inserts a record of the run.
    pub(crate) async fn insert(&self, insert: Insert<'_>) -> Result<Written, TableError> {
        let table = insert.table;
        let written = Box::pin(self.session.insert(insert)).await?;
        self.made.lock().unwrap().push(Made {
            table,
            sys_id: written.record.sys_id().clone(),
            was_seen: false,
        });
        Ok(written)
    }

    /// Deletes a record of the run.
    pub(crate) async fn delete(&self, table: Table, sys_id: &SysId) -> Result<Deleted, TableError> {
        let deleted = self.session.delete(table, sys_id).await?;
        self.made.lock().unwrap().retain(|made| made.sys_id != *sys_id);
        Ok(deleted)
    }

    /// Takes what probes have made, the newest first.
    pub(crate) fn take_made(&self) -> Vec<Made> {
        let mut made = std::mem::take(&mut *self.made.lock().unwrap());
        made.reverse();
        made
    }

    /// A record with every column that the account sees.
    pub(crate) async fn whole(&self, table: Table, sys_id: &SysId) -> Result<Record, TableError> {
        let found = self.session.get_whole(table, sys_id).await?;
        found.ok_or_else(|| TableError::NotFound {
            table,
            sys_id: sys_id.clone(),
        })
    }

    /// Changes a record, and reads all of it.
    pub(crate) async fn change(&self, table: Table, sys_id: &SysId, row: Row) -> Result<Record, TableError> {
        let update = Update {
            table,
            sys_id,
            row,
            read: &[],
            input: InputMode::Stored,
        };
        Box::pin(self.session.update(update)).await?;
        self.whole(table, sys_id).await
    }

    pub(crate) async fn user(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(sys_user::USER_NAME, self.name("user"))
            .set(sys_user::LAST_NAME, "Live test")
            .set(sys_user::ACTIVE, true)
            .set(sys_user::TITLE, "First");
        self.user.get_or_try_init(|| self.make(sys_user::TABLE, row)).await
    }

    pub(crate) async fn group(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(sys_user_group::NAME, self.name("group"))
            .set(sys_user_group::DESCRIPTION, "Live test");
        self.group
            .get_or_try_init(|| self.make(sys_user_group::TABLE, row))
            .await
    }

    pub(crate) async fn outer_role(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(sys_user_role::NAME, self.name("outer"))
            .set(sys_user_role::DESCRIPTION, "Live test");
        let made = self.outer_role.get_or_try_init(|| self.make(sys_user_role::TABLE, row));
        made.await
    }

    async fn inner_role(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(sys_user_role::NAME, self.name("inner"))
            .set(sys_user_role::DESCRIPTION, "Live test");
        let made = self.inner_role.get_or_try_init(|| self.make(sys_user_role::TABLE, row));
        made.await
    }

    /// The outer role contains the inner one.
    pub(crate) async fn containment(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(sys_user_role_contains::ROLE, self.outer_role().await?.sys_id())
            .set(sys_user_role_contains::CONTAINS, self.inner_role().await?.sys_id());
        let made = self
            .containment
            .get_or_try_init(|| self.make(sys_user_role_contains::TABLE, row));
        made.await
    }

    /// The contained role, once it is contained.
    pub(crate) async fn contained_role(&self) -> Result<&Record, TableError> {
        self.containment().await?;
        self.inner_role().await
    }

    /// The user has the outer role.
    pub(crate) async fn grant(&self) -> Result<&Record, TableError> {
        self.containment().await?;
        let row = Row::new()
            .set(sys_user_has_role::USER, self.user().await?.sys_id())
            .set(sys_user_has_role::ROLE, self.outer_role().await?.sys_id());
        self.grant
            .get_or_try_init(|| self.make(sys_user_has_role::TABLE, row))
            .await
    }

    /// An outbound provider with a secret.
    pub(crate) async fn entity(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(oauth_entity::NAME, self.name("entity"))
            .set(oauth_entity::TYPE, oauth_entity::TYPE_PROVIDER)
            .set(oauth_entity::CLIENT_ID, guid(&self.prefix, 1))
            .set(oauth_entity::CLIENT_SECRET, Secret::from(SECRET))
            .set(oauth_entity::DEFAULT_GRANT_TYPE, "client_credentials")
            .set(oauth_entity::TOKEN_URL, "https://login.example.com/token");
        self.entity
            .get_or_try_init(|| self.make(oauth_entity::TABLE, row))
            .await
    }

    pub(crate) async fn configuration(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(oidc_provider_configuration::NAME, self.name("configuration"))
            .set(oidc_provider_configuration::OIDC_URL, metadata_url(&self.prefix, 1))
            .set(oidc_provider_configuration::USER_CLAIM, "appid")
            .set(oidc_provider_configuration::USER_FIELD, sys_user::USER_NAME.name());
        let made = self
            .configuration
            .get_or_try_init(|| self.make(oidc_provider_configuration::TABLE, row));
        made.await
    }

    pub(crate) async fn provider(&self) -> Result<&Record, TableError> {
        let row = Row::new()
            .set(oauth_oidc_entity::NAME, self.name("provider"))
            .set(oauth_oidc_entity::CLIENT_ID, guid(&self.prefix, 2))
            .set(oauth_oidc_entity::CONFIGURATION, self.configuration().await?.sys_id());
        let made = self
            .provider
            .get_or_try_init(|| self.make(oauth_oidc_entity::TABLE, row));
        made.await
    }
}

/// What a secret of the run is, so that it can be looked for. It opens nothing.
pub(crate) const SECRET: &str = "tfacc-secret-that-opens-nothing";

/// A GUID of a run that no application has.
pub(crate) fn guid(prefix: &str, number: u8) -> String {
    let run = prefix.trim_start_matches(EVERY_RUN);
    format!("00000000-0000-4000-8000-{number:02x}0000{run:0>6}")
}

/// A metadata address of a run, of a tenant that does not exist.
pub(crate) fn metadata_url(prefix: &str, number: u8) -> String {
    let tenant = guid(prefix, number);
    format!("https://login.microsoftonline.com/{tenant}/.well-known/openid-configuration")
}

fn session(clients: &Clients, cancel: &CancellationToken) -> Result<Session, String> {
    let instance = clients.servicenow.as_ref();
    let instance = instance.map_err(|problem| format!("{}. {}", problem.summary, problem.detail))?;
    Ok(instance.at(Limits::new(LONGEST, cancel.clone())))
}

/// For one call that is none of the session's.
pub(crate) fn limits() -> Limits {
    Limits::new(Duration::from_secs(60), CancellationToken::new())
}

/// Longer than any run.
const LONGEST: Duration = Duration::from_secs(3600);
