//! What a provider and its parts implement.
//!
//! `D` is the provider's data: whatever its configuration builds (clients, above all). The framework only hands it on.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::plugin::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::plugin::path::Path;
use crate::plugin::schema::{IdentitySchema, Schema};
use crate::plugin::ty::Type;
use crate::plugin::value::{Object, Value};
use crate::sync::lock;

/// A provider: its own configuration block, and the parts it offers.
pub trait Provider: Send + Sync + Sized + 'static {
    /// The clients that `configure` builds, for all calls.
    type Data: Send + Sync + 'static;

    fn schema(&self) -> Schema;

    /// Checks across the provider block's arguments.
    fn validate(&self, config: &Object) -> Diagnostics {
        let _ = config;
        Diagnostics::new()
    }

    /// Builds the data. Values may be unknown at plan time. No network: nothing signs in before it is needed.
    fn configure(&self, config: &Object, terraform_version: &str) -> Configured<Self::Data>;

    /// The arguments of the provider block that a part of this name needs and whose values are not known yet, as names to
    /// show. Such a part can be planned, but makes no requests.
    fn unknown<'d>(&self, data: &'d Self::Data, type_name: &str) -> &'d [String] {
        let _ = (data, type_name);
        &[]
    }

    fn resources(&self) -> Vec<Box<dyn Resource<Self::Data>>>;

    fn data_sources(&self) -> Vec<Box<dyn DataSource<Self::Data>>> {
        Vec::new()
    }

    fn ephemeral_resources(&self) -> Vec<Box<dyn EphemeralResource<Self::Data>>> {
        Vec::new()
    }

    fn actions(&self) -> Vec<Box<dyn Action<Self::Data>>> {
        Vec::new()
    }

    fn functions(&self) -> Vec<Box<dyn Function>> {
        Vec::new()
    }
}

/// The result of `configure`.
#[derive(Debug)]
pub enum Configured<D> {
    /// Ready for calls, with warnings if there are any. What [`Provider::unknown`] names is not.
    Ready(D, Diagnostics),
    /// The configuration is wrong.
    Failed(Diagnostics),
}

/// The context of one call.
#[derive(Debug)]
pub struct Context<D> {
    /// The provider's data.
    pub data: Arc<D>,
    /// When the operation's time is up.
    pub deadline: Instant,
    /// Set when the user stops Terraform: finish or give up at a safe point, and say what exists.
    pub cancel: CancellationToken,
    /// What a read is for.
    pub reading: Reading,
    pub(super) notes: Arc<Notes>,
}

/// What a read is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// Of an object in the state: what is not configured is not managed, whatever the other side fills in.
    Refresh,
    /// Of an object that is new to the state: the read takes over everything that is there.
    Import,
}

/// Warnings and state of a call, kept outside of its result so that a panic loses nothing.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) kept: Mutex<Option<Object>>,
    pub(super) private: Mutex<Map<String, Json>>,
    /// Shared with the reads of a list, each of which has notes of its own.
    pub(super) warnings: Arc<Mutex<Diagnostics>>,
}

impl Notes {
    /// The warnings so far, which are then the caller's to tell.
    pub(super) fn take_warnings(&self) -> Diagnostics {
        std::mem::take(&mut lock(&self.warnings))
    }
}

impl<D> Context<D> {
    /// Records what exists from now on: it is saved even if the call panics, or a delete fails half-way.
    pub fn keep(&self, state: &Object) {
        *lock(&self.notes.kept) = Some(state.clone());
    }

    /// Reverts [keep](Context::keep): the object does not exist after all, and an error leaves the earlier state.
    pub fn forget(&self) {
        *lock(&self.notes.kept) = None;
    }

    /// A value that an earlier call kept beside the state. It is neither shown nor encrypted: no secrets in it.
    pub fn private(&self, key: &str) -> Option<Json> {
        lock(&self.notes.private).get(key).cloned()
    }

    /// Keeps a value beside the state for later calls.
    pub fn set_private(&self, key: &str, value: Json) {
        lock(&self.notes.private).insert(key.to_owned(), value);
    }

    /// Warns the user, whatever the call returns and even if it ends in a panic. For what a result has no place for: a read
    /// or a delete that succeeds.
    pub fn warn(&self, warning: Diagnostic) {
        lock(&self.notes.warnings).push(Diagnostic {
            severity: Severity::Warning,
            ..warning
        });
    }
}

impl<D> Context<D> {
    /// The same call, reading as after an import.
    #[must_use]
    pub fn as_import(&self) -> Self {
        let notes = Notes {
            warnings: Arc::clone(&self.notes.warnings),
            ..Notes::default()
        };
        Self {
            reading: Reading::Import,
            ..self.with_notes(notes)
        }
    }

    /// The same call with time of its own, for one page or one object of a list that may be long.
    #[must_use]
    pub fn with_time(&self, limit: Duration) -> Self {
        Self {
            deadline: Instant::now() + limit,
            notes: Arc::clone(&self.notes),
            ..self.with_notes(Notes::default())
        }
    }

