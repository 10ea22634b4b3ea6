//! The support integration of a tenant: its settings and repositories in the Microsoft 365 admin center.
//!
//! The API is internal and the service behind it was announced as retired. So everything about its wire form is data
//! ([`profile`]), and every refusal says what it means here ([`SupportError`]).

mod error;
mod profile;
#[cfg(test)]
mod tests;
mod wire;

use std::{sync::Arc, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Entra;
use crate::http::{
    Answer, Client, HttpError, Limits, Origin, Repeat, Request, Secret, StatusCode,
    header::CONTENT_TYPE, jwt::Claims, secret, token::Token,
};

pub use error::SupportError;
use profile::{Operation, PLACEHOLDER};
pub use profile::{Profile, ProfileError};

/// One setting per tenant: the tool that cases go to, and the application that asks for tokens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// "Internal support tool".
    pub internal_support_tool: Option<String>,
    /// "Application ID to issue Auth Token".
    pub application_id: Option<String>,
}

/// One repository: an instance that cases go to. Secrets are not part of it, they cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repository {
    /// Chosen by the user, unique in the tenant.
    pub repository_id: String,
    /// The instance's address.
    pub endpoint: Option<String>,
    /// `aad` or `basic`; anything else is a value of the API that the profile does not know.
    pub authentication_type: Option<String>,
    /// The application that tokens are asked for, or the OAuth client of the instance.
    pub client_id: Option<String>,
    /// The application (or user) that calls the instance.
    pub rest_user_name: Option<String>,
    /// Seconds.
    pub refresh_token_expiry: Option<i64>,
}

/// What a repository holds beside, sent with every write: the write replaces the whole.
#[derive(Clone, Debug, Default)]
pub struct RepositorySecrets {
    /// Of the application or OAuth client.
    pub client_secret: Option<Secret>,
    /// Of the calling application or user.
    pub rest_user_password: Option<Secret>,
}

/// Whether a delete had anything to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deleted {
    /// It was there.
    Now,
    /// Somebody else was faster.
    Before,
}

impl Repository {
    /// The fields, by our names, that differ in what was read back.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<&'static str> {
        let pairs = [
            ("repository_id", self.repository_id == found.repository_id),
            (
                "endpoint",
                same_address(self.endpoint.as_deref(), found.endpoint.as_deref()),
            ),
            (
                "authentication_type",
                self.authentication_type == found.authentication_type,
            ),
            ("client_id", self.client_id == found.client_id),
            (
                "rest_user_name",
                self.rest_user_name == found.rest_user_name,
            ),
            (
                "refresh_token_expiry",
                self.refresh_token_expiry == found.refresh_token_expiry,
            ),
        ];
        pairs
            .into_iter()
            .filter(|(_, same)| !same)
            .map(|(name, _)| name)
            .collect()
    }
}

/// The support integration of one tenant.
#[derive(Debug)]
pub struct SupportApi {
    http: Arc<Client>,
    entra: Arc<Entra>,
    admin: Origin,
    profile: Profile,
}

impl SupportApi {
    /// The API at `admin`, spoken as `profile` says. `entra` signs in for the profile's scope, if it names one.
    #[must_use]
    pub fn new(http: Arc<Client>, entra: Arc<Entra>, admin: Origin, profile: Profile) -> Self {
        Self {
            http,
            entra,
            admin,
            profile,
        }
    }

