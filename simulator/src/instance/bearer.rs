//! Bearer values: first as a token of the instance, then as a token of an OIDC provider.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::instance::Instance;
use crate::instance::caller::{Caller, Denied};
use crate::instance::sign_in::{caller_of, find_user, oauth_is_active, unauthenticated};
use crate::instance::store::{Record, Rows, is_true, value};
use crate::instance::time::wire_time;

impl Instance {
    /// Signs in with a bearer value: first as a token of the instance, then as a token of an OIDC provider. Uses the
    /// token up where JTI verification is on.
    ///
    /// # Errors
    /// The exact cause, which is also logged.
    pub async fn authorize_bearer(&self, token: &str) -> Result<Caller, Denied> {
        let outcome = self
            .verify_bearer(token)
            .await
            .and_then(|verified| match verified.once {
                Some((id, end)) if !self.use_up(&id, end) => Err(unauthenticated(format!(
                    "JTI verification is on and the token {id} was used before"
                ))),
                _ => Ok(verified.caller),
            });
        if let Err(denied) = &outcome {
            self.note(&denied.cause);
        }
        outcome
    }

    /// [`Instance::authorize_bearer`] without using the token up and without a line in the log.
    ///
    /// # Errors
    /// The exact cause.
    pub async fn explain_bearer(&self, token: &str) -> Result<Caller, Denied> {
        let verified = self.verify_bearer(token).await?;
        match verified.once {
            Some((id, _)) if self.state().used_tokens.contains(&id) => Err(unauthenticated(format!(
                "JTI verification is on and the token {id} was used before"
            ))),
            _ => Ok(verified.caller),
        }
    }

    /// Marks a token as used until its end; false if it was before. Forgets those that are long over.
    fn use_up(&self, id: &str, end: i64) -> bool {
        let now = self.now().as_second();
        let mut state = self.state();
        while let Some((_, over)) = state.used_until.pop_front_if(|(end, _)| *end < now - LONG_OVER) {
            state.used_tokens.remove(&over);
        }
        let is_new = state.used_tokens.insert(id.to_owned());
        if is_new {
            state.used_until.push_back((end, id.to_owned()));
        }
        is_new
    }

    async fn verify_bearer(&self, token: &str) -> Result<Verified, Denied> {
        let now = wire_time(self.now());
        let own = self.with_rows(|rows| own_token(rows, token, &now));
        if let Some(outcome) = own {
            return outcome.map(|caller| Verified { caller, once: None });
        }
        let claims = unverified_claims(token)
            .ok_or_else(|| unauthenticated("The bearer value is neither an access token of this instance nor a JWT"))?;
        let entity = self.choose_entity(&claims).await?;
        self.check_signature(token, &entity).await?;
        self.check_times(&claims, &entity)?;
        self.check_claims(&claims, &entity)?;
        self.check_scope(&claims, &entity)?;
        self.check_access_policies()?;
        let caller = self.with_rows(|rows| mapped_user(rows, &claims, &entity))?;
        let once = is_true(&entity.configuration, "enable_jti_verification").then(|| {
            ["jti", "uti"]
                .iter()
                .find_map(|claim| claims[*claim].as_str())
                .unwrap_or(token)
                .to_owned()
        });
        let once = once.map(|id| (id, claims["exp"].as_i64().unwrap_or(i64::MAX)));
        Ok(Verified { caller, once })
    }

