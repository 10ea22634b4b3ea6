//! The calls of a provider that core makes for one object, and what becomes of its state.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use servicenow_provider::plugin::codec::msgpack;
use servicenow_provider::plugin::proto::tfplugin6 as proto;
use servicenow_provider::plugin::proto::tfplugin6::provider_server::Provider as Service;
use servicenow_provider::plugin::{Object, Value};
use tonic::Request;

use super::{Block, Core, Kept, Problem, propose};
use crate::provider_process::{Killed, Process};

/// What a change left behind.
pub(super) struct Changed {
    pub(super) address: String,
    pub(super) kept: Option<Kept>,
    pub(super) problems: Vec<Problem>,
    pub(super) is_interrupted: bool,
}

impl Core {
    /// `terraform import`: what an operator does whom an error tells to.
    pub(crate) async fn import(&mut self, block: &Block, id: &str) -> Result<(), Vec<Problem>> {
        let process = self.process().await;
        let address = block.address();
        let request = proto::import_resource_state::Request {
            type_name: block.type_name.to_owned(),
            id: id.to_owned(),
            ..Default::default()
        };
        let answer = process.call(|server| async move { server.import_resource_state(Request::new(request)).await });
        let response = answer.await.map_err(|Killed| vec![killed(&address)])?;
        let problems = self.heard(&address, &response.diagnostics);
        if !problems.is_empty() {
            return Err(problems);
        }
        let imported = response.imported_resources.first().expect("an imported object");
        let state = self.decode(block.type_name, imported.state.as_ref());
        let kept = Kept {
            type_name: block.type_name.to_owned(),
            state: state.expect("an imported state"),
            private: imported.private.clone(),
            is_tainted: false,
            dependencies: dependencies(block),
        };
        if let Some(kept) = self.read(&process, &address, &kept).await? {
            self.state.insert(address, kept);
        }
        Ok(())
    }

