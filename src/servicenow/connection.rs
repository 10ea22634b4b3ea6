//! One instance, as far as every request needs it: its address, the HTTP client, the account, and the instance's clock.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant as Moment;

use crate::http::{Client, ClientOptions, Limits, Origin, Secret};
use crate::servicenow::address;
use crate::servicenow::error::ConfigError;
use crate::servicenow::sign_in::{AccessToken, Credentials, SignIn, SignInError};
use crate::sync::lock;

/// What an instance's client is built from.
#[derive(Clone, Debug)]
pub struct InstanceOptions {
    /// `https://<name>.service-now.com`; plain `http` for loopback hosts only.
    pub instance_url: String,
    /// How the account signs in.
    pub sign_in: SignIn,
    /// The wire.
    pub http: ClientOptions,
    /// Waits of this client itself, [`Timing::STANDARD`] outside of tests.
    pub timing: Timing,
}

/// How long this client waits.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Pause before an absence, or an unusable answer, is looked at again.
    pub recheck_pause: Duration,
    /// How long the others wait for the request that tries the credentials, before one of them tries as well.
    pub trial: Duration,
}

impl Timing {
    /// 300 ms before a recheck, 5 s for a trial of the credentials.
    pub const STANDARD: Timing = Timing {
        recheck_pause: Duration::from_millis(300),
        trial: Duration::from_secs(5),
    };
}

/// An instance that requests go to.
pub(super) struct Connection {
    pub(super) origin: Origin,
    pub(super) client: Client,
    pub(super) credentials: Credentials,
    pub(super) timing: Timing,
    /// User name of the account, from `sys_created_by` of what it made.
    account: Mutex<Option<String>>,
    /// What the instance's clock said, and when.
    clock: Mutex<Option<(Timestamp, Moment)>>,
}

impl Connection {
    pub(super) fn new(options: InstanceOptions) -> Result<Connection, ConfigError> {
        let InstanceOptions {
            instance_url,
            sign_in,
            http,
            timing,
        } = options;
        let origin = address::parse(&instance_url).map_err(|source| ConfigError::InstanceUrl { source })?;
        Ok(Connection {
            origin,
            client: Client::new(http),
            credentials: Credentials::new(sign_in, timing.trial)?,
            timing,
            account: Mutex::default(),
            clock: Mutex::default(),
        })
    }

    pub(super) async fn access_token(&self, limits: &Limits) -> Result<AccessToken, SignInError> {
        self.credentials.access_token(&self.client, &self.origin, limits).await
    }

    pub(super) async fn revoke_token(&self, token: &Secret, limits: &Limits) -> Result<(), SignInError> {
        self.credentials.revoke(token, &self.client, &self.origin, limits).await
    }

    pub(super) fn account_name(&self) -> Option<String> {
        let known = self.credentials.user_name().map(str::to_owned);
        known.or_else(|| lock(&self.account).clone())
    }

    pub(super) fn learn_account(&self, name: &str) {
        let mut account = lock(&self.account);
        if account.is_none() {
            *account = Some(name.to_owned());
        }
    }

    /// The instance's clock at a moment of ours, as far as an answer told.
    pub(super) fn instance_time(&self, at: Moment) -> Option<Timestamp> {
        let (said, when) = (*lock(&self.clock))?;
        if at >= when {
            said.checked_add(at - when).ok()
        } else {
            said.checked_sub(when - at).ok()
        }
    }

    pub(super) fn learn_time(&self, said: Timestamp) {
        *lock(&self.clock) = Some((said, Moment::now()));
    }
}
