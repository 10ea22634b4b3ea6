//! A provider of things that exist only while its process runs. The name of a thing says how it behaves.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use servicenow_provider::plugin::schema::validate;
use servicenow_provider::plugin::server::Secrets;
use servicenow_provider::plugin::{
    Action, Attribute, BlockType, Configured, Context, Diagnostic, Diagnostics, EphemeralResource, IdentitySchema,
    Import, ListRequest, ListSink, Object, Opened, Outcome, Progress, Provider, Resource, Schema, Type, Value,
};
use tokio::sync::Notify;

/// The only type.
pub(crate) const THING: &str = "example_thing";

/// A secret that the tests' mask knows.
pub(crate) const SECRET: &str = "hunter2";

/// What a write notes beside the state.
pub(crate) const NOTED: &str = "noted";

/// Lines of other crates are not logged, so the things speak as a module of the provider's.
const LOG: &str = "servicenow_provider::things";

/// Takes the secret out of a text.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    text.replace(SECRET, "***").into()
}

/// [`mask`], and nothing to learn.
pub(crate) fn secrets() -> Secrets {
    Secrets { mask, learn: |_| {} }
}

/// The provider.
#[derive(Clone, Default)]
pub(crate) struct Things {
    pub(crate) data: Arc<ThingData>,
}

/// What happened outside of Terraform.
#[derive(Debug, Default)]
pub(crate) struct ThingData {
    /// Write-only secrets that arrived, by name of the thing.
    pub(crate) secrets: Mutex<HashMap<String, String>>,
    /// Told when a slow create has begun.
    pub(crate) begun: Notify,
}

impl Provider for Things {
    type Data = ThingData;

    fn schema(&self) -> Schema {
        Schema::new("Things.", vec![Attribute::text("token").sensitive().describe("Any.")])
    }

    fn configure(&self, _config: &Object, _terraform_version: &str) -> Configured<ThingData> {
        // Each configuration gets its own data. What tests inspect is `self.data`, which the resource writes to.
        Configured::Ready(ThingData::default(), Diagnostics::new())
    }

    fn resources(&self) -> Vec<Box<dyn Resource<ThingData>>> {
        vec![Box::new(Thing(Arc::clone(&self.data)))]
    }

    fn ephemeral_resources(&self) -> Vec<Box<dyn EphemeralResource<ThingData>>> {
        vec![Box::new(Stale)]
    }

    fn actions(&self) -> Vec<Box<dyn Action<ThingData>>> {
        vec![Box::new(Act)]
    }
}

struct Thing(Arc<ThingData>);

impl BlockType for Thing {
    fn type_name(&self) -> &'static str {
        THING
    }

    fn schema(&self) -> Schema {
        let mut attributes = vec![
            Attribute::text("id").computed().stable().describe("Its key."),
            Attribute::text("name")
                .required()
                .replaces()
                .describe("Its name, and how it behaves."),
            Attribute::of("size", Type::Number).describe("A number of any precision."),
            Attribute::text("note")
                .default("none")
                .describe("A text with a default."),
            Attribute::text("payload").describe("Something big."),
            Attribute::of("anything", Type::Dynamic).describe("Of any type."),
            Attribute::texts("tags").describe("A set."),
            Attribute::text("old")
                .deprecated("Use `name`.")
                .describe("No longer used."),
            Attribute::list_of(
                "parts",
                vec![
                    Attribute::text("key").required().describe("A key."),
                    Attribute::text("value").describe("A value."),
                ],
            )
            .describe("Parts."),
        ];
        attributes.extend(Attribute::secret(
            ["secret", "secret_wo", "secret_wo_version"],
            "A secret.",
        ));
        Schema::new("A thing.", attributes)
    }
}

