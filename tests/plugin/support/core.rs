//! Terraform's core as far as a provider can tell: it fetches the schema, proposes states and sends values.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use servicenow_provider::plugin::proto::tfplugin6 as wire;
use servicenow_provider::plugin::proto::tfplugin6::attribute_path::step::Selector;
use servicenow_provider::plugin::proto::tfplugin6::provider_client::ProviderClient;
use servicenow_provider::plugin::proto::tfplugin6::provider_server::{Provider, ProviderServer};
use tonic::Status;
use tonic::transport::{Channel, Endpoint, Server};

use super::msgpack::{from_msgpack, to_msgpack};

/// A client that is configured and knows the schema.
#[derive(Clone)]
pub(crate) struct Core {
    pub(crate) client: ProviderClient<Channel>,
    schemas: HashMap<String, Vec<wire::schema::Attribute>>,
}

/// What a plan or an apply answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The planned, new or current state.
    pub(crate) state: Json,
    pub(crate) private: Vec<u8>,
    /// Paths that need a new object, in dots.
    pub(crate) replace: Vec<String>,
    pub(crate) diagnostics: Vec<String>,
}

impl Answer {
    /// The answer, if it has no error.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(
            self.diagnostics.iter().all(|text| !text.starts_with("Error")),
            "{:?}",
            self.diagnostics
        );
        self
    }

    /// The answer, if an error in it says this.
    #[track_caller]
    pub(crate) fn fails_saying(self, part: &str) -> Self {
        let said = self
            .diagnostics
            .iter()
            .any(|text| text.starts_with("Error") && text.contains(part));
        assert!(said, "no error says {part:?}: {:?}", self.diagnostics);
        self
    }
}

/// Serves in this process, through memory, with the limits of the real transport.
pub(crate) async fn in_memory(service: impl Provider) -> ProviderClient<Channel> {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let service = ProviderServer::new(service)
        .max_decoding_message_size(LIMIT)
        .max_encoding_message_size(LIMIT);
    let incoming = tokio_stream::once(Ok::<_, std::io::Error>(theirs));
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    let mut ours = Some(hyper_util::rt::TokioIo::new(ours));
    let connector = tower::service_fn(move |_| {
        std::future::ready(
            ours.take()
                .ok_or(std::io::Error::from(std::io::ErrorKind::NotConnected)),
        )
    });
    let channel = Endpoint::from_static("http://localhost")
        .connect_with_connector(connector)
        .await
        .unwrap();
    ProviderClient::new(channel)
        .max_decoding_message_size(LIMIT)
        .max_encoding_message_size(LIMIT)
}

const LIMIT: usize = 256 << 20;

impl Core {
    /// Fetches the schema and configures the provider.
    pub(crate) async fn start(mut client: ProviderClient<Channel>, config: Json) -> Self {
        let schema = client
            .get_provider_schema(wire::get_provider_schema::Request {})
            .await
            .unwrap()
            .into_inner();
        assert_eq!(texts(&schema.diagnostics), Vec::<String>::new());
        let attributes = |schema: wire::Schema| schema.block.unwrap_or_default().attributes;
        let mut schemas: HashMap<_, _> = schema
            .resource_schemas
            .into_iter()
            .map(|(name, schema)| (name, attributes(schema)))
            .collect();
        schemas.insert(String::new(), attributes(schema.provider.unwrap()));
        let mut core = Self { client, schemas };
        let config = core.whole("", config);
        let request = wire::configure_provider::Request {
            terraform_version: "1.15.5".to_owned(),
            config: Some(dynamic(&config)),
            ..Default::default()
        };
        let configured = core.client.configure_provider(request).await.unwrap().into_inner();
        assert_eq!(texts(&configured.diagnostics), Vec::<String>::new());
        core
    }

    /// The object with null for every attribute that it does not have.
    pub(crate) fn whole(&self, type_name: &str, object: Json) -> Json {
        let Json::Object(mut object) = object else {
            return object;
        };
        for attribute in &self.schemas[type_name] {
            object.entry(attribute.name.as_str()).or_insert(Json::Null);
        }
        Json::Object(object)
    }

    /// The configured value where there is one, else the prior one where the provider may give it.
    fn proposed(&self, type_name: &str, prior: &Json, config: &Json) -> Json {
        let mut proposed = Map::new();
        for attribute in &self.schemas[type_name] {
            let name = attribute.name.as_str();
            let kept = if attribute.computed && config[name].is_null() {
                &prior[name]
            } else {
                &config[name]
            };
            proposed.insert(name.to_owned(), kept.clone());
        }
        Json::Object(proposed)
    }

