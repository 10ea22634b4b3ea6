//! The support integration of a tenant: its settings and repositories in the Microsoft 365 admin center.
//!
//! The API is internal and the service behind it was announced as retired. So everything about its wire form is data
//! ([`api_profile`]), and every error has its meaning for this API ([`SupportError`]).

mod api_profile;
mod call;
mod error;
mod objects;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::MutexGuard;
use tokio::time::Instant;

use crate::http::jwt_claims::Claims;
use crate::http::{Client, Limits, Origin, Repeat};
use crate::microsoft::Entra;

pub use error::SupportError;
pub use objects::{Deleted, Repository, RepositorySecrets, Settings, same_address};

pub use api_profile::{Profile, ProfileError};
use call::Call;
use objects::with_id;

/// The support integration of one tenant.
#[derive(Debug)]
pub struct SupportApi {
    http: Arc<Client>,
    entra: Arc<Entra>,
    admin: Origin,
    profile: Profile,
    creating: tokio::sync::Mutex<()>,
    settings_made: tokio::sync::Mutex<bool>,
}

impl SupportApi {
    /// The API at `admin`, as `profile` describes it. `entra` signs in for the profile's scope, if there is one.
    #[must_use]
    pub fn new(http: Arc<Client>, entra: Arc<Entra>, admin: Origin, profile: Profile) -> Self {
        Self {
            http,
            entra,
            admin,
            profile,
            creating: tokio::sync::Mutex::default(),
            settings_made: tokio::sync::Mutex::default(),
        }
    }

    /// The id of the tenant that the provider's token belongs to; `None` where the token does not say.
    ///
    /// # Errors
    /// [`SupportError::SignIn`].
    pub async fn tenant(&self, limits: &Limits) -> Result<Option<String>, SupportError> {
        if !self.profile.bearer {
            return Ok(None);
        }
        let token = self.entra.token(limits).await?;
        let claims = Claims::decode(token.value.expose()).ok();
        Ok(claims.and_then(|claims| claims.text("tid").map(str::to_owned)))
    }

