//! The plan of every resource: what is unknown when it is made may turn out to be anything, null included.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use servicenow_provider::clients::Clients;
use servicenow_provider::plugin::codec::msgpack;
use servicenow_provider::plugin::proto::tfplugin6 as wire;
use servicenow_provider::plugin::schema::validate::{self, WriteOnly};
use servicenow_provider::plugin::schema::{Attribute, AttributeKind, Nesting, Presence};
use servicenow_provider::plugin::server::Server;
use servicenow_provider::plugin::{Object, Resource, Schema, Type, Value, terraform_rules};
use servicenow_provider::provider::{Environment, Servicenow};
use servicenow_provider::resources;

use crate::support::core::{in_memory, texts};

type Client = wire::provider_client::ProviderClient<tonic::transport::Channel>;

/// One resource type, and what its arguments may be.
struct Planner {
    client: Client,
    resource: Box<dyn Resource<Clients>>,
    schema: Schema,
}

struct Planned {
    state: Object,
    replace: usize,
    problems: Vec<String>,
}

impl Planner {
    async fn plan(&mut self, prior: Option<&Object>, config: &Object) -> Planned {
        let dynamic = |object: Option<&Object>| wire::DynamicValue {
            msgpack: msgpack::encode(&object.cloned().map_or(Value::Null, Value::Object), self.schema.ty()),
            json: Vec::new(),
        };
        let request = wire::plan_resource_change::Request {
            type_name: self.resource.type_name().to_owned(),
            prior_state: Some(dynamic(prior)),
            proposed_new_state: Some(dynamic(Some(&proposed(&self.schema.attributes, prior, config)))),
            config: Some(dynamic(Some(config))),
            ..Default::default()
        };
        let answer = self.client.plan_resource_change(request).await.unwrap().into_inner();
        let state = answer
            .planned_state
            .map(|state| msgpack::decode(&state.msgpack, self.schema.ty()).unwrap());
        Planned {
            state: state.as_ref().and_then(Value::as_object).cloned().unwrap_or_default(),
            replace: answer.requires_replace.len(),
            problems: texts(&answer.diagnostics)
                .into_iter()
                .filter(|text| text.starts_with("Error"))
                .collect(),
        }
    }

    fn is_valid(&self, config: &Object) -> bool {
        !validate::configuration(&self.schema, config, WriteOnly::Allowed).has_errors()
            && !self.resource.validate(config).has_errors()
    }

    /// Values that this argument may have, whatever the others are.
    fn candidates(&self, attribute: &Attribute) -> Vec<Value> {
        let words = attribute.validators.iter().filter(|it| it.rule.starts_with("One of"));
        let words = words.flat_map(|it| it.rule.split('`').skip(1).step_by(2));
        let values: Vec<Value> = match attribute.ty() {
            Type::String => TEXTS.iter().copied().chain(words).map(Value::from).collect(),
            Type::Bool => vec![false.into(), true.into()],
            Type::Number => vec![1i64.into(), 300i64.into()],
            Type::Set(_) | Type::List(_) => vec![Vec::<String>::new().into(), vec!["a"].into(), vec!["a", "b"].into()],
            Type::Map(_) => {
                let of = |a: &str| Object::new().with("a", a);
                [of("a"), of("b"), of("a").with("b", "a")].map(Value::Object).into()
            }
            _ => Vec::new(),
        };
        // What needs another argument beside it is judged with the whole configuration.
        let alone = |value: &Value| Object::new().with(attribute.name, value.clone());
        let checks = attribute
            .validators
            .iter()
            .filter(|it| !it.rule.starts_with("Needs "))
            .collect::<Vec<_>>();
        values
            .into_iter()
            .filter(|value| checks.iter().all(|it| it.accepts(value, &alone(value))))
            .collect()
    }

    /// A configuration as it is known at first, and as it turns out; mostly as the former one where there is one.
    fn build(&self, attributes: &[Attribute], former: Option<&Object>, choices: &mut Choices) -> (Object, Object) {
        let (mut first, mut last) = (Object::new(), Object::new());
        for attribute in attributes.iter().filter(|attribute| attribute.is_configurable()) {
            let former = former.map(|former| former.at(attribute.name));
            let is_kept = former.is_some() && choices.next(5) > 0;
            let (known, value) = match &attribute.kind {
                AttributeKind::Plain(_) if is_kept => {
                    (former.cloned().unwrap_or_default(), former.cloned().unwrap_or_default())
                }
                AttributeKind::Nested(Nesting::Single, nested)
                    if choices.next(3) > 0 || (is_kept && former.is_some_and(|it| !it.is_null())) =>
                {
                    let (first, last) = self.build(nested, former.and_then(Value::as_object), choices);
                    (Value::Object(first), Value::Object(last))
                }
                AttributeKind::Nested(..) => (Value::Null, Value::Null),
                AttributeKind::Plain(_) => {
                    let candidates = self.candidates(attribute);
                    let is_given = attribute.presence == Presence::Required || choices.next(2) > 0;
                    let value = match candidates.len() {
                        0 => Value::Null,
                        _ if !is_given => Value::Null,
                        many => candidates[choices.next(many)].clone(),
                    };
                    (value.clone(), value)
                }
            };
            first.set(
                attribute.name,
                if choices.next(3) == 0 { Value::Unknown } else { known },
            );
            last.set(attribute.name, value);
        }
        (first, last)
    }

