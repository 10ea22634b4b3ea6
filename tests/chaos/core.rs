//! What Terraform core does around a provider, small and in this process: hundreds of runs in the time that the real one
//! needs for a few. It plans and applies through the same service, and keeps a state as core does: what a failed apply
//! returns is saved, a failed create is tainted, and each phase is a provider process of its own.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use servicenow_provider::{
    clients::Clients,
    plugin::{
        Attribute, Object, Resource, Schema, Value,
        codec::msgpack,
        proto::tfplugin6::{self as proto, provider_server::Provider as Service},
        schema::Kind,
        server::Server,
    },
    provider::{Environment, Servicenow},
};
use tonic::Request;

/// A `resource` block.
pub(crate) struct Block {
    pub(crate) type_name: &'static str,
    pub(crate) name: String,
    pub(crate) config: Object,
}

impl Block {
    fn address(&self) -> String {
        format!("{}.{}", self.type_name, self.name)
    }
}

/// An object in the state.
#[derive(Clone, Debug)]
struct Kept {
    type_name: String,
    state: Object,
    private: Vec<u8>,
    is_tainted: bool,
}

/// Terraform with one provider and a state in memory.
pub(crate) struct Core {
    provider_config: Object,
    schemas: BTreeMap<String, Schema>,
    state: BTreeMap<String, Kept>,
    /// Every diagnostic that a user would have seen.
    pub(crate) said: Vec<String>,
}

/// What a plan wants to do with an object.
enum Step<'a> {
    Nothing,
    Put { block: &'a Block, replaces: bool },
    Remove(String),
}

impl Core {
    pub(crate) fn new(provider_config: Object) -> Self {
        let resources: Vec<Box<dyn Resource<Clients>>> = servicenow_provider::resources::all();
        let schemas = resources
            .iter()
            .map(|it| (it.type_name().to_owned(), it.schema()))
            .collect();
        Self {
            provider_config,
            schemas,
            state: BTreeMap::new(),
            said: Vec::new(),
        }
    }

    /// `terraform apply`: how many objects changed, or the errors.
    pub(crate) async fn apply(&mut self, blocks: &[Block]) -> Result<usize, Vec<String>> {
        let steps = self.plan(blocks).await?;
        let server = self.process().await;
        let mut errors = Vec::new();
        let mut changed = 0;
        // What goes away first: the old half of a replacement, and what is no longer declared.
        let mut removals = Vec::new();
        for step in &steps {
            match step {
                Step::Remove(address) => removals.push(address.clone()),
                Step::Put { block, replaces: true } => removals.push(block.address()),
                Step::Put { .. } | Step::Nothing => {}
            }
        }
        for address in removals {
            changed += 1;
            if let Err(problems) = self.remove(&server, &address).await {
                errors.extend(problems);
            }
        }
        // Independent objects are written at the same time, as core does.
        let mut written = Vec::new();
        for step in &steps {
            let Step::Put { block, .. } = step else { continue };
            let prior = self.state.get(&block.address()).cloned();
            if prior.as_ref().is_some_and(|prior| prior.is_tainted) {
                continue; // Its removal failed: nothing takes its place.
            }
            changed += 1;
            written.push(self.put(&server, block, prior));
        }
        let written = join_all(written).await;
        let mut kept = Vec::new();
        for (address, result, problems) in written {
            errors.extend(problems);
            kept.push((address, result));
        }
        for (address, result) in kept {
            match result {
                Some(object) => {
                    self.state.insert(address, object);
                }
                None => {
                    self.state.remove(&address);
                }
            }
        }
        self.said.extend(errors.iter().cloned());
        if errors.is_empty() { Ok(changed) } else { Err(errors) }
    }

    /// How many objects a plan would change.
    pub(crate) async fn changes(&mut self, blocks: &[Block]) -> Result<usize, Vec<String>> {
        let steps = self.plan(blocks).await?;
        Ok(steps.iter().filter(|step| !matches!(step, Step::Nothing)).count())
    }