    pub(crate) async fn validate(&mut self, type_name: &str, config: Json) -> Vec<String> {
        let request = wire::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: Some(dynamic(&self.whole(type_name, config))),
            client_capabilities: Some(capabilities()),
        };
        texts(
            &self
                .client
                .validate_resource_config(request)
                .await
                .unwrap()
                .into_inner()
                .diagnostics,
        )
    }

    /// Plans from `prior` (null for nothing) to `config` (null to destroy).
    pub(crate) async fn plan(&mut self, type_name: &str, prior: &Json, config: &Json) -> Answer {
        let config = self.whole(type_name, config.clone());
        let proposed = if config.is_null() {
            Json::Null
        } else {
            self.proposed(type_name, prior, &config)
        };
        let request = wire::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(dynamic(prior)),
            proposed_new_state: Some(dynamic(&proposed)),
            config: Some(dynamic(&config)),
            client_capabilities: Some(capabilities()),
            ..Default::default()
        };
        let answer = self.client.plan_resource_change(request).await.unwrap().into_inner();
        Answer {
            state: json(answer.planned_state),
            private: answer.planned_private,
            replace: answer.requires_replace.iter().map(path).collect(),
            diagnostics: texts(&answer.diagnostics),
        }
    }

    /// Applies what a plan answered.
    pub(crate) async fn apply(&mut self, type_name: &str, prior: &Json, planned: &Answer, config: &Json) -> Answer {
        self.try_apply(type_name, prior, planned, config).await.unwrap()
    }

    pub(crate) async fn try_apply(
        &mut self,
        type_name: &str,
        prior: &Json,
        planned: &Answer,
        config: &Json,
    ) -> Result<Answer, Status> {
        let request = wire::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(dynamic(prior)),
            planned_state: Some(dynamic(&planned.state)),
            config: Some(dynamic(&self.whole(type_name, config.clone()))),
            planned_private: planned.private.clone(),
            ..Default::default()
        };
        let answer = self.client.apply_resource_change(request).await?.into_inner();
        Ok(Answer {
            state: json(answer.new_state),
            private: answer.private,
            replace: Vec::new(),
            diagnostics: texts(&answer.diagnostics),
        })
    }

    /// Plans and applies a new object.
    pub(crate) async fn create(&mut self, type_name: &str, config: Json) -> Answer {
        let planned = self.plan(type_name, &Json::Null, &config).await.ok();
        self.apply(type_name, &Json::Null, &planned, &config).await
    }

    pub(crate) async fn read(&mut self, type_name: &str, state: &Json) -> Answer {
        let request = wire::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: Some(dynamic(state)),
            client_capabilities: Some(capabilities()),
            ..Default::default()
        };
        let answer = self.client.read_resource(request).await.unwrap().into_inner();
        Answer {
            state: json(answer.new_state),
            private: answer.private,
            replace: Vec::new(),
            diagnostics: texts(&answer.diagnostics),
        }
    }

    pub(crate) async fn stop(&mut self) {
        let stopped = self
            .client
            .stop_provider(wire::stop_provider::Request {})
            .await
            .unwrap()
            .into_inner();
        assert_eq!(stopped.error, "");
    }
}

/// What a recent Terraform can do.
pub(crate) fn capabilities() -> wire::ClientCapabilities {
    wire::ClientCapabilities {
        write_only_attributes_allowed: true,
        ..Default::default()
    }
}

pub(crate) fn dynamic(value: &Json) -> wire::DynamicValue {
    wire::DynamicValue {
        msgpack: to_msgpack(value),
        json: Vec::new(),
    }
}

#[track_caller]
fn json(value: Option<wire::DynamicValue>) -> Json {
    value.map_or(Json::Null, |value| from_msgpack(&value.msgpack))
}

/// Each diagnostic in a line: severity, path, summary, detail.
pub(crate) fn texts(diagnostics: &[wire::Diagnostic]) -> Vec<String> {
    let text = |diagnostic: &wire::Diagnostic| {
        let severity = match diagnostic.severity() {
            wire::diagnostic::Severity::Error => "Error",
            wire::diagnostic::Severity::Warning => "Warning",
            wire::diagnostic::Severity::Invalid => panic!("a diagnostic without severity: {diagnostic:?}"),
        };
        let place = diagnostic.attribute.as_ref().map(path).unwrap_or_default();
        format!("{severity} at {place:?}: {}: {}", diagnostic.summary, diagnostic.detail)
    };
    diagnostics.iter().map(text).collect()
}

fn path(path: &wire::AttributePath) -> String {
    let steps = path.steps.iter().map(
        |step| match step.selector.as_ref().expect("a step without a selector") {
            Selector::AttributeName(name) => name.clone(),
            Selector::ElementKeyString(key) => format!("[{key:?}]"),
            Selector::ElementKeyInt(index) => format!("[{index}]"),
        },
    );
    steps.collect::<Vec<_>>().join(".")
}
