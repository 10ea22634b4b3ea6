//! What Terraform core does around a provider, small and in this process: hundreds of runs in the time that the real one
//! needs for a few. It plans and applies through the same service, walks references, and keeps a state as core does:
//! what a failed apply returns is saved, a failed create is tainted, each phase is a provider process of its own, and of
//! a process that was killed nothing is known but what was there before.

mod call; // The single calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures_util::future::join_all;
use servicenow_provider::clients::Clients;
use servicenow_provider::plugin::schema::{AttributeKind, Presence};
use servicenow_provider::plugin::{Attribute, Object, Resource, Rule, Schema, Type, Value};
use servicenow_simulator::faults::Faults;
use servicenow_simulator::instance::Instance;

use super::provider_process::Process;

/// A `resource` block.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) type_name: &'static str,
    pub(crate) name: String,
    /// Where an attribute refers to another block, its value here is only what it will be.
    pub(crate) config: Object,
    pub(crate) references: Vec<Reference>,
}

/// `attribute = target.output`.
#[derive(Clone)]
pub(crate) struct Reference {
    pub(crate) attribute: &'static str,
    pub(crate) target: String,
    pub(crate) output: &'static str,
}

impl Block {
    pub(crate) fn address(&self) -> String {
        format!("{}.{}", self.type_name, self.name)
    }

    /// The configuration with what its references mean now; null where they mean nothing.
    fn resolved<'a>(&self, object_of: impl Fn(&str) -> Option<&'a Object>) -> Object {
        let mut config = self.config.clone();
        for reference in &self.references {
            let object = object_of(&reference.target);
            let value = object.map_or(Value::Unknown, |object| object.at(reference.output).clone());
            config.set(reference.attribute, value);
        }
        config
    }
}

/// An object in the state.
#[derive(Clone)]
struct Kept {
    type_name: String,
    state: Object,
    private: Vec<u8>,
    is_tainted: bool,
    /// The addresses that it refers to.
    dependencies: BTreeSet<String>,
}

/// What went wrong, and with which object.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) address: String,
    pub(crate) text: String,
}

/// Terraform with one provider and a state in memory.
pub(crate) struct Core {
    provider_config: Object,
    schemas: BTreeMap<String, Schema>,
    state: BTreeMap<String, Kept>,
    /// A request that these leave without an answer is the last one of its process.
    killers: Vec<Faults>,
    /// Every diagnostic that a user would have seen.
    said: Mutex<Vec<String>>,
    /// The addresses of which a change was under way when their process was killed.
    pub(crate) interrupted: BTreeSet<String>,
    /// What was replaced although its create had succeeded, with the attributes that changed.
    pub(crate) replaced: Vec<Replaced>,
}

/// An object that was replaced.
#[derive(Clone, Debug)]
pub(crate) struct Replaced {
    pub(crate) address: String,
    /// The attributes whose planned value is another.
    pub(crate) changed: Vec<String>,
}

/// What a plan wants to do with an object.
enum Step<'a> {
    Nothing,
    Put {
        block: &'a Block,
        replaces: bool,
        /// The attributes whose planned value is another.
        changed: Vec<String>,
    },
    Remove(String),
}

impl Core {
    pub(crate) fn new(provider_config: Object, killers: Vec<Faults>) -> Self {
        let resources: Vec<Box<dyn Resource<Clients>>> = servicenow_provider::resources::all();
        let schemas = resources
            .iter()
            .map(|it| (it.type_name().to_owned(), it.schema()))
            .collect();
        Self {
            provider_config,
            schemas,
            state: BTreeMap::new(),
            killers,
            said: Mutex::default(),
            interrupted: BTreeSet::new(),
            replaced: Vec::new(),
        }
    }

