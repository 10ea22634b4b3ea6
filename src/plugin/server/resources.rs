//! Managed resources.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::plugin::codec::json::{self, Unexpected};
use crate::plugin::diagnostics::{Diagnostic, Diagnostics};
use crate::plugin::path::Trail;
use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{Context, Import, Moved, Notes, Operation, Outcome, Provider, Reading, Resource};
use crate::plugin::schema::{Attribute, AttributeKind, Schema};
use crate::plugin::server::call::{Ended, failed, time_limit};
use crate::plugin::server::provider_block::{deferral, quiet, write_only};
use crate::plugin::server::unexpected_changes::keep_planned;
use crate::plugin::server::{Entry, Shared, bug, decode_object, encode_object};
use crate::plugin::value::{Object, Value};
use crate::plugin::{plan, terraform_rules};
use crate::sync::lock;

/// A state that could not be compared with what exists.
fn not_refreshed(unknown: &[String]) -> Diagnostic {
    let detail = format!(
        "Arguments of the provider block depend on something that does not exist yet ({}). The state is used as it \
         is, so this plan does not show changes made outside of Terraform.",
        unknown.join(", ")
    );
    Diagnostic::warning("Not refreshed: the provider's configuration is not known yet", detail)
}

/// Set by an import for the read that follows it.
const IMPORTING: &str = ".importing";

impl<P: Provider> Shared<P> {
    pub(super) async fn validate_resource(
        self: Arc<Self>,
        request: proto::validate_resource_config::Request,
    ) -> Ended<proto::validate_resource_config::Response> {
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let config = self
            .decode_config(request.config.as_ref(), entry.schema())
            .map_err(failed)?;
        let write_only = write_only(request.client_capabilities.as_ref());
        Ok((Default::default(), entry.validate(&config, write_only)))
    }

    pub(super) async fn upgrade(
        self: Arc<Self>,
        request: proto::upgrade_resource_state::Request,
    ) -> Ended<proto::upgrade_resource_state::Response> {
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let state = raw_json(request.raw_state.as_ref()).map_err(failed)?;
        let state = if request.version == schema.version {
            state
        } else {
            entry.part.upgrade(request.version, state).map_err(failed)?
        };
        let state = json::decode(&state, schema.ty(), Unexpected::Ignore).map_err(|error| {
            failed(bug(format!(
                "the state of this {} cannot be read {error}",
                entry.name()
            )))
        })?;
        let state = state
            .as_object()
            .cloned()
            .map(|state| without_write_only(schema, state));
        Ok((
            proto::upgrade_resource_state::Response {
                upgraded_state: Some(encode_object(state, schema)),
                diagnostics: Vec::new(),
            },
            quiet(),
        ))
    }

    pub(super) async fn upgrade_identity(
        self: Arc<Self>,
        request: proto::upgrade_resource_identity::Request,
    ) -> Ended<proto::upgrade_resource_identity::Response> {
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let Some(identity) = entry.identity() else {
            return Err(failed(bug(format!("{} has no identity", entry.name()))));
        };
        if request.version > identity.version {
            return Err(failed(Diagnostic::error(
                "Unknown identity version",
                format!(
                    "The identity of this {} has schema version {}, and this version of the provider supports {}. \
                     Use the provider version that wrote it, or a later one.",
                    entry.name(),
                    request.version,
                    identity.version
                ),
            )));
        }
        let is_absent = request.raw_identity.as_ref().is_none_or(|raw| raw.json.is_empty());
        if is_absent || request.version < identity.version {
            // An older Terraform wrote the state, without an identity, or an older provider another one: the next read gives
            // one.
            return Ok((
                proto::upgrade_resource_identity::Response {
                    upgraded_identity: Some(proto::ResourceIdentityData {
                        identity_data: Some(super::encode(&Value::Null, &identity.ty())),
                    }),
                    diagnostics: Vec::new(),
                },
                quiet(),
            ));
        }
        let raw = raw_json(request.raw_identity.as_ref()).map_err(failed)?;
        let decoded = json::decode(&raw, &identity.ty(), Unexpected::Ignore)
            .map_err(|error| failed(bug(format!("the identity cannot be read {error}"))))?;
        let data = proto::ResourceIdentityData {
            identity_data: Some(super::encode(&decoded, &identity.ty())),
        };
        Ok((
            proto::upgrade_resource_identity::Response {
                upgraded_identity: Some(data),
                diagnostics: Vec::new(),
            },
            quiet(),
        ))
    }