#[async_trait]
impl Resource<ThingData> for Thing {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::of("id", "id", "Its key."))
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(Schema::new(
            "Lists things.",
            vec![Attribute::text("query").describe("Any.")],
        ))
    }

    async fn list(&self, cx: &Context<ThingData>, _: &ListRequest, _: &mut ListSink) -> Result<(), Diagnostics> {
        cx.warn(Diagnostic::warning("Seen", "A list."));
        panic!("no list, and {SECRET} is told");
    }

    async fn create(&self, cx: &Context<ThingData>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        let name = planned.text("name").unwrap_or_default().to_owned();
        if let Some(secret) = config.text("secret_wo") {
            self.0.secrets.lock().unwrap().insert(name.clone(), secret.to_owned());
        }
        let made = planned.with("id", format!("id of {name}"));
        Ok(match name.as_str() {
            "panics" => panic!("no thing, and {SECRET} is told"),
            "panics late" => {
                cx.keep(&made);
                panic!("a thing, and {SECRET} is told");
            }
            "is slow" => {
                self.0.begun.notify_one();
                tracing::info!(target: LOG, "a slow create has begun");
                cx.cancel.cancelled().await;
                Outcome::Partly(made, Diagnostic::error("Stopped", "The thing is half done.").into())
            }
            "never ends" => {
                self.0.begun.notify_one();
                tracing::info!(target: LOG, "a create that never ends has begun, {SECRET} is told");
                std::future::pending().await
            }
            "blocks" => {
                tracing::info!(target: LOG, "a create that blocks its thread has begun");
                #[expect(clippy::disallowed_methods, reason = "this is the misbehaviour")]
                std::thread::sleep(Duration::from_secs(3600));
                Outcome::Done(made, Diagnostics::new())
            }
            "half" => Outcome::Partly(made, Diagnostic::error("Half", format!("Because of {SECRET}.")).into()),
            "fails late" => {
                // With what no state may have: a write-only value, and one that is not known.
                cx.keep(&made.with("secret_wo", SECRET).with("payload", Value::Unknown));
                cx.set_private(NOTED, true.into());
                return Err(Diagnostic::error("Refused", "Not all of it.").into());
            }
            "is shouted" => Outcome::Done(made.with("note", "NOTE"), Diagnostics::new()),
            "fails without a word" => return Err(Diagnostics::new()),
            "fails" => return Err(Diagnostic::error("Refused", "No.").at_attribute("name").into()),
            _ => Outcome::Done(made, Diagnostics::new()),
        })
    }

    async fn read(&self, cx: &Context<ThingData>, state: Object) -> Result<Option<Object>, Diagnostics> {
        if state.text("note").is_some_and(|note| note.contains("warns")) {
            cx.warn(Diagnostic::error("Seen", format!("It was read with {SECRET}.")));
        }
        match state.text("note") {
            Some("warns and panics") => panic!("in read"),
            Some("read panics") => panic!("in read"),
            Some("is gone") => Ok(None),
            _ => Ok(Some(state)),
        }
    }

    async fn update(
        &self,
        cx: &Context<ThingData>,
        _prior: &Object,
        planned: Object,
        _config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        cx.set_private(NOTED, true.into());
        match planned.text("note") {
            Some("update fails") => Err(Diagnostic::error("Refused", "No.").into()),
            Some("update panics") => panic!("in update"),
            _ => Ok(Outcome::Done(planned, Diagnostics::new())),
        }
    }

    async fn delete(&self, cx: &Context<ThingData>, state: &Object) -> Result<(), Diagnostics> {
        cx.set_private(NOTED, true.into());
        cx.warn(Diagnostic::warning("Seen", "It is gone."));
        match state.text("note") {
            Some("delete panics") => panic!("in delete"),
            Some("delete fails") => Err(Diagnostic::error("Refused", "No.").into()),
            _ => Ok(()),
        }
    }

    async fn import(&self, _cx: &Context<ThingData>, target: Import<'_>) -> Result<Object, Diagnostics> {
        match target {
            // With what no state may have: a write-only value.
            Import::Id(id) => Ok(Object::new().with("id", id).with("secret_wo", SECRET)),
            Import::Identity(_) => Err(Diagnostic::error("No identity", "Things have none.").into()),
        }
    }
}

/// An ephemeral value that cannot be renewed.
pub(crate) const STALE: &str = "example_stale";

struct Stale;

impl BlockType for Stale {
    fn type_name(&self) -> &'static str {
        STALE
    }

    fn schema(&self) -> Schema {
        Schema::new("Ends.", vec![Attribute::text("name").describe("Any.")])
    }
}

#[async_trait]
impl EphemeralResource<ThingData> for Stale {
    async fn open(&self, _: &Context<ThingData>, config: Object) -> Result<Opened, Diagnostics> {
        Ok(Opened {
            result: config,
            renew_at: None,
            private: Vec::new(),
            notes: Diagnostics::new(),
        })
    }

    async fn renew(
        &self,
        _: &Context<ThingData>,
        private: &[u8],
    ) -> Result<Option<std::time::SystemTime>, Diagnostics> {
        assert_ne!(private, b"panic", "told to");
        Err(Diagnostic::error("Not renewed", "It ends.").into())
    }
}

/// An action whose name says how it behaves.
pub(crate) const ACT: &str = "example_act";

struct Act;

impl BlockType for Act {
    fn type_name(&self) -> &'static str {
        ACT
    }

    fn schema(&self) -> Schema {
        let name = Attribute::text("name").check(validate::one_of(&["acts", "panics"]));
        Schema::new("Acts.", vec![name.describe("How.")])
    }
}

#[async_trait]
impl Action<ThingData> for Act {
    async fn invoke(&self, cx: &Context<ThingData>, config: &Object, progress: &Progress) -> Diagnostics {
        progress.say("acting");
        cx.warn(Diagnostic::warning("Seen", "An action."));
        match config.text("name") {
            Some("panics") => panic!("no action, and {SECRET} is told"),
            _ => Diagnostics::new(),
        }
    }
}