    /// The state as the instance has it.
    pub(super) async fn refreshed(&self, process: &Process) -> Result<BTreeMap<String, Kept>, Vec<Problem>> {
        let reads = self.state.iter().map(async |(address, kept)| {
            let read = self.read(process, address, kept).await;
            (address, read)
        });
        let mut refreshed = BTreeMap::new();
        let mut problems = Vec::new();
        for (address, read) in join_all(reads).await {
            match read {
                Ok(Some(kept)) => {
                    refreshed.insert(address.clone(), kept);
                }
                Ok(None) => {}
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            Ok(refreshed)
        } else {
            Err(problems)
        }
    }

    async fn read(&self, process: &Process, address: &str, kept: &Kept) -> Result<Option<Kept>, Vec<Problem>> {
        let request = proto::read_resource::Request {
            type_name: kept.type_name.clone(),
            current_state: Some(self.encode(&kept.type_name, Some(&kept.state))),
            private: kept.private.clone(),
            ..Default::default()
        };
        let answer = process.call(|server| async move { server.read_resource(Request::new(request)).await });
        let response = answer.await.map_err(|Killed| vec![killed(address)])?;
        let problems = self.heard(address, &response.diagnostics);
        if !problems.is_empty() {
            return Err(problems);
        }
        let state = self.decode(&kept.type_name, response.new_state.as_ref());
        Ok(state.map(|state| Kept {
            state,
            private: response.private,
            ..kept.clone()
        }))
    }

    /// The planned state, and whether it needs a new object.
    pub(super) async fn plan_call(
        &self,
        process: &Process,
        block: &Block,
        config: &Object,
        prior: Option<&Kept>,
    ) -> Result<(Object, bool), Vec<Problem>> {
        let schema = &self.schemas[block.type_name];
        let proposed = propose(&schema.attributes, prior.map(|prior| &prior.state), config);
        let request = proto::plan_resource_change::Request {
            type_name: block.type_name.to_owned(),
            prior_state: Some(self.encode(block.type_name, prior.map(|prior| &prior.state))),
            proposed_new_state: Some(self.encode(block.type_name, Some(&proposed))),
            config: Some(self.encode(block.type_name, Some(config))),
            prior_private: prior.map(|prior| prior.private.clone()).unwrap_or_default(),
            ..Default::default()
        };
        let answer = process.call(|server| async move { server.plan_resource_change(Request::new(request)).await });
        let response = answer.await.map_err(|Killed| vec![killed(&block.address())])?;
        let problems = self.heard(&block.address(), &response.diagnostics);
        if !problems.is_empty() {
            return Err(problems);
        }
        let planned = self
            .decode(block.type_name, response.planned_state.as_ref())
            .expect("a planned state");
        Ok((planned, !response.requires_replace.is_empty()))
    }

    /// Creates or updates.
    pub(super) async fn put(&self, process: &Process, block: &Block) -> Changed {
        let address = block.address();
        let prior = self.state.get(&address).cloned();
        let as_before = |problems| Changed {
            address: address.clone(),
            kept: prior.clone(),
            problems,
            is_interrupted: false,
        };
        let config = block.resolved(|target| self.state.get(target).map(|kept| &kept.state));
        let planned = match self.plan_call(process, block, &config, prior.as_ref()).await {
            Ok((planned, _)) => planned,
            Err(problems) => return as_before(problems),
        };
        let request = proto::apply_resource_change::Request {
            type_name: block.type_name.to_owned(),
            prior_state: Some(self.encode(block.type_name, prior.as_ref().map(|prior| &prior.state))),
            planned_state: Some(self.encode(block.type_name, Some(&planned))),
            config: Some(self.encode(block.type_name, Some(&config))),
            planned_private: prior.as_ref().map(|prior| prior.private.clone()).unwrap_or_default(),
            ..Default::default()
        };
        let answer = process.call(|server| async move { server.apply_resource_change(Request::new(request)).await });
        let Ok(response) = answer.await else {
            // Core then keeps the values from before, and forgets what the provider kept beside them.
            return Changed {
                kept: prior.clone().map(|prior| Kept {
                    private: Vec::new(),
                    ..prior
                }),
                is_interrupted: true,
                ..as_before(vec![killed(&address)])
            };
        };
        let problems = self.heard(&address, &response.diagnostics);
        let state = self.decode(block.type_name, response.new_state.as_ref());
        let kept = state.map(|state| Kept {
            type_name: block.type_name.to_owned(),
            state,
            private: response.private,
            is_tainted: prior.is_none() && !problems.is_empty(),
            dependencies: dependencies(block),
        });
        Changed {
            address,
            kept,
            problems,
            is_interrupted: false,
        }
    }

    pub(super) async fn remove(&self, process: &Process, address: &str) -> Changed {
        let prior = self.state.get(address).cloned();
        let gone = Changed {
            address: address.to_owned(),
            kept: None,
            problems: Vec::new(),
            is_interrupted: false,
        };
        let Some(prior) = prior else { return gone };
        let request = proto::apply_resource_change::Request {
            type_name: prior.type_name.clone(),
            prior_state: Some(self.encode(&prior.type_name, Some(&prior.state))),
            planned_state: Some(self.encode(&prior.type_name, None)),
            planned_private: prior.private.clone(),
            ..Default::default()
        };
        let answer = process.call(|server| async move { server.apply_resource_change(Request::new(request)).await });
        let Ok(response) = answer.await else {
            return Changed {
                kept: Some(prior),
                problems: vec![killed(address)],
                is_interrupted: true,
                ..gone
            };
        };
        let problems = self.heard(address, &response.diagnostics);
        if problems.is_empty() {
            return gone;
        }
        // What is left, as the provider says.
        let state = self.decode(&prior.type_name, response.new_state.as_ref());
        let kept = match state {
            Some(state) => Kept {
                state,
                private: response.private,
                ..prior
            },
            None => prior,
        };
        Changed {
            kept: Some(kept),
            problems,
            ..gone
        }
    }

    /// Remembers what a user would have read; answers the errors.
    fn heard(&self, address: &str, diagnostics: &[proto::Diagnostic]) -> Vec<Problem> {
        let mut said = self.said.lock().expect("no panic");
        let mut problems = Vec::new();
        for diagnostic in diagnostics {
            let text = format!("{}: {}", diagnostic.summary, diagnostic.detail);
            said.push(text.clone());
            if diagnostic.severity() == proto::diagnostic::Severity::Error {
                problems.push(Problem {
                    address: address.to_owned(),
                    text,
                });
            }
        }
        problems
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

fn killed(address: &str) -> Problem {
    Problem {
        address: address.to_owned(),
        text: KILLED.to_owned(),
    }
}

impl Problem {
    /// Whether nothing went wrong but that the provider was killed.
    pub(crate) fn is_a_kill(&self) -> bool {
        self.text == KILLED
    }
}

const KILLED: &str = "the provider was killed";

fn dependencies(block: &Block) -> BTreeSet<String> {
    block.references.iter().map(|it| it.target.clone()).collect()
}
