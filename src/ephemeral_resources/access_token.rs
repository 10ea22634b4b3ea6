//! `servicenow_access_token`: the provider's own token, for another tool of the same run.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clients::{Calls, Clients};
use crate::connection_diagnostics;
use crate::http::Secret;
use crate::plugin::provider::{EphemeralResource, Opened};
use crate::plugin::{Attribute, BlockType, Context, Diagnostic, Diagnostics, Need, Object, Schema};
use crate::records::diagnostics;
use crate::servicenow::{AccessToken as Token, SignInError};

pub(super) struct AccessToken;

const REVOKE_ON_CLOSE: &str = "revoke_on_close";

/// What renewing and closing need; in memory alone.
#[derive(Deserialize, Serialize)]
struct Kept {
    token: String,
    revoke: bool,
}

impl BlockType for AccessToken {
    fn type_name(&self) -> &'static str {
        "servicenow_access_token"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "The access token with which the provider signs in to the instance, for another tool of the same run. It \
             is in no plan and no state. The provider must sign in with OAuth or a token. Until the token expires, \
             the instance issues the same token to every client that signs in the same way.",
            vec![
                Attribute::flag(REVOKE_ON_CLOSE).describe(
                    "Whether to revoke the token when Terraform no longer needs it. That ends every session with the \
                     same token: other runs with the same credentials, and the remaining requests of this run. \
                     Default `false`.",
                ),
                Attribute::text("access_token")
                    .computed()
                    .sensitive()
                    .describe("The token, for `Authorization: Bearer`."),
                Attribute::text("expires_at")
                    .computed()
                    .describe("When it expires (RFC 3339, UTC); null if that is not known."),
            ],
        )
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::new("no role", "the sign-in of the provider itself")]
    }
}

#[async_trait]
impl EphemeralResource<Clients> for AccessToken {
    async fn open(&self, cx: &Context<Clients>, config: Object) -> Result<Opened, Diagnostics> {
        let Token { token, expires_at } = cx
            .instance()?
            .access_token()
            .await
            .map_err(|error| of_sign_in(&error, "get an access token"))?;
        let kept = Kept {
            token: token.expose().to_owned(),
            revoke: config.flag(REVOKE_ON_CLOSE).unwrap_or(false),
        };
        let private = serde_json::to_vec(&kept).unwrap_or_default();
        let result = config
            .with("access_token", token.expose())
            .with("expires_at", expires_at.map(|end| end.to_string()));
        Ok(Opened {
            result,
            renew_at: expires_at.and_then(before),
            private,
            notes: Diagnostics::new(),
        })
    }

    /// Signs in again a minute before the end. The instance prolongs no token, and Terraform cannot replace the value that
    /// was handed out: so this returns when it will have expired.
    async fn renew(&self, cx: &Context<Clients>, private: &[u8]) -> Result<Option<SystemTime>, Diagnostics> {
        let Some(kept) = read(private) else { return Ok(None) };
        let session = cx.instance()?;
        let current = session
            .access_token()
            .await
            .map_err(|error| of_sign_in(&error, "renew the access token"))?;
        if current.token.expose() == kept.token {
            return Ok(current.expires_at.filter(|end| is_far(*end)).and_then(before));
        }
        Err(Diagnostic::error(
            "The access token expires",
            "The instance has issued another access token, but Terraform cannot replace the one that it already \
             uses, which works until it expires. Make the run shorter, or raise access_token_lifespan of the \
             application registry entry.",
        )
        .into())
    }

    async fn close(&self, cx: &Context<Clients>, private: &[u8]) -> Result<(), Diagnostics> {
        match read(private) {
            Some(kept) if kept.revoke => {
                let token = Secret::from(kept.token);
                let revoked = cx.instance()?.revoke_token(&token).await;
                revoked.map_err(|error| of_sign_in(&error, "revoke the access token"))?;
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn read(private: &[u8]) -> Option<Kept> {
    serde_json::from_slice(private).ok()
}

fn of_sign_in(error: &SignInError, doing: &str) -> Diagnostic {
    if matches!(error, SignInError::NoToken { .. }) {
        return Diagnostic::error(
            format!("Could not {doing}"),
            diagnostics::explain(error, &error.remedy()),
        );
    }
    connection_diagnostics::of_sign_in(error)
}

/// A minute before the end, or half-way where there is less than two left; never in the past.
fn before(end: Timestamp) -> Option<SystemTime> {
    let end = SystemTime::from(end);
    let left = end.duration_since(SystemTime::from(Timestamp::now())).ok()?;
    Some(end - EARLY.min(left / 2))
}

/// Whether there is time for another renewal before the end.
fn is_far(end: Timestamp) -> bool {
    end.as_second() - Timestamp::now().as_second() > EARLY.as_secs() as i64
}

/// The client replaces its token this long before the end.
const EARLY: Duration = Duration::from_secs(60);
