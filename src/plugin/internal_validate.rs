//! What Terraform would refuse of a provider as a whole, found by a test of ours first.

use crate::plugin::provider::Provider;
use crate::plugin::schema::{Attribute, AttributeKind, Schema};
use crate::plugin::ty::Type;

/// Everything that is wrong with what a provider serves, each with its place; empty when it is sound.
pub fn problems<P: Provider>(provider: &P) -> Vec<String> {
    let mut found = Found::default();
    found.schema("provider", &provider.schema(), Has::NothingComputed);
    let mut names = Vec::new();
    for resource in provider.resources() {
        let name = resource.type_name();
        names.push(("resource", name));
        found.schema(name, &resource.schema(), Has::Everything);
        let list = resource.list_schema();
        match (resource.identity(), &list) {
            (None, Some(_)) => found.add(name, "a list needs an identity"),
            (None, None) => {}
            (Some(identity), _) => {
                if identity.attributes.is_empty() {
                    found.add(name, "the identity has no attributes");
                }
                for attribute in &identity.attributes {
                    let source = resource.schema();
                    let source = source.attribute(attribute.from);
                    if !source.is_some_and(|source| source.ty() == Type::String && !source.write_only) {
                        found.add(
                            name,
                            &format!("identity.{}: it is not taken from a text of the state", attribute.name),
                        );
                    }
                    if attribute.description.is_empty() || !is_name(attribute.name) {
                        found.add(
                            name,
                            &format!("identity.{}: no good name or description", attribute.name),
                        );
                    }
                }
            }
        }
        if let Some(list) = &list {
            found.schema(&format!("list {name}"), list, Has::NothingComputed);
        }
    }
    for part in provider.data_sources() {
        names.push(("data source", part.type_name()));
        found.schema(
            &format!("data {}", part.type_name()),
            &part.schema(),
            Has::NothingWriteOnly,
        );
    }
    for part in provider.ephemeral_resources() {
        names.push(("ephemeral resource", part.type_name()));
        found.schema(
            &format!("ephemeral {}", part.type_name()),
            &part.schema(),
            Has::NothingWriteOnly,
        );
    }
    for part in provider.actions() {
        names.push(("action", part.type_name()));
        found.schema(
            &format!("action {}", part.type_name()),
            &part.schema(),
            Has::NothingComputedButWriteOnly,
        );
    }
    for function in provider.functions() {
        names.push(("function", function.name()));
        let signature = function.signature();
        let mut parameters: Vec<&str> = signature.parameters.iter().map(|parameter| parameter.name).collect();
        if !parameters.iter().all(|name| is_name(name)) {
            found.add(function.name(), "a parameter has no good name");
        }
        parameters.sort_unstable();
        if parameters.windows(2).any(|pair| pair[0] == pair[1]) {
            found.add(function.name(), "two parameters have one name");
        }
        let texts = [signature.summary, signature.description];
        if texts
            .iter()
            .chain(signature.parameters.iter().map(|parameter| &parameter.description))
            .any(|text| text.is_empty())
        {
            found.add(function.name(), "something is not described");
        }
    }
    for (kind, name) in &names {
        if !is_name(name) {
            found.add(name, &format!("no name for a {kind}"));
        }
        if names.iter().filter(|other| *other == &(*kind, *name)).count() > 1 {
            found.add(name, &format!("two of these are {kind}s"));
        }
    }
    found.0.sort();
    found.0.dedup();
    found.0
}