    async fn plan<'a>(&mut self, blocks: &'a [Block]) -> Result<Vec<Step<'a>>, Vec<String>> {
        let server = self.process().await;
        self.refresh(&server).await?;
        let mut errors = Vec::new();
        let mut steps = Vec::new();
        for block in blocks {
            let prior = self.state.get(&block.address());
            match self.plan_one(&server, block, prior).await {
                Ok((planned, replaces)) => {
                    let is_tainted = prior.is_some_and(|prior| prior.is_tainted);
                    let is_equal = prior.is_some_and(|prior| self.is_equal(block.type_name, &prior.state, &planned));
                    steps.push(match (is_tainted || replaces, is_equal) {
                        (false, true) => Step::Nothing,
                        (replaces, _) => Step::Put {
                            block,
                            replaces: replaces && prior.is_some(),
                        },
                    });
                }
                Err(problems) => errors.extend(problems),
            }
        }
        let declared: Vec<String> = blocks.iter().map(Block::address).collect();
        steps.extend(
            self.state
                .keys()
                .filter(|it| !declared.contains(it))
                .cloned()
                .map(Step::Remove),
        );
        self.said.extend(errors.iter().cloned());
        if errors.is_empty() { Ok(steps) } else { Err(errors) }
    }

    async fn refresh(&mut self, server: &Server<Servicenow>) -> Result<(), Vec<String>> {
        let reads = self.state.iter().map(|(address, kept)| async {
            let request = proto::read_resource::Request {
                type_name: kept.type_name.clone(),
                current_state: Some(self.encode(&kept.type_name, Some(&kept.state))),
                private: kept.private.clone(),
                ..Default::default()
            };
            let response = server
                .read_resource(Request::new(request))
                .await
                .expect("an answer")
                .into_inner();
            let state = self.decode(&kept.type_name, response.new_state.as_ref());
            (address.clone(), state, response.private, errors(&response.diagnostics))
        });
        let reads = join_all(reads).await;
        let mut errors = Vec::new();
        for (address, state, private, problems) in reads {
            if !problems.is_empty() {
                errors.extend(problems);
                continue;
            }
            match state {
                Some(state) => {
                    let kept = self.state.get_mut(&address).expect("it was read");
                    (kept.state, kept.private) = (state, private);
                }
                None => {
                    self.state.remove(&address);
                }
            }
        }
        self.said.extend(errors.iter().cloned());
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The planned state, and whether it needs a new object.
    async fn plan_one(
        &self,
        server: &Server<Servicenow>,
        block: &Block,
        prior: Option<&Kept>,
    ) -> Result<(Object, bool), Vec<String>> {
        let schema = &self.schemas[block.type_name];
        let proposed = propose(&schema.attributes, prior.map(|prior| &prior.state), &block.config);
        let request = proto::plan_resource_change::Request {
            type_name: block.type_name.to_owned(),
            prior_state: Some(self.encode(block.type_name, prior.map(|prior| &prior.state))),
            proposed_new_state: Some(self.encode(block.type_name, Some(&proposed))),
            config: Some(self.encode(block.type_name, Some(&block.config))),
            prior_private: prior.map(|prior| prior.private.clone()).unwrap_or_default(),
            ..Default::default()
        };
        let response = server
            .plan_resource_change(Request::new(request))
            .await
            .expect("an answer")
            .into_inner();
        let problems = errors(&response.diagnostics);
        if !problems.is_empty() {
            return Err(problems);
        }
        let planned = self
            .decode(block.type_name, response.planned_state.as_ref())
            .expect("a planned state");
        Ok((planned, !response.requires_replace.is_empty()))
    }

    /// Creates or updates; answers what is to be kept, and the errors.
    async fn put(
        &self,
        server: &Server<Servicenow>,
        block: &Block,
        prior: Option<Kept>,
    ) -> (String, Option<Kept>, Vec<String>) {
        let planned = match self.plan_one(server, block, prior.as_ref()).await {
            Ok((planned, _)) => planned,
            Err(problems) => return (block.address(), prior, problems),
        };
        let request = proto::apply_resource_change::Request {
            type_name: block.type_name.to_owned(),
            prior_state: Some(self.encode(block.type_name, prior.as_ref().map(|prior| &prior.state))),
            planned_state: Some(self.encode(block.type_name, Some(&planned))),
            config: Some(self.encode(block.type_name, Some(&block.config))),
            planned_private: prior.as_ref().map(|prior| prior.private.clone()).unwrap_or_default(),
            ..Default::default()
        };
        let response = server
            .apply_resource_change(Request::new(request))
            .await
            .expect("an answer")
            .into_inner();
        let problems = errors(&response.diagnostics);
        let state = self.decode(block.type_name, response.new_state.as_ref());
        let kept = state.map(|state| Kept {
            type_name: block.type_name.to_owned(),
            state,
            private: response.private,
            is_tainted: prior.is_none() && !problems.is_empty(),
        });
        (block.address(), kept, problems)
    }

    async fn remove(&mut self, server: &Server<Servicenow>, address: &str) -> Result<(), Vec<String>> {
        let Some(kept) = self.state.get(address).cloned() else {
            return Ok(());
        };
        let request = proto::apply_resource_change::Request {
            type_name: kept.type_name.clone(),
            prior_state: Some(self.encode(&kept.type_name, Some(&kept.state))),
            planned_state: Some(self.encode(&kept.type_name, None)),
            planned_private: kept.private.clone(),
            ..Default::default()
        };
        let response = server
            .apply_resource_change(Request::new(request))
            .await
            .expect("an answer")
            .into_inner();
        let problems = errors(&response.diagnostics);
        if problems.is_empty() {
            self.state.remove(address);
            return Ok(());
        }
        // What is left, as the provider says.
        if let Some(state) = self.decode(&kept.type_name, response.new_state.as_ref()) {
            self.state.insert(
                address.to_owned(),
                Kept {
                    state,
                    private: response.private,
                    ..kept
                },
            );
        }
        Err(problems)
    }

    /// A fresh provider process: nothing in memory survives from one phase to the next.
    async fn process(&self) -> Server<Servicenow> {
        let server = Server::unmasked(Servicenow {
            environment: Environment::empty(),
        });
        let schema = servicenow_provider::plugin::Provider::schema(&Servicenow {
            environment: Environment::empty(),
        });
        let config = msgpack::encode(&Value::Object(self.provider_config.clone()), schema.ty());
        let request = proto::configure_provider::Request {
            terraform_version: "1.11.4".to_owned(),
            config: Some(proto::DynamicValue {
                msgpack: config,
                json: Vec::new(),
            }),
            client_capabilities: None,
        };
        let response = server
            .configure_provider(Request::new(request))
            .await
            .expect("an answer")
            .into_inner();
        assert_eq!(errors(&response.diagnostics), Vec::<String>::new());
        server
    }

    fn is_equal(&self, type_name: &str, a: &Object, b: &Object) -> bool {
        let schema = &self.schemas[type_name];
        schema
            .attributes
            .iter()
            .all(|it| it.write_only || Value::same(&it.ty(), a.at(it.name), b.at(it.name)))
    }

    fn encode(&self, type_name: &str, object: Option<&Object>) -> proto::DynamicValue {
        let value = object.cloned().map_or(Value::Null, Value::Object);
        proto::DynamicValue {
            msgpack: msgpack::encode(&value, self.schemas[type_name].ty()),
            json: Vec::new(),
        }
    }

    fn decode(&self, type_name: &str, value: Option<&proto::DynamicValue>) -> Option<Object> {
        let value =
            msgpack::decode(&value?.msgpack, self.schemas[type_name].ty()).expect("a value of the schema's type");
        value.as_object().cloned()
    }
}

/// Core's proposal: the configuration, else what was there of what is computed.
fn propose(attributes: &[Attribute], prior: Option<&Object>, config: &Object) -> Object {
    let mut proposed = Object::new();
    for attribute in attributes {
        let configured = config.at(attribute.name);
        let former = prior.map_or(&Value::Null, |prior| prior.at(attribute.name));
        let value = match (&attribute.kind, configured) {
            (Kind::Nested(_, nested), Value::Object(inner)) => {
                Value::Object(propose(nested, former.as_object(), inner))
            }
            (_, Value::Null) if attribute.is_computed() => former.clone(),
            (_, configured) => configured.clone(),
        };
        proposed.set(attribute.name, value);
    }
    proposed
}

fn errors(diagnostics: &[proto::Diagnostic]) -> Vec<String> {
    let is_error = |it: &&proto::Diagnostic| it.severity() == proto::diagnostic::Severity::Error;
    diagnostics
        .iter()
        .filter(is_error)
        .map(|it| format!("{}: {}", it.summary, it.detail))
        .collect()
}