    /// The tenant's settings. `None` when the tenant has none yet.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn find_settings(&self, limits: &Limits) -> Result<Option<Settings>, SupportError> {
        let object = &self.profile.settings;
        let document = self
            .read("read_settings", "read the support settings", limits)
            .await?;
        let Some(document) = document else {
            return Ok(None);
        };
        match document.pointer(&object.pointer) {
            Some(Value::Object(fields)) => Ok(Some(Settings::read(object, fields))),
            Some(Value::Null) | None => Ok(None),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                Err(SupportError::Shape {
                    detail: format!("there is no object at {:?}", object.pointer),
                })
            }
        }
    }

    /// Writes the tenant's settings. Other fields of the same object are sent back as they were read.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn write_settings(
        &self,
        settings: &Settings,
        limits: &Limits,
    ) -> Result<(), SupportError> {
        let mut fields = Map::new();
        if self.profile.keep_unknown_fields
            && let Some(document) = self
                .read("read_settings", "read the support settings", limits)
                .await?
            && let Some(Value::Object(current)) = document.pointer(&self.profile.settings.pointer)
        {
            fields.clone_from(current);
            // The list has calls of its own, and what it shows of secrets must not be written.
            if let Some(list) = self
                .profile
                .repository
                .pointer
                .strip_prefix(&self.profile.settings.pointer)
            {
                fields.remove(list.trim_start_matches('/'));
            }
        }
        settings.write(&self.profile.settings, &mut fields);
        let call = Call {
            name: "write_settings",
            operation: "write the support settings",
            repository_id: None,
            body: Some(fields),
        };
        self.call(call, Repeat::Idempotent, limits).await.map(drop)
    }

    /// All repositories of the tenant.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn repositories(&self, limits: &Limits) -> Result<Vec<Repository>, SupportError> {
        let object = &self.profile.repository;
        Ok(self
            .raw_repositories(limits)
            .await?
            .iter()
            .filter_map(|fields| Repository::read(object, fields))
            .collect())
    }

    /// One repository.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn find_repository(
        &self,
        repository_id: &str,
        limits: &Limits,
    ) -> Result<Option<Repository>, SupportError> {
        let all = self.repositories(limits).await?;
        Ok(all
            .into_iter()
            .find(|repository| repository.repository_id == repository_id))
    }

    /// Creates a repository whose id is not taken. See [`SupportApi::read_back`] for what became of it.
    ///
    /// A lost answer is settled by looking: what was not there before and holds our values now is ours.
    ///
    /// # Errors
    /// [`SupportError`]; [`SupportError::AlreadyExists`] if the id is taken.
    pub async fn create_repository(
        &self,
        repository: &Repository,
        secrets: &RepositorySecrets,
        limits: &Limits,
    ) -> Result<(), SupportError> {
        let id = &repository.repository_id;
        if self.find_repository(id, limits).await?.is_some() {
            return Err(SupportError::AlreadyExists {
                repository_id: id.clone(),
            });
        }
        let mut attempts_left = CREATE_ATTEMPTS;
        loop {
            let mut fields = Map::new();
            repository.write(secrets, &self.profile.repository, &mut fields);
            secrets.register();
            let operation = "create the repository";
            let call = Call {
                name: "create_repository",
                operation,
                repository_id: Some(id),
                body: Some(fields),
            };
            let (answer, why) = match self.call(call, Repeat::Never, limits).await {
                Err(SupportError::Http {
                    source: HttpError::Uncertain { answer, why, host },
                    ..
                }) => (
                    answer,
                    HttpError::Uncertain {
                        host,
                        why,
                        answer: None,
                    },
                ),
                Err(SupportError::Unexpected { status: 409, .. }) => {
                    return Err(SupportError::AlreadyExists {
                        repository_id: id.clone(),
                    });
                }
                other => return other.map(drop),
            };
            // Looked up even after an interruption: a repository that nobody knows of would stay behind.
            let grace = Limits::grace(LOOK_UP);
            if let Some(found) = self.find_repository(id, &grace).await? {
                return if repository.differences(&found).is_empty() {
                    Ok(())
                } else {
                    Err(SupportError::AlreadyExists {
                        repository_id: id.clone(),
                    })
                };
            }
            attempts_left -= 1;
            if attempts_left == 0 || limits.cancel.is_cancelled() {
                return Err(match answer {
                    Some(answer) => {
                        SupportError::from_answer(operation, answer.host(), &answer, String::new)
                    }
                    None => SupportError::Http {
                        operation,
                        source: why,
                    },
                });
            }
            limits
                .sleep(POLL)
                .await
                .map_err(|source| SupportError::Http { operation, source })?;
        }
    }

    /// Replaces a repository. Fields that we do not know are sent back as they were read; secrets that are not given are
    /// left out, which may clear them: give all that the configuration holds.
    ///
    /// # Errors
    /// [`SupportError`]; [`SupportError::RepositoryMissing`] if there is none.
    pub async fn update_repository(
        &self,
        repository: &Repository,
        secrets: &RepositorySecrets,
        limits: &Limits,
    ) -> Result<(), SupportError> {
        let id = &repository.repository_id;
        let object = &self.profile.repository;
        let current = self.raw_repositories(limits).await?;
        let current = current.into_iter().find(|fields| {
            Repository::read(object, fields).is_some_and(|found| found.repository_id == *id)
        });
        let Some(mut fields) = current else {
            return Err(SupportError::RepositoryMissing {
                repository_id: id.clone(),
            });
        };
        if !self.profile.keep_unknown_fields {
            fields.clear();
        }
        repository.write(secrets, object, &mut fields);
        secrets.register();
        let call = Call {
            name: "update_repository",
            operation: "update the repository",
            repository_id: Some(id),
            body: Some(fields),
        };
        self.call(call, Repeat::Idempotent, limits).await.map(drop)
    }

    /// Deletes a repository; one that is not there is no error.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn delete_repository(
        &self,
        repository_id: &str,
        limits: &Limits,
    ) -> Result<Deleted, SupportError> {
        let call = Call {
            name: "delete_repository",
            operation: "delete the repository",
            repository_id: Some(repository_id),
            body: None,
        };
        match self.call(call, Repeat::Idempotent, limits).await {
            Ok(_) => Ok(Deleted::Now),
            // The repository or the page? The list knows.
            Err(error @ SupportError::PageMissing { .. }) => {
                match self.find_repository(repository_id, limits).await? {
                    None => Ok(Deleted::Before),
                    Some(_) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Reads a repository that was just written until it shows what was written, for some seconds.
    ///
    /// The result may still differ: see [`Repository::differences`] for fields that the admin center did not take.
    ///
    /// # Errors
    /// [`SupportError::NotVisible`] if it is not listed.
    pub async fn read_back(
        &self,
        written: &Repository,
        limits: &Limits,
    ) -> Result<Repository, SupportError> {
        let give_up = Instant::now() + READ_BACK;
        loop {
            let found = self.find_repository(&written.repository_id, limits).await?;
            let settled = found
                .as_ref()
                .is_some_and(|found| written.differences(found).is_empty());
            if settled || Instant::now() + POLL > give_up {
                return found.ok_or_else(|| SupportError::NotVisible {
                    repository_id: written.repository_id.clone(),
                });
            }
            limits
                .sleep(POLL)
                .await
                .map_err(|source| SupportError::Http {
                    operation: "read the repository back",
                    source,
                })?;
        }
    }

    async fn raw_repositories(
        &self,
        limits: &Limits,
    ) -> Result<Vec<Map<String, Value>>, SupportError> {
        let pointer = &self.profile.repository.pointer;
        let document = self
            .read("list_repositories", "list the repositories", limits)
            .await?;
        // A tenant without support integration has no repositories either.
        let Some(document) = document else {
            return Ok(Vec::new());
        };
        let shape = |detail: String| SupportError::Shape { detail };
        match document.pointer(pointer) {
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| {
                    item.as_object().cloned().ok_or_else(|| {
                        shape(format!(
                            "the list at {pointer:?} holds something that is no object"
                        ))
                    })
                })
                .collect(),
            Some(Value::Null) => Ok(Vec::new()),
            // An object without the list is an error, or every repository would count as deleted.
            None
            | Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                Err(shape(format!("there is no list at {pointer:?}")))
            }
        }
    }

    async fn read(
        &self,
        name: &'static str,
        operation: &'static str,
        limits: &Limits,
    ) -> Result<Option<Value>, SupportError> {
        let call = Call {
            name,
            operation,
            repository_id: None,
            body: None,
        };
        Ok(self
            .call(call, Repeat::Idempotent, limits)
            .await?
            .filter(|document| !document.is_null()))
    }

    /// One operation; `None` for an empty answer and for a setting that was never made.
    async fn call(
        &self,
        call: Call<'_>,
        repeat: Repeat,
        limits: &Limits,
    ) -> Result<Option<Value>, SupportError> {
        let Call {
            name,
            operation,
            repository_id,
            ref body,
        } = call;
        let spec = self
            .profile
            .operation(name)
            .ok_or(SupportError::NotInProfile(name))?;
        let path = match repository_id {
            // The URL standard resolves these, encoded or not.
            Some(id @ ("" | "." | "..")) => {
                return Err(SupportError::BadRepositoryId(id.to_owned()));
            }
            Some(id) => spec
                .path
                .replace(PLACEHOLDER, &utf8_percent_encode(id, SEGMENT).to_string()),
            None => spec.path.clone(),
        };
        let failed = |source| SupportError::Http { operation, source };
        let mut renewed = false;
        loop {
            let token = if self.profile.bearer {
                Some(self.entra.token(limits).await?)
            } else {
                None
            };
            let request = self
                .request(spec, &path, body.as_ref(), token.as_ref(), repeat)
                .map_err(failed)?;
            let answer = self
                .http
                .send(request.label(name), limits)
                .await
                .map_err(failed)?;
            let status = answer.status();
            if status == StatusCode::UNAUTHORIZED
                && !renewed
                && self.entra.can_renew()
                && let Some(token) = &token
            {
                // Turned away before anything was done, so even a create may be sent again.
                renewed = true;
                self.entra.invalidate(token, limits).await?;
                continue;
            }
            if spec.expected.contains(&status.as_u16()) {
                return self.document(operation, &answer);
            }
            if repository_id.is_none() && error::is_object_missing(&answer) {
                return Ok(None);
            }
            return Err(SupportError::from_answer(operation, &path, &answer, || {
                self.hint(token.as_ref())
            }));
        }
    }

    fn request(
        &self,
        spec: &Operation,
        path: &str,
        body: Option<&Map<String, Value>>,
        token: Option<&Token>,
        repeat: Repeat,
    ) -> Result<Request, HttpError> {
        let url = self.admin.join(path)?;
        let mut request =
            Request::new(spec.method.clone(), url, &self.admin, repeat).max_answer(MAX_ANSWER);
        for (name, value) in self.profile.headers.iter().chain(&spec.override_header) {
            request = if SESSION_HEADERS.contains(&name.as_str()) {
                request.secret_header(name.clone(), &Secret::from(value.as_str()))?
            } else {
                request.header(name.clone(), value)?
            };
        }
        if let Some(body) = body {
            request = request
                .json(body)?
                .header(CONTENT_TYPE, &self.profile.content_type)?;
        }
        match token {
            Some(token) => request.bearer(&token.value),
            None => Ok(request),
        }
    }

    /// The body of a success: JSON of an accepted type, or nothing at all.
    fn document(
        &self,
        operation: &'static str,
        answer: &Answer,
    ) -> Result<Option<Value>, SupportError> {
        if answer.body().iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let content_type = answer.content_type();
        let accepted =
            self.profile.accepted_content_types.contains(&content_type) && !answer.is_html();
        if let Some(document) = accepted
            .then(|| serde_json::from_slice(answer.body()).ok())
            .flatten()
        {
            return Ok(Some(document));
        }
        let kind = if content_type.is_empty() {
            "no content type".to_owned()
        } else {
            content_type
        };
        let what = match answer.html_title() {
            Some(title) => format!("{kind} ({title:?})"),
            None if accepted => format!("{kind} that is cut short or malformed"),
            None => kind,
        };
        Err(SupportError::NotJson {
            operation,
            status: answer.status().as_u16(),
            what,
        })
    }

    /// What the refused token says about itself.
    fn hint(&self, token: Option<&Token>) -> String {
        if self.entra.is_app_only() {
            return "; it is an application's own token without a user, which the admin center most likely never takes".to_owned();
        }
        let claims = token.and_then(|token| Claims::decode(token.value.expose()).ok());
        let audiences = claims.as_ref().map(Claims::audiences).unwrap_or_default();
        if audiences.is_empty()
            || audiences.iter().any(|audience| {
                audience.trim_end_matches('/') == self.entra.resource() || *audience == PORTAL_APP
            })
        {
            return String::new();
        }
        format!(
            "; it is for {}, not for {}",
            audiences.join(", "),
            self.entra.resource()
        )
    }
}

impl RepositorySecrets {
    fn register(&self) {
        for known in [&self.client_secret, &self.rest_user_password]
            .into_iter()
            .flatten()
        {
            secret::register(known);
        }
    }
}

struct Call<'a> {
    name: &'static str,
    operation: &'static str,
    repository_id: Option<&'a str>,
    body: Option<Map<String, Value>>,
}

/// Addresses that differ only in a final slash are the same to the form behind this API.
fn same_address(ours: Option<&str>, theirs: Option<&str>) -> bool {
    ours.map(|text| text.trim_end_matches('/')) == theirs.map(|text| text.trim_end_matches('/'))
}

/// Everything that could end a path segment or begin another is encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// Headers of a portal session that a profile may pass through.
const SESSION_HEADERS: &[&str] = &[
    "cookie",
    "authorization",
    "ajaxsessionkey",
    "x-portal-routekey",
];
/// The admin center's application: its tokens may carry the id instead of the address.
const PORTAL_APP: &str = "00000006-0000-0ff1-ce00-000000000000";
const CREATE_ATTEMPTS: u32 = 3;
const LOOK_UP: Duration = Duration::from_secs(15);
const READ_BACK: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(500);
const MAX_ANSWER: usize = 16 << 20;