    /// Step 3 of the platform's rules: the entity for issuer and audience.
    async fn choose_entity(&self, claims: &Value) -> Result<Chosen, Denied> {
        let issuer = claims["iss"].as_str().unwrap_or_default();
        let audiences = audiences(claims);
        let configurations: Vec<Record> = self.with_rows(|rows| {
            rows.of_class("oidc_provider_configuration")
                .filter(|row| row.get("active").is_none_or(|active| active == "true"))
                .cloned()
                .collect()
        });
        let mut trusted = Vec::new();
        for configuration in configurations {
            let url = value(&configuration, "oidc_url");
            let metadata = self.inner.internet.get_json(url).await;
            if let Some(metadata) = metadata.filter(|metadata| metadata["issuer"] == issuer) {
                trusted.push((configuration, metadata));
            }
        }
        if trusted.is_empty() {
            return Err(unauthenticated(format!(
                "Issuer unknown: no OIDC provider configuration has metadata of issuer {issuer} \
                 (token for client_ids {})",
                audiences.join(", ")
            )));
        }
        let mut entities: Vec<Record> = self.with_rows(|rows| {
            rows.of_class("oauth_oidc_entity")
                .filter(|row| audiences.iter().any(|audience| audience == value(row, "client_id")))
                .cloned()
                .collect()
        });
        let is_of = |entity: &Record, configuration: &Record| {
            value(entity, "oidc_provider_configuration") == value(configuration, "sys_id")
        };
        let fits = |entity: &Record| trusted.iter().any(|(trusted, _)| is_of(entity, trusted));
        if !entities.iter().any(|entity| is_true(entity, "active") && fits(entity)) {
            let inactive = entities.iter().find(|entity| fits(entity));
            let hint = inactive.map_or(String::new(), |entity| {
                format!(" (entity {} is inactive)", value(entity, "name"))
            });
            return Err(unauthenticated(format!(
                "Cannot find oauth_oidc_entity for issuer {issuer} with client_ids {}{hint}",
                audiences.join(", ")
            )));
        }
        entities.retain(|entity| is_true(entity, "active"));
        entities.sort_by_key(|entity| {
            (
                value(entity, "sys_created_on").to_owned(),
                value(entity, "sys_id").to_owned(),
            )
        });
        // With several entities of one client ID the first one is tried, right or wrong.
        let first = entities.swap_remove(0);
        match trusted.into_iter().find(|(trusted, _)| is_of(&first, trusted)) {
            Some((configuration, metadata)) => Ok(Chosen {
                entity: first,
                configuration,
                metadata,
            }),
            None => Err(unauthenticated(format!(
                "Invalid JWT Signature: several entities have client_id {}, and {} was tried, whose issuer is another",
                value(&first, "client_id"),
                value(&first, "name")
            ))),
        }
    }

    async fn check_signature(&self, token: &str, chosen: &Chosen) -> Result<(), Denied> {
        let header =
            decode_header(token).map_err(|error| unauthenticated(format!("Unreadable JWT header: {error}")))?;
        let address = chosen.metadata["jwks_uri"].as_str().unwrap_or_default();
        let keys = self.inner.internet.get_json(address).await;
        let keys: JwkSet = keys
            .and_then(|keys| serde_json::from_value(keys).ok())
            .ok_or_else(|| unauthenticated(format!("No key set at {address}")))?;
        let kid = header.kid.unwrap_or_default();
        let key = keys
            .find(&kid)
            .and_then(|key| DecodingKey::from_jwk(key).ok())
            .ok_or_else(|| unauthenticated(format!("Invalid JWT Signature: no key {kid} in {address}")))?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        decode::<Value>(token, &key, &validation)
            .map(|_| ())
            .map_err(|error| unauthenticated(format!("Invalid JWT Signature: {error}")))
    }

    fn check_times(&self, claims: &Value, chosen: &Chosen) -> Result<(), Denied> {
        let now = self.now().as_second();
        let skew = value(&chosen.entity, "clock_skew").parse::<i64>().unwrap_or(0);
        let time = |claim: &str| claims[claim].as_i64();
        match time("exp") {
            Some(expiry) if expiry + skew > now => {}
            Some(expiry) => {
                return Err(unauthenticated(format!(
                    "Token expired {} s ago (clock skew allowed: {skew} s)",
                    now - expiry
                )));
            }
            None => return Err(unauthenticated("Token without expiry")),
        }
        match time("nbf") {
            Some(start) if start > now + skew => Err(unauthenticated(format!(
                "Token valid only in {} s (clock skew allowed: {skew} s)",
                start - now
            ))),
            _ => Ok(()),
        }
    }

    /// The claims that the configuration wants, beyond issuer and audience.
    fn check_claims(&self, claims: &Value, chosen: &Chosen) -> Result<(), Denied> {
        let configuration = value(&chosen.configuration, "sys_id");
        let wrong = self.with_rows(|rows| {
            let mut wanted = rows
                .of_class("jwt_claim_validation")
                .filter(|row| value(row, "oidc_config") == configuration);
            let wrong = wanted.find(|row| claims[value(row, "name")].as_str() != Some(value(row, "value")));
            wrong.map(|row| value(row, "name").to_owned())
        });
        match wrong {
            None => Ok(()),
            Some(name) => Err(unauthenticated(format!(
                "JWT verification failed. exception:com.auth0.jwt.exceptions.InvalidClaimException: The Claim '{name}' value \
                 doesn't match the required one."
            ))),
        }
    }

    /// A policy turns tokens away whose profile is not attached to it; here no profile ever is.
    fn check_access_policies(&self) -> Result<(), Denied> {
        let policy = self.with_rows(|rows| {
            let mut policies = rows.of_class("sys_api_access_policy");
            policies
                .find(|row| is_true(row, "active"))
                .map(|row| value(row, "name").to_owned())
        });
        match policy {
            None => Ok(()),
            Some(name) => Err(unauthenticated(format!(
                "The REST API access policy {name} has no authentication profile for the token"
            ))),
        }
    }