    /// A call outside of a server.
    #[cfg(test)]
    pub(crate) fn of(data: D, deadline: Instant) -> Self {
        Self {
            data: Arc::new(data),
            deadline,
            cancel: CancellationToken::new(),
            reading: Reading::Refresh,
            notes: Arc::default(),
        }
    }

    /// The same call, whose warnings are discarded.
    pub(super) fn unheard(&self) -> Self {
        let private = Mutex::new(lock(&self.notes.private).clone());
        self.with_notes(Notes {
            private,
            ..Notes::default()
        })
    }

    fn with_notes(&self, notes: Notes) -> Self {
        Self {
            data: Arc::clone(&self.data),
            deadline: self.deadline,
            cancel: self.cancel.clone(),
            reading: self.reading,
            notes: Arc::new(notes),
        }
    }
}

/// An operation with a time limit of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    Create,
    Read,
    Update,
    Delete,
}

impl Operation {
    /// Its name in the `timeouts` attribute.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Read => "read",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }
}

/// What a create or an update leaves behind, where there is something: one that made or changed nothing is an `Err`. An
/// error never loses state: what the call [kept](Context::keep) counts then, else what was there before.
#[derive(Debug)]
pub enum Outcome {
    /// All of it happened; with warnings, if there are any.
    Done(Object, Diagnostics),
    /// Something exists, but not all is as planned.
    Partly(Object, Diagnostics),
}

/// A plan that a resource adds its own rules to. Terraform plans twice and demands the same answer.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What the user wrote, write-only values included.
    pub config: &'a Object,
    /// What is there; `None` when the object is to be created.
    pub prior: Option<&'a Object>,
    /// What the state will be.
    pub state: &'a mut Object,
    /// Attributes whose change forces replacement.
    pub replace: &'a mut Vec<Path>,
    pub diagnostics: &'a mut Diagnostics,
}

/// How a user names the object to import.
#[derive(Debug)]
pub enum Import<'a> {
    /// By text.
    Id(&'a str),
    /// By identity: its attributes. From Terraform 1.12.
    Identity(&'a Object),
}

/// A state that another resource type or another provider wrote.
#[derive(Debug)]
pub struct Moved<'a> {
    /// The provider's full source address.
    pub provider: &'a str,
    pub type_name: &'a str,
    /// The version of its state's shape.
    pub schema_version: i64,
    pub state: &'a Json,
}

/// A right that an account needs, for the reference pages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Need {
    /// The right: a role, a permission. Markdown.
    pub right: String,
    /// What it is needed for. Markdown.
    pub purpose: String,
}

impl Need {
    /// A right, and what it is needed for.
    pub fn new(right: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self {
            right: right.into(),
            purpose: purpose.into(),
        }
    }
}

/// What every type of block has: a resource, a data source, an ephemeral resource, an action.
pub trait BlockType: Send + Sync + 'static {
    fn type_name(&self) -> &'static str;

    fn schema(&self) -> Schema;

    /// The rights that an account needs for it, for the reference pages.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// Checks that a schema cannot express.
    fn validate(&self, config: &Object) -> Diagnostics {
        let _ = config;
        Diagnostics::new()
    }
}