    pub(super) async fn read(
        self: Arc<Self>,
        request: proto::read_resource::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::read_resource::Response> {
        let unchanged = |diagnostics: Diagnostics| {
            let response = proto::read_resource::Response {
                new_state: request.current_state.clone(),
                private: request.private.clone(),
                new_identity: request.current_identity.clone(),
                ..Default::default()
            };
            (response, diagnostics)
        };
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let Some(state) = self
            .decode_object(request.current_state.as_ref(), schema)
            .map_err(failed)?
        else {
            return Ok(unchanged(quiet()));
        };
        let unknown = self.unknown(&request.type_name);
        if !unknown.is_empty() {
            // Nothing can be read yet; what is known stays.
            let deferred = deferral(&unknown, request.client_capabilities.as_ref());
            let notes = deferred.map_or_else(|| not_refreshed(&unknown).into(), |_| quiet());
            let (mut response, diagnostics) = unchanged(notes);
            response.deferred = deferred;
            return Ok((response, diagnostics));
        }
        let limit = time_limit(entry.part.as_ref(), Operation::Read, &state);
        let mut cx = self
            .context(limit, &notes)
            .map_err(|problem| unchanged(problem.into()))?;
        *lock(&cx.notes.private) = private(&request.private);
        if lock(&cx.notes.private).remove(IMPORTING).is_some() {
            cx.reading = Reading::Import;
        }
        let new = entry.part.read(&cx, state.clone()).await.map_err(unchanged)?;
        let new = new.map(|new| settle(schema, new, &state));
        let response = proto::read_resource::Response {
            new_identity: new.as_ref().and_then(|new| entry.identity_of(new)),
            private: private_bytes(&cx.notes),
            new_state: Some(encode_object(new, schema)),
            ..Default::default()
        };
        Ok((response, quiet()))
    }

    pub(super) async fn plan(
        self: Arc<Self>,
        request: proto::plan_resource_change::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::plan_resource_change::Response> {
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let prior = self
            .decode_object(request.prior_state.as_ref(), schema)
            .map_err(failed)?;
        let proposed = self
            .decode_object(request.proposed_new_state.as_ref(), schema)
            .map_err(failed)?;
        let mut response = proto::plan_resource_change::Response {
            planned_private: request.prior_private.clone(),
            deferred: deferral(&self.unknown(&request.type_name), request.client_capabilities.as_ref()),
            ..Default::default()
        };
        let Some(proposed) = proposed else {
            response.planned_state = Some(encode_object(None, schema));
            response.planned_identity = request.prior_identity;
            return Ok((response, quiet()));
        };
        let config = self.decode_config(request.config.as_ref(), schema).map_err(failed)?;
        let limit = time_limit(entry.part.as_ref(), Operation::Read, &proposed);
        *lock(&notes.private) = private(&request.prior_private);
        let cx = self.context_if_configured(limit, &notes).map_err(failed)?;
        let (planned, diagnostics) = super::plan::of_resource(
            entry.part.as_ref(),
            schema,
            cx.as_ref(),
            prior.as_ref(),
            proposed,
            &config,
        )
        .await;
        assert_sound(
            entry,
            || terraform_rules::plan_problems(schema, prior.as_ref(), &config, &planned.state),
            &diagnostics,
        );
        if prior.is_some() && planned.replace.is_empty() {
            response.planned_identity = request.prior_identity;
        }
        response.requires_replace = planned.replace.iter().map(crate::plugin::Path::to_proto).collect();
        response.planned_state = Some(encode_object(Some(planned.state), schema));
        Ok((response, diagnostics))
    }

    pub(super) async fn apply(
        self: Arc<Self>,
        request: proto::apply_resource_change::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::apply_resource_change::Response> {
        *lock(&notes.private) = private(&request.planned_private);
        let unchanged = |diagnostics: Diagnostics| (self.as_it_was(&request, &notes), diagnostics);
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let decoded = self
            .decode_object(request.prior_state.as_ref(), schema)
            .and_then(|prior| Ok((prior, self.decode_object(request.planned_state.as_ref(), schema)?)))
            .and_then(|(prior, planned)| Ok((prior, planned, self.decode_config(request.config.as_ref(), schema)?)));
        let (prior, planned, config) = decoded.map_err(|problem| unchanged(problem.into()))?;
        let operation = match (&prior, &planned) {
            (_, None) => Operation::Delete,
            (None, Some(_)) => Operation::Create,
            (Some(_), Some(_)) => Operation::Update,
        };
        let limit = time_limit(
            entry.part.as_ref(),
            operation,
            planned.as_ref().or(prior.as_ref()).unwrap_or(&Object::new()),
        );
        let cx = self
            .context(limit, &notes)
            .map_err(|problem| unchanged(problem.into()))?;
        match (prior, planned) {
            (None, None) => Ok(unchanged(quiet())),
            (Some(prior), None) => match entry.part.delete(&cx, &prior).await {
                Ok(()) => {
                    let new_state = Some(encode_object(None, schema));
                    Ok((
                        proto::apply_resource_change::Response {
                            new_state,
                            ..Default::default()
                        },
                        quiet(),
                    ))
                }
                // All of it, or what the resource says is left.
                Err(problem) => Err(unchanged(problem)),
            },
            (None, Some(planned)) => {
                // In a replacement core hands the notes of the former object to both halves. The plan cannot clear them, since
                // the delete still needs them.
                lock(&cx.notes.private).clear();
                let ended = entry.part.create(&cx, planned.clone(), &config).await;
                let outcome = ended.map_err(|problem| {
                    let is_kept = lock(&cx.notes.kept).is_some();
                    let problem = with_error(entry.name(), problem);
                    unchanged(if is_kept {
                        tainted(entry.name(), problem)
                    } else {
                        problem
                    })
                })?;
                let (response, diagnostics) = finish(entry, &cx, outcome, &planned)?;
                Ok((response, tainted(entry.name(), diagnostics)))
            }
            (Some(prior), Some(planned)) => {
                let ended = entry.part.update(&cx, &prior, planned.clone(), &config).await;
                let outcome = ended.map_err(|problem| unchanged(with_error(entry.name(), problem)))?;
                finish(entry, &cx, outcome, &planned)
            }
        }
    }

    /// The answer to an apply that did not get to say what exists: what it kept, else what was there before.
    pub(super) fn as_it_was(
        &self,
        request: &proto::apply_resource_change::Request,
        notes: &Notes,
    ) -> proto::apply_resource_change::Response {
        let kept = lock(&notes.kept).take();
        let entry = self.resource(&request.type_name).ok();
        let (new_state, new_identity) = match (kept, entry) {
            (Some(mut kept), Some(entry)) => {
                plan::null_write_only(entry.schema(), &mut kept);
                let kept = kept.with_unknown_as_null();
                let identity = entry.identity_of(&kept);
                (Some(encode_object(Some(kept), entry.schema())), identity)
            }
            _ => (request.prior_state.clone(), None),
        };
        proto::apply_resource_change::Response {
            new_state,
            private: private_bytes(notes),
            new_identity: new_identity.or_else(|| request.planned_identity.clone()),
            ..Default::default()
        }
    }

    pub(super) async fn import(
        self: Arc<Self>,
        request: proto::import_resource_state::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::import_resource_state::Response> {
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let identity = match (&request.identity, entry.identity()) {
            (Some(identity), Some(identity_schema)) => {
                decode_object(identity.identity_data.as_ref(), &identity_schema.ty()).map_err(failed)?
            }
            _ => None,
        };
        let unknown = self.unknown(&request.type_name);
        if let Some(deferred) = deferral(&unknown, request.client_capabilities.as_ref()) {
            return Ok((
                proto::import_resource_state::Response {
                    deferred: Some(deferred),
                    ..Default::default()
                },
                quiet(),
            ));
        }
        let limit = entry.part.default_timeout(Operation::Read);
        let cx = self.context(limit, &notes).map_err(failed)?;
        let target = match &identity {
            Some(identity) => Import::Identity(identity),
            None if request.id.trim().is_empty() => {
                let text = "The import ID is empty. Use the ID of the object, or a column and a value as column=value.";
                return Err(failed(Diagnostic::error("Empty import ID", text)));
            }
            None => Import::Id(request.id.trim()),
        };
        let state = entry.part.import(&cx, target).await.map_err(failed)?;
        let state = without_write_only(schema, state);
        lock(&cx.notes.private).insert(IMPORTING.to_owned(), Json::Bool(true));
        let imported = proto::import_resource_state::ImportedResource {
            type_name: entry.name().to_owned(),
            identity: entry.identity_of(&state),
            state: Some(encode_object(Some(state), schema)),
            private: private_bytes(&cx.notes),
        };
        Ok((
            proto::import_resource_state::Response {
                imported_resources: vec![imported],
                ..Default::default()
            },
            quiet(),
        ))
    }

    pub(super) async fn move_state(
        self: Arc<Self>,
        request: proto::move_resource_state::Request,
    ) -> Ended<proto::move_resource_state::Response> {
        let entry = self.resource(&request.target_type_name).map_err(failed)?;
        let schema = entry.schema();
        let state = raw_json(request.source_state.as_ref()).map_err(failed)?;
        let from = Moved {
            provider: &request.source_provider_address,
            type_name: &request.source_type_name,
            schema_version: request.source_schema_version,
            state: &state,
        };
        let state = match entry.part.move_state(&from) {
            Some(state) => without_write_only(schema, state.map_err(failed)?),
            None => {
                let text = format!(
                    "{} of {} cannot become {}. Remove the moved block, remove the object from the state with a \
                     removed block, and import it.",
                    request.source_type_name, request.source_provider_address, request.target_type_name
                );
                return Err(failed(Diagnostic::error("Unsupported move", text)));
            }
        };
        let response = proto::move_resource_state::Response {
            target_identity: entry.identity_of(&state),
            target_state: Some(encode_object(Some(state), schema)),
            ..Default::default()
        };
        Ok((response, quiet()))
    }

    pub(super) async fn generate_config(
        self: Arc<Self>,
        request: proto::generate_resource_config::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::generate_resource_config::Response> {
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let state = self.decode_object(request.state.as_ref(), schema).map_err(failed)?;
        let state = state.unwrap_or_default();
        let mut config = state.clone();
        keep_configurable(&schema.attributes, &mut config);
        let limit = time_limit(entry.part.as_ref(), Operation::Read, &state);
        let cx = self.context_if_configured(limit, &notes).map_err(failed)?;
        entry.part.tidy_config(cx.as_ref(), &state, &mut config).await;
        Ok((
            proto::generate_resource_config::Response {
                config: Some(encode_object(Some(config), schema)),
                diagnostics: Vec::new(),
            },
            quiet(),
        ))
    }
}

/// The state after a read or a write: texts that mean the same as before stay, write-only values go.
fn settle(schema: &Schema, mut new: Object, former: &Object) -> Object {
    plan::keep_equal_texts(schema, &mut new, former);
    plan::null_write_only(schema, &mut new);
    new
}

/// Core refuses a write-only value in any state.
fn without_write_only(schema: &Schema, mut state: Object) -> Object {
    plan::null_write_only(schema, &mut state);
    state
}

fn finish<D: Send + Sync + 'static>(
    entry: &Entry<dyn Resource<D>>,
    cx: &Context<D>,
    outcome: Outcome,
    planned: &Object,
) -> Ended<proto::apply_resource_change::Response> {
    let schema = entry.schema();
    let (state, diagnostics) = match outcome {
        Outcome::Done(state, mut notes) => {
            let mut state = settle(schema, state, planned);
            if !notes.has_errors() {
                keep_planned(&schema.attributes, planned, &mut state, &Trail::Root, &mut notes);
            }
            (state, notes)
        }
        Outcome::Partly(state, problem) => (settle(schema, state, planned).with_unknown_as_null(), problem),
    };
    assert_sound(
        entry,
        || terraform_rules::apply_problems(schema, planned, &state),
        &diagnostics,
    );
    let response = proto::apply_resource_change::Response {
        new_identity: entry.identity_of(&state),
        private: private_bytes(&cx.notes),
        new_state: Some(encode_object(Some(state), schema)),
        ..Default::default()
    };
    Ok((response, diagnostics))
}

/// A write that returns no object has an error. Without one, Terraform would only report that the object is missing.
fn with_error(type_name: &str, mut problems: Diagnostics) -> Diagnostics {
    if !problems.has_errors() {
        problems.push(bug(format!("{type_name} was not written, and no error was reported")));
    }
    problems
}

/// Says what an error of a create that left an object means to Terraform, which does not say so itself.
fn tainted(type_name: &str, mut problems: Diagnostics) -> Diagnostics {
    problems.add_to_last_error(&format!(
        "\n\nTerraform marks the object as tainted: the next apply destroys it and creates it again. To keep it, and \
         have the next plan show what is missing, first run:\n\n  terraform untaint {type_name}.<name>"
    ));
    problems
}

/// In debug builds, an answer that core would refuse is a bug that shows here first.
fn assert_sound<D: Send + Sync + 'static>(
    entry: &Entry<dyn Resource<D>>,
    problems: impl FnOnce() -> Vec<String>,
    diagnostics: &Diagnostics,
) {
    if cfg!(debug_assertions) && !diagnostics.has_errors() {
        let problems = problems();
        assert!(
            problems.is_empty(),
            "{}: Terraform would reject this response: {problems:?}",
            entry.name()
        );
    }
}

/// Leaves what a configuration can say.
fn keep_configurable(attributes: &[Attribute], config: &mut Object) {
    for attribute in attributes {
        let value = config.0.entry(attribute.name.to_owned()).or_default();
        let is_empty = value.as_str().is_some_and(str::is_empty);
        let is_secret = attribute.sensitive || attribute.write_only;
        if !attribute.is_configurable() || attribute.deprecated.is_some() || is_empty || is_secret {
            *value = Value::Null;
        }
        if let (AttributeKind::Nested(_, nested), Value::Object(object)) = (&attribute.kind, value) {
            keep_configurable(nested, object);
        }
    }
}

fn raw_json(raw: Option<&proto::RawState>) -> Result<Json, Diagnostic> {
    let Some(raw) = raw else {
        return Ok(Json::Null);
    };
    if raw.json.is_empty() && !raw.flatmap.is_empty() {
        return Err(Diagnostic::error(
            "State of Terraform 0.11",
            "The state was written by Terraform 0.11 or older, before this provider existed. Run terraform apply once with \
             Terraform 0.12 and the provider that wrote it, or import the object.",
        ));
    }
    serde_json::from_slice(&raw.json).map_err(|error| bug(format!("a stored state is not valid JSON: {error}")))
}

fn private(bytes: &[u8]) -> Map<String, Json> {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn private_bytes(notes: &Notes) -> Vec<u8> {
    private_json(&lock(&notes.private))
}

fn private_json(private: &Map<String, Json>) -> Vec<u8> {
    if private.is_empty() {
        Vec::new()
    } else {
        Json::Object(private.clone()).to_string().into_bytes()
    }
}

/// Time for what has no operation of its own.
pub(super) const DEFAULT_LIMIT: Duration = Duration::from_mins(5);