    /// The auth scope that the REST APIs ask of tokens and that the caller's registry does not carry.
    pub(super) fn missing_api_scope(&self, caller: &Caller) -> Option<String> {
        let wanted = self.modes().api_scope.clone()?;
        if caller.registry.is_empty() {
            return None;
        }
        let has = self.with_rows(|rows| {
            let carried: Vec<&str> = rows
                .having("oauth_entity_auth_scope_mapping", "oauth_entity", &caller.registry)
                .map(|mapping| value(mapping, "auth_scope"))
                .collect();
            rows.of_class("sys_auth_scope").any(|scope| {
                let opens = [wanted.as_str(), "useraccount"].contains(&value(scope, "name"));
                opens && carried.contains(&value(scope, "sys_id"))
            })
        });
        (!has).then_some(wanted)
    }

    fn check_scope(&self, claims: &Value, chosen: &Chosen) -> Result<(), Denied> {
        let Some(scope) = claims["scp"].as_str() else {
            return Ok(());
        };
        if !self.modes().scp_needs_scope_row {
            return Ok(());
        }
        let is_known = self.with_rows(|rows| {
            rows.of_class("oauth_entity_scope").any(|row| {
                value(row, "oauth_entity") == value(&chosen.entity, "sys_id")
                    && scope.split(' ').any(|one| one == value(row, "oauth_entity_scope"))
            })
        });
        if is_known {
            return Ok(());
        }
        Err(unauthenticated(format!(
            "Invalid JWT Signature: no oauth_entity_scope of the entity matches scp {scope}"
        )))
    }
}

/// Seconds after its end in which no clock and no skew lets a token in any more.
const LONG_OVER: i64 = 86_400;

struct Verified {
    caller: Caller,
    /// The token's id and its end, where it may be used only once.
    once: Option<(String, i64)>,
}

struct Chosen {
    entity: Record,
    configuration: Record,
    metadata: Value,
}

/// `None` if the value is no token of this instance.
fn own_token(rows: &Rows, token: &str, now: &str) -> Option<Result<Caller, Denied>> {
    let row = rows
        .having("oauth_credential", "token", token)
        .find(|row| value(row, "type") == "access_token")?;
    Some(own_token_user(rows, row, now))
}

fn own_token_user(rows: &Rows, row: &Record, now: &str) -> Result<Caller, Denied> {
    if !oauth_is_active(rows) {
        return Err(unauthenticated("OAuth is switched off on this instance"));
    }
    if value(row, "expires") <= now {
        return Err(unauthenticated("The access token has expired"));
    }
    let is_active = rows
        .of_class("oauth_entity")
        .chain(rows.of_class("oauth_jwt"))
        .any(|entity| value(entity, "sys_id") == value(row, "peer") && is_true(entity, "active"));
    if !is_active {
        return Err(unauthenticated("The access token's application is gone or inactive"));
    }
    let user = find_user(rows, "sys_id", value(row, "user"))
        .ok_or_else(|| unauthenticated("The access token's user is gone"))?;
    Ok(Caller {
        registry: value(row, "peer").to_owned(),
        ..caller_of(rows, user)?
    })
}

fn mapped_user(rows: &Rows, claims: &Value, chosen: &Chosen) -> Result<Caller, Denied> {
    let claim = value(&chosen.configuration, "user_claim");
    let field = value(&chosen.configuration, "user_field");
    if claim.is_empty() {
        return Err(unauthenticated(format!(
            "The OIDC provider configuration {} names no user claim",
            value(&chosen.configuration, "name")
        )));
    }
    let text = claims[claim].as_str().unwrap_or_default();
    if text.is_empty() {
        let version = claims["ver"].as_str().unwrap_or("unknown");
        return Err(unauthenticated(format!(
            "The user claim {claim} is empty or missing in the token (token version {version})"
        )));
    }
    let is_column = rows
        .of_class("sys_user")
        .next()
        .is_some_and(|user| user.contains_key(field));
    if !is_column {
        return Err(unauthenticated(format!(
            "The user field {field} is no column of sys_user"
        )));
    }
    let user = find_user(rows, field, text)
        .ok_or_else(|| unauthenticated(format!("No user whose {field} is {text} (claim {claim})")))?;
    Ok(Caller {
        registry: value(&chosen.entity, "sys_id").to_owned(),
        ..caller_of(rows, user)?
    })
}

/// The claims of a JWT, not yet to be believed.
pub(super) fn unverified_claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn audiences(claims: &Value) -> Vec<String> {
    match &claims["aud"] {
        Value::String(audience) => vec![audience.clone()],
        Value::Array(audiences) => audiences
            .iter()
            .filter_map(|audience| audience.as_str().map(str::to_owned))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}