#[async_trait]
pub trait Resource<D: Send + Sync + 'static>: BlockType {
    /// What names one of its objects among all.
    fn identity(&self) -> Option<IdentitySchema> {
        None
    }

    /// Time limit of an operation if the configuration sets none.
    fn default_timeout(&self, operation: Operation) -> Duration {
        let _ = operation;
        Duration::from_mins(5)
    }

    /// Adds the resource's own plan rules; not called for a destroy. There is no context where the provider is not
    /// configured yet, and the plan must be possible without.
    async fn plan(&self, cx: Option<&Context<D>>, plan: &mut Plan<'_>) {
        let _ = (cx, plan);
    }

    /// Creates the object. `config` has the write-only values.
    async fn create(&self, cx: &Context<D>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics>;

    /// Reads the object; `None` only if its absence is proven.
    async fn read(&self, cx: &Context<D>, state: Object) -> Result<Option<Object>, Diagnostics>;

    /// Changes the object from `prior` to `planned`.
    async fn update(
        &self,
        cx: &Context<D>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics>;

    /// Whether every update sends the write-only secrets of the configuration, also where no version changes.
    fn update_sends_secrets(&self) -> bool {
        false
    }

    /// Deletes the object; one that no longer exists is no error.
    async fn delete(&self, cx: &Context<D>, state: &Object) -> Result<(), Diagnostics>;

    /// Finds the object to import: its state as far as a read needs it.
    async fn import(&self, cx: &Context<D>, target: Import<'_>) -> Result<Object, Diagnostics>;

    /// Turns a state of an older version, as JSON, into the current shape.
    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        let _ = state;
        Err(unknown_version(self.type_name(), version, self.schema().version).into())
    }

    /// Converts the state of another type for a `moved` block; `None` if that type is not supported.
    fn move_state(&self, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
        let _ = from;
        None
    }

    /// Makes the configuration that is written for a state fit to be used, beyond leaving out what is read-only, deprecated or
    /// secret. There is no context where the provider is not configured.
    async fn tidy_config(&self, cx: Option<&Context<D>>, state: &Object, config: &mut Object) {
        let _ = (cx, state, config);
    }

    /// The arguments of `list` blocks of this type; `None` when it cannot be listed.
    fn list_schema(&self) -> Option<Schema> {
        None
    }

    /// Finds objects for `terraform query`; ends early when the sink is closed.
    async fn list(&self, cx: &Context<D>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let _ = (cx, request, sink);
        Ok(())
    }
}

/// A state of a version that this provider never wrote; `current` is the one it writes.
pub fn unknown_version(type_name: &str, version: i64, current: i64) -> Diagnostic {
    let who = if version > current {
        "It was probably written by a newer version of the provider: use that version or a later one."
    } else {
        "No version of this provider wrote it: the state is probably another provider's. Remove the object from the \
         state with a removed block, and import it."
    };
    let detail = format!(
        "The state of this {type_name} has schema version {version}, which this version of the provider does not \
         support. {who}"
    );
    Diagnostic::error("Unknown state version", detail)
}

/// The arguments of a `list` block.
#[derive(Debug)]
pub struct ListRequest {
    /// Its `config` block.
    pub config: Object,
    /// Whether the full objects are wanted.
    pub include_resource: bool,
    /// At most this many; at least one.
    pub limit: usize,
}

/// One object that a list found.
#[derive(Debug)]
pub struct Listed {
    /// Its state: whole when `include_resource` is set, else as far as the identity needs it.
    pub state: Object,
    /// The name that a list shows.
    pub display_name: String,
    /// What could not be read of it.
    pub warnings: Diagnostics,
}

/// Receives the listed objects.
#[derive(Debug)]
pub struct ListSink {
    pub(super) sender: mpsc::Sender<Listed>,
    pub(super) left: usize,
}

impl ListSink {
    /// A sink outside of a server.
    #[cfg(test)]
    pub(crate) fn new(sender: mpsc::Sender<Listed>, left: usize) -> Self {
        Self { sender, left }
    }

    /// How many more are wanted.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Hands an object on; `false` when no more are wanted.
    pub async fn send(&mut self, listed: Listed) -> bool {
        if self.left == 0 || self.sender.send(listed).await.is_err() {
            self.left = 0;
            return false;
        }
        self.left -= 1;
        self.left > 0
    }
}

#[async_trait]
pub trait DataSource<D: Send + Sync + 'static>: BlockType {
    /// Reads the data for a wholly known configuration.
    async fn read(&self, cx: &Context<D>, config: Object) -> Result<(Object, Diagnostics), Diagnostics>;
}

/// A value that exists only while Terraform runs.
#[async_trait]
pub trait EphemeralResource<D: Send + Sync + 'static>: BlockType {
    /// Creates it.
    async fn open(&self, cx: &Context<D>, config: Object) -> Result<Opened, Diagnostics>;

    /// Makes it last longer; `private` is what `open` left.
    async fn renew(&self, cx: &Context<D>, private: &[u8]) -> Result<Option<SystemTime>, Diagnostics> {
        let _ = (cx, private);
        Ok(None)
    }

    /// Closes it; `private` is what `open` returned.
    async fn close(&self, cx: &Context<D>, private: &[u8]) -> Result<(), Diagnostics> {
        let _ = (cx, private);
        Ok(())
    }
}

/// An ephemeral resource that was opened.
#[derive(Debug)]
pub struct Opened {
    pub result: Object,
    /// When it wants to be renewed.
    pub renew_at: Option<SystemTime>,
    /// What renewing and closing need; kept in memory alone.
    pub private: Vec<u8>,
    /// Warnings.
    pub notes: Diagnostics,
}

/// Something that is done at a moment, and leaves no state.
#[async_trait]
pub trait Action<D: Send + Sync + 'static>: BlockType {
    /// Runs the action and reports progress to the user.
    async fn invoke(&self, cx: &Context<D>, config: &Object, progress: &Progress) -> Diagnostics;
}

/// Receives the progress messages of an action.
#[derive(Debug)]
pub struct Progress {
    pub(super) sender: mpsc::UnboundedSender<String>,
}

impl Progress {
    /// A line that the user sees at once.
    pub fn say(&self, message: impl Into<String>) {
        // If the client has disconnected, the action continues.
        let _ = self.sender.send(message.into());
    }
}

/// A pure function.
pub trait Function: Send + Sync + 'static {
    /// Its name, without the provider's.
    fn name(&self) -> &'static str;

    /// Its signature and documentation.
    fn signature(&self) -> Signature;

    /// Its value for known arguments that are not null.
    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError>;
}

#[derive(Debug)]
pub struct Signature {
    pub summary: &'static str,
    /// Markdown.
    pub description: &'static str,
    pub parameters: Vec<Parameter>,
    /// The type of its value.
    pub returns: Type,
}

#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub ty: Type,
    /// Markdown.
    pub description: &'static str,
}

/// Why a function has no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FunctionError {
    /// What is wrong and what to do.
    pub text: String,
    /// The position of the argument that is wrong.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// An error of one argument.
    pub fn at(argument: usize, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: Some(argument),
        }
    }
}
