//! Answers Terraform's calls with a [`Provider`].
//!
//! Every call runs in a task of its own: a panic ends that call with a diagnostic, not the provider. What a user should
//! read goes into diagnostics, never into a gRPC status.

mod actions;
mod call;
mod data_sources;
mod ephemeral;
mod functions;
mod lists;
mod plan;
mod provider_block;
mod resources;
mod schemas;
mod secrets;
mod service;
mod unexpected_changes;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

pub use secrets::Secrets;
use tokio_util::sync::CancellationToken;

use crate::plugin::Mask;
use crate::plugin::codec::msgpack;
use crate::plugin::diagnostics::{Diagnostic, Diagnostics};
use crate::plugin::proto::tfplugin6::{DynamicValue, ResourceIdentityData};
use crate::plugin::provider::{Action, BlockType, DataSource, EphemeralResource, Function, Provider, Resource};
use crate::plugin::schema::validate::{self, WriteOnly};
use crate::plugin::schema::{IdentitySchema, Schema};
use crate::plugin::ty::Type;
use crate::plugin::value::{Object, Value};
use crate::sync::lock;

/// The gRPC service of a provider.
pub struct Server<P: Provider> {
    shared: Arc<Shared<P>>,
}

impl<P: Provider> Server<P> {
    /// Serves a provider. Every diagnostic passes the mask.
    pub fn new(provider: P, Secrets { mask, learn }: Secrets) -> Self {
        let shared = Shared {
            resources: provider.resources().into_iter().map(Entry::new).collect(),
            data_sources: provider.data_sources().into_iter().map(Entry::new).collect(),
            ephemeral_resources: provider.ephemeral_resources().into_iter().map(Entry::new).collect(),
            actions: provider.actions().into_iter().map(Entry::new).collect(),
            functions: provider.functions(),
            provider_schema: OnceLock::new(),
            configuration: Mutex::new(Configuration::Absent),
            told: Mutex::default(),
            cancel: Mutex::new(CancellationToken::new()),
            request_id: AtomicU64::new(1),
            mask,
            learn,
            provider,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// A server whose texts pass unchanged.
    pub fn unmasked(provider: P) -> Self {
        let secrets = Secrets {
            mask: |text| Cow::Borrowed(text),
            learn: |_| {},
        };
        Self::new(provider, secrets)
    }
}

impl<P: Provider> Clone for Server<P> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<P: Provider> std::fmt::Debug for Server<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

struct Shared<P: Provider> {
    provider: P,
    provider_schema: OnceLock<Schema>,
    resources: Vec<Entry<dyn Resource<P::Data>>>,
    data_sources: Vec<Entry<dyn DataSource<P::Data>>>,
    ephemeral_resources: Vec<Entry<dyn EphemeralResource<P::Data>>>,
    actions: Vec<Entry<dyn Action<P::Data>>>,
    functions: Vec<Box<dyn Function>>,
    /// Configuring again, as in debug mode, replaces.
    configuration: Mutex<Configuration<P::Data>>,
    /// Summary and detail of every [`Diagnostic::told_once`] since the provider was configured.
    told: Mutex<HashSet<(String, String)>>,
    /// Replaced by a fresh one after each stop, so that later calls are not cancelled.
    cancel: Mutex<CancellationToken>,
    request_id: AtomicU64,
    mask: Mask,
    learn: fn(&str),
}

/// What is known of the provider's configuration.
enum Configuration<D> {
    /// Validation runs unconfigured.
    Absent,
    Ready(Arc<D>),
}

impl<D> Clone for Configuration<D> {
    fn clone(&self) -> Self {
        match self {
            Configuration::Absent => Configuration::Absent,
            Configuration::Ready(data) => Configuration::Ready(Arc::clone(data)),
        }
    }
}

/// A part of the provider with its schema, which is built when it is first asked for.
struct Entry<T: ?Sized> {
    part: Box<T>,
    schema: OnceLock<Schema>,
    list_schema: OnceLock<Option<Schema>>,
    identity: OnceLock<Option<IdentitySchema>>,
}

impl<T: ?Sized> Entry<T> {
    fn new(part: Box<T>) -> Self {
        Self {
            part,
            schema: OnceLock::new(),
            list_schema: OnceLock::new(),
            identity: OnceLock::new(),
        }
    }
}

impl<T: BlockType + ?Sized> Entry<T> {
    fn name(&self) -> &'static str {
        self.part.type_name()
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| self.part.schema())
    }

    /// Everything that is wrong with a configuration, as far as its values are known.
    fn validate(&self, config: &Object, write_only: WriteOnly) -> Diagnostics {
        let mut diagnostics = validate::configuration(self.schema(), config, write_only);
        diagnostics.append(self.part.validate(config));
        diagnostics
    }
}