/// What a schema may have.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Has {
    Everything,
    /// The configuration is all there is.
    NothingComputed,
    /// The same, and ephemeral values may come in.
    NothingComputedButWriteOnly,
    /// There is no later state that could leave a value out.
    NothingWriteOnly,
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn add(&mut self, place: &str, what: &str) {
        self.0.push(format!("{place}: {what}"));
    }

    fn schema(&mut self, place: &str, schema: &Schema, has: Has) {
        for problem in schema.problems() {
            self.add(place, &problem);
        }
        self.attributes(place, &schema.attributes, has);
    }

    fn attributes(&mut self, place: &str, attributes: &[Attribute], has: Has) {
        for attribute in attributes {
            let at = format!("{place}.{}", attribute.name);
            let no_computed = matches!(has, Has::NothingComputed | Has::NothingComputedButWriteOnly);
            if no_computed && attribute.is_computed() {
                self.add(&at, "nothing can be computed here");
            }
            let no_write_only = matches!(has, Has::NothingComputed | Has::NothingWriteOnly);
            if no_write_only && attribute.write_only {
                self.add(&at, "nothing can be write-only here");
            }
            if let AttributeKind::Nested(_, nested) = &attribute.kind {
                self.attributes(&at, nested, has);
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::plugin::provider::{Action, BlockType, Function, FunctionError, Parameter, Progress, Signature};
    use crate::plugin::{Configured, Context, Diagnostics, IdentitySchema, Import, Object, Outcome, Resource, Value};

    /// A provider with one fault of each kind.
    struct Unsound;

    impl Provider for Unsound {
        type Data = ();

        fn schema(&self) -> Schema {
            Schema::new("X.", vec![Attribute::text("secret").write_only().describe("x")])
        }

        fn configure(&self, _: &Object, _: &str) -> Configured<()> {
            Configured::Ready((), Diagnostics::new())
        }

        fn resources(&self) -> Vec<Box<dyn Resource<()>>> {
            vec![Box::new(Unsound), Box::new(Unsound)]
        }

        fn actions(&self) -> Vec<Box<dyn Action<()>>> {
            vec![Box::new(UnsoundAction)]
        }

        fn functions(&self) -> Vec<Box<dyn Function>> {
            vec![Box::new(Unsound)]
        }
    }

    impl BlockType for Unsound {
        fn type_name(&self) -> &'static str {
            "unsound_thing"
        }

        fn schema(&self) -> Schema {
            Schema::new("X.", vec![Attribute::flag("on").describe("x")])
        }
    }

    #[async_trait]
    impl Resource<()> for Unsound {
        fn identity(&self) -> Option<IdentitySchema> {
            Some(IdentitySchema::of("key", "on", "x"))
        }

        fn list_schema(&self) -> Option<Schema> {
            Some(Schema::new(
                "X.",
                vec![Attribute::text("query").default("all").describe("x")],
            ))
        }

        async fn create(&self, _: &Context<()>, _: Object, _: &Object) -> Result<Outcome, Diagnostics> {
            Err(Diagnostics::new())
        }

        async fn read(&self, _: &Context<()>, _: Object) -> Result<Option<Object>, Diagnostics> {
            Ok(None)
        }

        async fn update(&self, _: &Context<()>, _: &Object, _: Object, _: &Object) -> Result<Outcome, Diagnostics> {
            Err(Diagnostics::new())
        }

        async fn delete(&self, _: &Context<()>, _: &Object) -> Result<(), Diagnostics> {
            Ok(())
        }

        async fn import(&self, _: &Context<()>, _: Import<'_>) -> Result<Object, Diagnostics> {
            Ok(Object::new())
        }
    }

    struct UnsoundAction;

    impl BlockType for UnsoundAction {
        fn type_name(&self) -> &'static str {
            "Unsound"
        }

        fn schema(&self) -> Schema {
            Schema::new("X.", vec![Attribute::text("result").computed().describe("x")])
        }
    }

    #[async_trait]
    impl Action<()> for UnsoundAction {
        async fn invoke(&self, _: &Context<()>, _: &Object, _: &Progress) -> Diagnostics {
            Diagnostics::new()
        }
    }

    impl Function for Unsound {
        fn name(&self) -> &'static str {
            "twice"
        }

        fn signature(&self) -> Signature {
            let parameter = || Parameter {
                name: "x",
                ty: Type::String,
                description: "",
            };
            Signature {
                summary: "X",
                description: "X.",
                parameters: vec![parameter(), parameter()],
                returns: Type::String,
            }
        }

        fn call(&self, _: &[Value]) -> Result<Value, FunctionError> {
            Ok(Value::Null)
        }
    }

    #[test]
    fn each_fault_is_found() {
        assert_eq!(
            problems(&Unsound),
            [
                "Unsound: no name for a action",
                "action Unsound.result: nothing can be computed here",
                "list unsound_thing.query: nothing can be computed here",
                "provider.secret: nothing can be write-only here",
                "twice: something is not described",
                "twice: two parameters have one name",
                "unsound_thing: identity.key: it is not taken from a text of the state",
                "unsound_thing: two of these are resources",
            ]
        );
    }
}