    /// The tenant's settings. `None` when the tenant has none yet, which is seen twice before it is believed.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn find_settings(&self, limits: &Limits) -> Result<Option<Settings>, SupportError> {
        match self.look_for_settings(limits).await? {
            Some(settings) => Ok(Some(settings)),
            None => {
                pause("read the support settings", limits).await?;
                self.look_for_settings(limits).await
            }
        }
    }

    /// The right to create or to remove the settings: look and write are one step within a process. In it stands whether
    /// this process has made or taken over the settings, so that there is no second one.
    ///
    /// # Errors
    /// [`SupportError::Http`] when the operation's time is over first.
    pub async fn lock_settings(&self, limits: &Limits) -> Result<MutexGuard<'_, bool>, SupportError> {
        let locked = limits.bound(self.settings_made.lock()).await;
        locked.map_err(|source| SupportError::Http {
            operation: "write the support settings",
            source,
        })
    }

    async fn look_for_settings(&self, limits: &Limits) -> Result<Option<Settings>, SupportError> {
        let object = &self.profile.settings;
        let document = self.read("read_settings", "read the support settings", limits).await?;
        let Some(document) = document else {
            return Ok(None);
        };
        match document.pointer(&object.pointer) {
            Some(Value::Object(fields)) => Ok(Some(Settings::read(object, fields))),
            Some(Value::Null) | None => Ok(None),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => Err(SupportError::Shape {
                detail: format!("there is no object at {:?}", object.pointer),
            }),
        }
    }

    /// Writes the tenant's settings. Other fields of the same object are sent back as they were read.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn write_settings(&self, settings: &Settings, limits: &Limits) -> Result<(), SupportError> {
        let mut fields = Map::new();
        if self.profile.keep_unknown_fields
            && let Some(document) = self.read("read_settings", "read the support settings", limits).await?
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

    /// Reads settings that were just written until they show what was written, for some seconds. What is shown in the end
    /// may still differ: then the admin center did not take it.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn settings_as_written(&self, written: &Settings, limits: &Limits) -> Result<Settings, SupportError> {
        let give_up = Instant::now() + READ_BACK;
        loop {
            let found = self.look_for_settings(limits).await?.unwrap_or_default();
            if written.is_same(&found) || Instant::now() + POLL > give_up {
                return Ok(found);
            }
            pause("read the settings back", limits).await?;
        }
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

    /// One repository. `None` only after its absence was seen twice.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn find_repository(
        &self,
        repository_id: &str,
        limits: &Limits,
    ) -> Result<Option<Repository>, SupportError> {
        match self.look_for_repository(repository_id, limits).await? {
            Some(repository) => Ok(Some(repository)),
            None => {
                pause("list the repositories", limits).await?;
                self.look_for_repository(repository_id, limits).await
            }
        }
    }

    async fn look_for_repository(
        &self,
        repository_id: &str,
        limits: &Limits,
    ) -> Result<Option<Repository>, SupportError> {
        let all = self.repositories(limits).await?;
        Ok(with_id(all, repository_id, |repository| {
            Some(repository.repository_id.clone())
        }))
    }

    /// Creates a repository whose id does not exist. See [`SupportApi::read_back`] for the result.
    ///
    /// After a lost response it reads again: a repository that did not exist before and has our values now is ours.
    ///
    /// # Errors
    /// [`SupportError::AlreadyExists`] if the id exists; [`SupportError::Uncertain`] if it is not known whether it was
    /// made; after any other nothing was made.
    pub async fn create_repository(
        &self,
        repository: &Repository,
        secrets: &RepositorySecrets,
        limits: &Limits,
    ) -> Result<(), SupportError> {
        let id = &repository.repository_id;
        let exists = || SupportError::AlreadyExists {
            repository_id: id.clone(),
        };
        // Look and insert are one step within a process.
        let _turn = self.creating.lock().await;
        if self.look_for_repository(id, limits).await?.is_some() {
            return Err(exists());
        }
        let mut attempts_left = CREATE_ATTEMPTS;
        loop {
            let mut fields = Map::new();
            repository.write(secrets, &self.profile.repository, &mut fields);
            secrets.register();
            let call = Call {
                name: "create_repository",
                operation: "create the repository",
                repository_id: Some(id),
                body: Some(fields),
            };
            let why = match self.call(call, Repeat::Never, limits).await {
                Ok(_) => return Ok(()),
                Err(error) if error.leaves_open_whether_it_happened() => error,
                // Perhaps because an attempt before this one arrived after all.
                Err(SupportError::Unexpected { status: 409, .. }) if attempts_left < CREATE_ATTEMPTS => exists(),
                Err(SupportError::Unexpected { status: 409, .. }) => return Err(exists()),
                Err(error) => return Err(error),
            };
            // Looked up even after an interruption: otherwise a repository that is in no state would remain.
            let found = match self.find_repository(id, &Limits::grace(LOOK_UP)).await {
                Ok(found) => found,
                Err(_) => {
                    return Err(SupportError::Uncertain {
                        repository_id: id.clone(),
                        source: Box::new(why),
                    });
                }
            };
            if let Some(found) = found {
                return if repository.differences(&found).is_empty() {
                    Ok(())
                } else {
                    Err(exists())
                };
            }
            attempts_left -= 1;
            if attempts_left == 0 || limits.cancel.is_cancelled() {
                return Err(why);
            }
            pause("create the repository", limits).await?;
        }
    }

    /// Replaces a repository. Unknown fields are sent back as they were read; secrets that are not passed are omitted,
    /// which may clear them: pass all that the configuration has.
    ///
    /// # Errors
    /// [`SupportError`]; [`SupportError::RepositoryMissing`] if there is none.
    pub async fn update_repository(
        &self,
        repository: &Repository,
        secrets: &RepositorySecrets,
        limits: &Limits,
    ) -> Result<(), SupportError> {
        let object = &self.profile.repository;
        let current = self.raw_repositories(limits).await?;
        let id_of = |fields: &Map<String, Value>| Some(Repository::read(object, fields)?.repository_id);
        let current = with_id(current, &repository.repository_id, id_of);
        let Some((mut fields, id)) = current.and_then(|fields| id_of(&fields).map(|id| (fields, id))) else {
            return Err(SupportError::RepositoryMissing {
                repository_id: repository.repository_id.clone(),
            });
        };
        // It is addressed as the admin center spells it.
        let repository = &Repository {
            repository_id: id.clone(),
            ..repository.clone()
        };
        if !self.profile.keep_unknown_fields {
            fields.clear();
        }
        repository.write(secrets, object, &mut fields);
        secrets.register();
        let call = Call {
            name: "update_repository",
            operation: "update the repository",
            repository_id: Some(&id),
            body: Some(fields),
        };
        self.call(call, Repeat::Idempotent, limits).await.map(drop)
    }

    /// Deletes a repository; one that does not exist is no error.
    ///
    /// # Errors
    /// [`SupportError`].
    pub async fn delete_repository(&self, repository_id: &str, limits: &Limits) -> Result<Deleted, SupportError> {
        match self.try_to_delete(repository_id, limits).await {
            Ok(()) => Ok(Deleted::Now),
            // The repository or the page? The list knows.
            Err(error @ SupportError::PageMissing { .. }) => match self.find_repository(repository_id, limits).await? {
                None => Ok(Deleted::Before),
                // It is addressed as the admin center spells it.
                Some(found) if found.repository_id != repository_id => {
                    self.try_to_delete(&found.repository_id, limits).await?;
                    Ok(Deleted::Now)
                }
                Some(_) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn try_to_delete(&self, repository_id: &str, limits: &Limits) -> Result<(), SupportError> {
        let call = Call {
            name: "delete_repository",
            operation: "delete the repository",
            repository_id: Some(repository_id),
            body: None,
        };
        self.call(call, Repeat::Idempotent, limits).await.map(drop)
    }

    /// Reads a repository that was just written until it shows what was written, for some seconds.
    ///
    /// The result may still differ: see [`Repository::differences`] for fields that the admin center did not take.
    ///
    /// # Errors
    /// [`SupportError::NotVisible`] if it is not listed.
    pub async fn read_back(&self, written: &Repository, limits: &Limits) -> Result<Repository, SupportError> {
        let give_up = Instant::now() + READ_BACK;
        loop {
            let found = self.look_for_repository(&written.repository_id, limits).await?;
            let settled = found
                .as_ref()
                .is_some_and(|found| written.differences(found).is_empty());
            if settled || Instant::now() + POLL > give_up {
                return found.ok_or_else(|| SupportError::NotVisible {
                    repository_id: written.repository_id.clone(),
                });
            }
            pause("read the repository back", limits).await?;
        }
    }

    async fn raw_repositories(&self, limits: &Limits) -> Result<Vec<Map<String, Value>>, SupportError> {
        let pointer = &self.profile.repository.pointer;
        let document = self.read("list_repositories", "list the repositories", limits).await?;
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
                            "the list at {pointer:?} contains something that is not an object"
                        ))
                    })
                })
                .collect(),
            Some(Value::Null) => Ok(Vec::new()),
            // An object without the list is an error, or every repository would count as deleted.
            None | Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
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
}

/// Waits before the next read.
async fn pause(operation: &'static str, limits: &Limits) -> Result<(), SupportError> {
    let slept = limits.sleep(POLL).await;
    slept.map_err(|source| SupportError::Http { operation, source })
}

const CREATE_ATTEMPTS: u32 = 3;
const LOOK_UP: Duration = Duration::from_secs(15);
const READ_BACK: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(500);