    /// A configuration that validates, as it is known at first and as it turns out.
    fn valid(&self, former: Option<&Object>, choices: &mut Choices) -> Option<(Object, Object)> {
        (0..20)
            .map(|_| self.build(&self.schema.attributes, former, choices))
            .find(|(first, last)| self.is_valid(first) && self.is_valid(last))
    }

    /// A configuration, and a state that its apply may have left.
    async fn state(&mut self, choices: &mut Choices) -> Option<(Object, Object)> {
        let (_, config) = self.valid(None, choices)?;
        let planned = self.plan(None, &config).await;
        let mut state = planned.state;
        self.fill(&self.schema.attributes, &mut state, choices);
        planned.problems.is_empty().then_some((config, state))
    }

    /// `None` where nothing can be compared, else what is wrong.
    async fn contradiction(&mut self, choices: &mut Choices) -> Option<Option<String>> {
        let prior = match choices.next(3) {
            0 => None,
            _ => Some(self.state(choices).await?),
        };
        let (first, last) = self.valid(prior.as_ref().map(|(config, _)| config), choices)?;
        let prior = prior.map(|(_, state)| state);
        let planned = self.plan(prior.as_ref(), &first).await;
        let again = self.plan(prior.as_ref(), &last).await;
        let story = |what: &dyn std::fmt::Debug| {
            format!(
                "{what:?}\nprior {prior:#?}\nfirst {first:#?} -> {:#?}\nthen {last:#?} -> {:#?}",
                planned.state, again.state
            )
        };
        let broken: Vec<_> = [&planned, &again].into_iter().flat_map(|plan| &plan.problems).collect();
        if broken
            .iter()
            .any(|text| text.contains("panicked") || text.contains("would reject"))
        {
            return Some(Some(story(&broken)));
        }
        if !broken.is_empty() {
            return None;
        }
        if planned.replace > 0 {
            // The new object is planned from nothing, which is a case of its own.
            return None;
        }
        if again.replace > 0 {
            return Some(Some(story(&"the object is replaced after all")));
        }
        let mut problems = terraform_rules::apply_problems(&self.schema, &planned.state, &again.state);
        problems.retain(|problem| problem.ends_with("not as planned"));
        Some((!problems.is_empty()).then(|| story(&problems)))
    }

    fn fill(&self, attributes: &[Attribute], state: &mut Object, choices: &mut Choices) {
        for attribute in attributes {
            match (&attribute.kind, state.0.get_mut(attribute.name)) {
                (AttributeKind::Nested(Nesting::Single, nested), Some(Value::Object(object))) => {
                    self.fill(nested, object, choices)
                }
                (_, Some(value)) if value.is_unknown() => {
                    let candidates = self.candidates(attribute);
                    *value = match candidates.len() {
                        0 => Value::Null,
                        _ if attribute.name != "id" && choices.next(3) == 0 => Value::Null,
                        many => candidates[choices.next(many)].clone(),
                    };
                }
                _ => {}
            }
        }
    }
}

/// As core proposes it: what is configured, else the prior value of what the provider may give.
fn proposed(attributes: &[Attribute], prior: Option<&Object>, config: &Object) -> Object {
    let mut object = Object::new();
    for attribute in attributes {
        let (configured, former) = (config.at(attribute.name), prior.map(|prior| prior.at(attribute.name)));
        let value = match (&attribute.kind, configured) {
            (AttributeKind::Nested(Nesting::Single, nested), Value::Object(config)) => {
                Value::Object(proposed(nested, former.and_then(Value::as_object), config))
            }
            (_, Value::Null) if attribute.is_computed() => former.cloned().unwrap_or_default(),
            (_, configured) => configured.clone(),
        };
        object.set(attribute.name, value);
    }
    object
}

/// Texts of which each validator accepts some, beside the words that it names itself.
const TEXTS: &[&str] = &[
    "a",
    "b",
    "00000000-0000-4000-8000-000000000001",
    "0123456789abcdef0123456789abcdef",
    "https://one.example/",
    "https://one.example/.well-known/openid-configuration",
    "192.0.2.1",
    "192.0.2.9",
    "30s",
];

/// Decisions that proptest makes and shrinks.
struct Choices {
    bytes: Vec<u8>,
    position: usize,
}

impl Choices {
    fn next(&mut self, many: usize) -> usize {
        let byte = self.bytes.get(self.position).copied().unwrap_or_default();
        self.position += 1;
        usize::from(byte) % many
    }
}

/// The first plan holds for what the configuration turns out to be: core refuses a second one that contradicts it.
#[test]
fn a_plan_holds_whatever_its_unknown_arguments_turn_out_to_be() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(async {
        let environment = Environment::empty();
        in_memory(Server::unmasked(Servicenow { environment })).await
    });
    for resource in resources::all() {
        let planner = RefCell::new(Planner {
            client: client.clone(),
            schema: resource.schema(),
            resource,
        });
        let config = Config {
            cases: 200,
            max_global_rejects: 20_000,
            failure_persistence: None,
            ..Config::default()
        };
        let bytes = proptest::collection::vec(any::<u8>(), 1000);
        let outcome = TestRunner::new(config).run(&bytes, |bytes| {
            let choices = &mut Choices { bytes, position: 0 };
            match runtime.block_on(planner.borrow_mut().contradiction(choices)) {
                Some(Some(problem)) => Err(TestCaseError::fail(problem)),
                Some(None) => Ok(()),
                None => Err(TestCaseError::reject("there are no two plans to compare")),
            }
        });
        let name = planner.borrow().resource.type_name();
        if let Err(error) = outcome {
            panic!("{name}: {error}");
        }
    }
}