    /// `terraform apply`; `after_plan` happens before anything is written.
    pub(crate) async fn apply(&mut self, blocks: &[Block], after_plan: impl FnOnce()) -> Result<(), Vec<Problem>> {
        let steps = self.plan(blocks).await?;
        after_plan();
        let process = self.process().await;
        let mut problems = Vec::new();
        // What goes away first: the old half of a replacement, and what is no longer declared.
        let mut doomed = BTreeSet::new();
        let mut open = Vec::new();
        for step in steps {
            match step {
                Step::Remove(address) => {
                    doomed.insert(address);
                }
                Step::Put {
                    block,
                    replaces,
                    changed,
                } => {
                    if replaces {
                        let address = block.address();
                        if self.state.get(&address).is_some_and(|kept| !kept.is_tainted) {
                            self.replaced.push(Replaced {
                                address: address.clone(),
                                changed,
                            });
                        }
                        doomed.insert(address);
                    }
                    open.push(block);
                }
                Step::Nothing => {}
            }
        }
        let mut failed = self.remove_all(&process, doomed, &mut problems).await;
        // Independent objects are written at the same time, as core does; a reference waits for its target.
        while !open.is_empty() {
            let waiting: BTreeSet<String> = open.iter().map(|block| block.address()).collect();
            let (ready, rest): (Vec<_>, Vec<_>) = open
                .into_iter()
                .partition(|block| !block.references.iter().any(|it| waiting.contains(&it.target)));
            assert!(!ready.is_empty(), "references in a circle");
            open = rest;
            let mut written = Vec::new();
            for block in ready {
                let address = block.address();
                let is_stuck =
                    failed.contains(&address) || block.references.iter().any(|it| failed.contains(&it.target));
                if is_stuck {
                    failed.insert(address);
                } else {
                    written.push(self.put(&process, block));
                }
            }
            for put in join_all(written).await {
                if !put.problems.is_empty() {
                    failed.insert(put.address.clone());
                }
                if put.is_interrupted {
                    self.interrupted.insert(put.address.clone());
                }
                problems.extend(put.problems);
                match put.kept {
                    Some(kept) => self.state.insert(put.address, kept),
                    None => self.state.remove(&put.address),
                };
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// How many objects a plan would change.
    pub(crate) async fn changes(&mut self, blocks: &[Block]) -> Result<Vec<String>, Vec<Problem>> {
        // As with terraform plan, which saves nothing of its refresh: a list that lags must not reach the state.
        let state = self.state.clone();
        let steps = self.plan(blocks).await;
        self.state = state;
        let steps = steps?;
        let describe = |step: &Step<'_>| match step {
            Step::Nothing => None,
            Step::Remove(address) => Some(format!("{address} is removed")),
            Step::Put {
                changed,
                block,
                replaces,
            } => {
                let how = if *replaces { "replaced" } else { "changed" };
                Some(format!("{} is {how}: {changed:?}", block.address()))
            }
        };
        Ok(steps.iter().filter_map(describe).collect())
    }

    /// Whether the configuration asked for a replacement: it gives an attribute another value that the provider cannot
    /// change in place, or refers to something that was replaced.
    pub(crate) fn asks_for_replacement(&self, replaced: &Replaced, former: &[Block], blocks: &[Block]) -> bool {
        let of = |blocks: &[Block]| blocks.iter().find(|block| block.address() == replaced.address).cloned();
        let (Some(former), Some(block)) = (of(former), of(blocks)) else {
            return false;
        };
        let is_asked = |name: &String| {
            let attribute = self.schemas[block.type_name]
                .attributes
                .iter()
                .find(|it| it.name == *name);
            let refers = block.references.iter().any(|it| it.attribute == name);
            attribute.is_some_and(Attribute::is_replacing)
                && (refers || former.config.at(name) != block.config.at(name))
        };
        replaced.changed.iter().any(is_asked)
    }

    /// `terraform state rm` by somebody who has looked: the record is not there.
    pub(crate) fn forget_if_gone(&mut self, address: &str, instance: &Instance) {
        let id = self.state.get(address).and_then(|kept| kept.state.text("id"));
        let is_gone = id.is_some_and(|id| {
            ["sys_user", "sys_user_group"]
                .iter()
                .all(|table| instance.record(table, id).is_none())
        });
        if is_gone {
            self.state.remove(address);
        }
    }

    /// The objects in the state: their addresses, with what they are imported by.
    pub(crate) fn ids(&self) -> BTreeMap<String, String> {
        let id = |kept: &Kept| {
            let id = kept.state.text("id").unwrap_or_default();
            match kept
                .state
                .text("table")
                .filter(|_| kept.type_name == "servicenow_record")
            {
                Some(table) => format!("{table}/{id}"),
                None => id.to_owned(),
            }
        };
        self.state
            .iter()
            .map(|(address, kept)| (address.clone(), id(kept)))
            .collect()
    }

    /// A block that names less: no secret, no list of names and no empty text, and of the rest that may be left out what `keeps`
    /// says. Of the arguments of which one at least is needed all are kept.
    pub(crate) fn narrowed(&self, block: &Block, mut keeps: impl FnMut(&str) -> bool) -> Block {
        let mut narrowed = block.clone();
        let schema = &self.schemas[block.type_name];
        for attribute in &schema.attributes {
            let is_secret = attribute.sensitive || attribute.write_only || attribute.name.ends_with("_wo_version");
            let is_one_of = |rule: &Rule| matches!(rule, Rule::AtLeastOneOf(names) if names.contains(&attribute.name));
            let is_needed = attribute.presence == Presence::Required || schema.rules.iter().any(is_one_of);
            // A name that is granted and not listed is warned of, and empty text is what the state does not say after an import.
            let value = block.config.at(attribute.name);
            let is_special = value.as_list().is_some() || value.as_str() == Some("");
            if is_secret || is_special || (!is_needed && !keeps(attribute.name)) {
                narrowed.config.set(attribute.name, Value::Null);
            } else if let (Type::Map(_), Some(elements)) = (attribute.ty(), value.as_object()) {
                let kept = elements.iter().filter(|(name, _)| keeps(name));
                let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
                narrowed.config.set(attribute.name, Value::Object(Object(kept)));
            }
        }
        narrowed
    }

    /// Everything that was said so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("no panic").join("\n")
    }

    /// The places in the state that hold text with `marker` and should not.
    pub(crate) fn secrets_in_state(&self, blocks: &[Block], marker: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (address, kept) in &self.state {
            if String::from_utf8_lossy(&kept.private).contains(marker) {
                found.push(format!("{address}: private"));
            }
            let config = blocks.iter().find(|block| block.address() == *address);
            for (name, value) in kept.state.iter() {
                let attribute = self.schemas[&kept.type_name]
                    .attributes
                    .iter()
                    .find(|it| it.name == *name);
                // Whoever puts a secret into an ordinary argument wants it in the state.
                let is_wanted = attribute.is_some_and(|it| it.sensitive && !it.write_only)
                    && config.is_some_and(|block| block.config.at(name) == value);
                if holds(value, marker) && !is_wanted {
                    found.push(format!("{address}.{name}"));
                }
            }
        }
        found
    }

    async fn plan<'a>(&mut self, blocks: &'a [Block]) -> Result<Vec<Step<'a>>, Vec<Problem>> {
        let process = self.process().await;
        // A plan that fails leaves the state as it was.
        let refreshed = self.refreshed(&process).await?;
        let former = std::mem::replace(&mut self.state, refreshed);
        let mut problems = Vec::new();
        let mut steps = Vec::new();
        let mut planned_objects: BTreeMap<String, Object> = BTreeMap::new();
        for block in blocks {
            let prior = self.state.get(&block.address());
            let config = block.resolved(|target| planned_objects.get(target));
            match self.plan_one(&process, block, &config, prior).await {
                Ok((planned, replaces)) => {
                    let is_equal = prior.is_some_and(|prior| self.is_equal(block.type_name, &prior.state, &planned));
                    steps.push(match (replaces, is_equal) {
                        (false, true) => Step::Nothing,
                        (replaces, _) => {
                            let differs =
                                |name: &&String| prior.is_none_or(|prior| prior.state.at(name) != planned.at(name));
                            let changed = planned.iter().map(|(name, _)| name).filter(differs).cloned().collect();
                            Step::Put {
                                block,
                                replaces,
                                changed,
                            }
                        }
                    });
                    planned_objects.insert(block.address(), planned);
                }
                Err(found) => problems.extend(found),
            }
        }
        let declared: BTreeSet<String> = blocks.iter().map(Block::address).collect();
        let undeclared = self.state.keys().filter(|it| !declared.contains(*it));
        steps.extend(undeclared.cloned().map(Step::Remove));
        if problems.is_empty() {
            Ok(steps)
        } else {
            self.state = former;
            Err(problems)
        }
    }

    /// The planned state, and whether it needs a new object.
    async fn plan_one(
        &self,
        process: &Process,
        block: &Block,
        config: &Object,
        prior: Option<&Kept>,
    ) -> Result<(Object, bool), Vec<Problem>> {
        let prior_object = prior.filter(|prior| !prior.is_tainted);
        let (planned, replaces) = self.plan_call(process, block, config, prior_object).await?;
        if prior_object.is_none() || !replaces {
            return Ok((planned, prior.is_some_and(|prior| prior.is_tainted)));
        }
        // What takes its place is planned as something new.
        let (planned, _) = self.plan_call(process, block, config, None).await?;
        Ok((planned, true))
    }

    /// Removes what depends on something before that. Answers what is still there.
    async fn remove_all(
        &mut self,
        process: &Process,
        mut doomed: BTreeSet<String>,
        problems: &mut Vec<Problem>,
    ) -> BTreeSet<String> {
        let mut stuck = BTreeSet::new();
        while !doomed.is_empty() {
            let depends = |on: &String, others: &BTreeSet<String>| {
                let of = |other: &String| self.state.get(other).is_some_and(|kept| kept.dependencies.contains(on));
                others.iter().any(of)
            };
            let ready: Vec<String> = doomed.iter().filter(|it| !depends(it, &doomed)).cloned().collect();
            assert!(!ready.is_empty(), "dependencies in a circle");
            let (held, free): (Vec<_>, Vec<_>) = ready.into_iter().partition(|it| depends(it, &stuck));
            doomed.retain(|it| !held.contains(it) && !free.contains(it));
            stuck.extend(held);
            let removals = free.iter().map(|address| self.remove(process, address));
            for removed in join_all(removals).await {
                if !removed.problems.is_empty() {
                    stuck.insert(removed.address.clone());
                }
                if removed.is_interrupted {
                    self.interrupted.insert(removed.address.clone());
                }
                problems.extend(removed.problems);
                match removed.kept {
                    Some(kept) => self.state.insert(removed.address, kept),
                    None => self.state.remove(&removed.address),
                };
            }
        }
        stuck
    }

    /// A fresh provider process: nothing in memory survives from one phase to the next.
    async fn process(&self) -> Process {
        let killers = self.killers.clone();
        let death = async move {
            let deaths = killers.iter().map(|faults| Box::pin(faults.unanswered()));
            futures_util::future::select_all(deaths).await;
        };
        Process::start(&self.provider_config, death).await
    }

    fn is_equal(&self, type_name: &str, a: &Object, b: &Object) -> bool {
        let schema = &self.schemas[type_name];
        schema
            .attributes
            .iter()
            .all(|it| it.write_only || Value::same(&it.ty(), a.at(it.name), b.at(it.name)))
    }
}

/// Core's proposal: the configuration, else what was there of what is computed.
fn propose(attributes: &[Attribute], prior: Option<&Object>, config: &Object) -> Object {
    let mut proposed = Object::new();
    for attribute in attributes {
        let configured = config.at(attribute.name);
        let former = prior.map_or(&Value::Null, |prior| prior.at(attribute.name));
        let value = match (&attribute.kind, configured) {
            (AttributeKind::Nested(_, nested), Value::Object(inner)) => {
                Value::Object(propose(nested, former.as_object(), inner))
            }
            (_, Value::Null) if attribute.is_computed() => former.clone(),
            (_, configured) => configured.clone(),
        };
        proposed.set(attribute.name, value);
    }
    proposed
}

fn holds(value: &Value, marker: &str) -> bool {
    match value {
        Value::String(text) => text.contains(marker),
        Value::List(elements) => elements.iter().any(|it| holds(it, marker)),
        Value::Object(object) => object.values().any(|it| holds(it, marker)),
        Value::Dynamic(pair) => holds(&pair.1, marker),
        Value::Null | Value::Unknown | Value::Bool(_) | Value::Number(_) => false,
    }
}