impl<D: Send + Sync + 'static> Entry<dyn Resource<D>> {
    fn list_schema(&self) -> Option<&Schema> {
        self.list_schema.get_or_init(|| self.part.list_schema()).as_ref()
    }

    fn identity(&self) -> Option<&IdentitySchema> {
        self.identity.get_or_init(|| self.part.identity()).as_ref()
    }

    /// The identity that a state has; `None` while a part of it is missing.
    fn identity_of(&self, state: &Object) -> Option<ResourceIdentityData> {
        let schema = self.identity()?;
        let mut identity = Object::new();
        for attribute in &schema.attributes {
            identity.set(attribute.name, state.text(attribute.from)?);
        }
        Some(ResourceIdentityData {
            identity_data: Some(encode(&Value::Object(identity), &schema.ty())),
        })
    }
}

impl<P: Provider> Shared<P> {
    fn provider_schema(&self) -> &Schema {
        self.provider_schema.get_or_init(|| self.provider.schema())
    }

    fn resource(&self, name: &str) -> Result<&Entry<dyn Resource<P::Data>>, Diagnostic> {
        find(&self.resources, "resource", name)
    }

    fn data_source(&self, name: &str) -> Result<&Entry<dyn DataSource<P::Data>>, Diagnostic> {
        find(&self.data_sources, "data source", name)
    }

    fn ephemeral(&self, name: &str) -> Result<&Entry<dyn EphemeralResource<P::Data>>, Diagnostic> {
        find(&self.ephemeral_resources, "ephemeral resource", name)
    }

    fn action(&self, name: &str) -> Result<&Entry<dyn Action<P::Data>>, Diagnostic> {
        find(&self.actions, "action", name)
    }

    fn configuration(&self) -> Configuration<P::Data> {
        lock(&self.configuration).clone()
    }

    /// The provider's data, or why there is none.
    fn data(&self) -> Result<Arc<P::Data>, Diagnostic> {
        match self.configuration() {
            Configuration::Ready(data) => Ok(data),
            Configuration::Absent => Err(bug("a call came before the provider was configured")),
        }
    }

    /// The arguments of the provider block that a part of this name needs and that are not known yet.
    fn unknown(&self, type_name: &str) -> Vec<String> {
        match self.configuration() {
            Configuration::Ready(data) => self.provider.unknown(&data, type_name).to_vec(),
            Configuration::Absent => Vec::new(),
        }
    }

    /// A configuration: never null for what has a block.
    fn decode_config(&self, value: Option<&DynamicValue>, schema: &Schema) -> Result<Object, Diagnostic> {
        Ok(self.decode_object(value, schema)?.unwrap_or_default())
    }

    /// An object whose secrets are known from now on, or `None` for null.
    fn decode_object(&self, value: Option<&DynamicValue>, schema: &Schema) -> Result<Option<Object>, Diagnostic> {
        let object = decode_object(value, schema.ty())?;
        if let Some(object) = &object {
            secrets::learn(&schema.attributes, object, self.learn);
        }
        Ok(object)
    }

    fn next_request_id(&self) -> u64 {
        self.request_id.fetch_add(1, Ordering::Relaxed)
    }
}

fn find<'a, T: BlockType + ?Sized>(
    entries: &'a [Entry<T>],
    kind: &str,
    name: &str,
) -> Result<&'a Entry<T>, Diagnostic> {
    entries.iter().find(|entry| entry.name() == name).ok_or_else(|| {
        let text =
            format!("This version of the provider has no {kind} {name:?}. Check the name, or use a provider version that has it.");
        Diagnostic::error(format!("Unknown {kind} type"), text)
    })
}

/// A bug of the provider, as a diagnostic.
fn bug(what: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(
        "Bug in the provider",
        format!("{what}. This is a bug in the provider: please report it."),
    )
}

fn encode(value: &Value, ty: &Type) -> DynamicValue {
    DynamicValue {
        msgpack: msgpack::encode(value, ty),
        json: Vec::new(),
    }
}

fn encode_object(object: Option<Object>, schema: &Schema) -> DynamicValue {
    encode(&object.map_or(Value::Null, Value::Object), schema.ty())
}

fn decode(value: Option<&DynamicValue>, ty: &Type) -> Result<Value, Diagnostic> {
    let Some(value) = value else {
        return Ok(Value::Null);
    };
    let decoded = if value.msgpack.is_empty() && !value.json.is_empty() {
        let json =
            serde_json::from_slice(&value.json).map_err(|error| bug(format!("a value is not valid JSON: {error}")))?;
        super::codec::json::decode(&json, ty, super::codec::json::Unexpected::Refuse)
    } else {
        msgpack::decode(&value.msgpack, ty)
    };
    decoded.map_err(|error| Diagnostic::error("A value has the wrong type", error.problem.clone()).at(error.path))
}

/// An object, or `None` for null.
fn decode_object(value: Option<&DynamicValue>, ty: &Type) -> Result<Option<Object>, Diagnostic> {
    match decode(value, ty)? {
        Value::Object(object) => Ok(Some(object)),
        Value::Null => Ok(None),
        other => Err(bug(format!("expected an object, got {other:?}"))),
    }
}
