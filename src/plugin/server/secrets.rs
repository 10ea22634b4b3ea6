//! Secrets become known when they arrive, so that nothing that happens to them later can print them.

use crate::plugin::Mask;
use crate::plugin::schema::{Attribute, AttributeKind, Nesting};
use crate::plugin::value::{Object, Value};

/// How secrets are kept out of logs and messages.
#[derive(Clone, Copy, Debug)]
pub struct Secrets {
    /// Removes the known ones from a text.
    pub mask: Mask,
    /// Makes one known: each text of a sensitive or write-only attribute, before anything is done with it.
    pub learn: fn(&str),
}

/// Passes every text of a sensitive or write-only attribute to `learn`.
pub(super) fn learn(attributes: &[Attribute], object: &Object, learn: fn(&str)) {
    for attribute in attributes {
        let value = object.at(attribute.name);
        match &attribute.kind {
            _ if attribute.sensitive || attribute.write_only => texts(value, learn),
            AttributeKind::Plain(_) => {}
            AttributeKind::Nested(nesting, nested) => {
                objects(*nesting, value, |object| self::learn(nested, object, learn))
            }
        }
    }
}

fn objects(nesting: Nesting, value: &Value, found: impl Fn(&Object)) {
    let one = |value: &Value| {
        if let Value::Object(object) = value {
            found(object);
        }
    };
    match (nesting, value) {
        (Nesting::Map, Value::Object(by_key)) => by_key.values().for_each(one),
        (_, Value::List(elements)) => elements.iter().for_each(one),
        (_, other) => one(other),
    }
}

fn texts(value: &Value, found: fn(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::List(elements) => elements.iter().for_each(|element| texts(element, found)),
        Value::Object(object) => object.values().for_each(|value| texts(value, found)),
        Value::Dynamic(pair) => texts(&pair.1, found),
        Value::Null | Value::Unknown | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        static LEARNT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    #[test]
    fn every_text_of_a_secret_is_learnt_however_deep_and_no_other() {
        let secret = || Attribute::text("secret").sensitive();
        let attributes = [
            Attribute::text("name"),
            secret(),
            Attribute::text("secret_wo").write_only(),
            Attribute::single("one", vec![Attribute::text("name"), secret()]),
            Attribute::list_of("many", vec![secret()]),
            Attribute::texts("set").sensitive(),
        ];
        let of = |text: &str| Object::new().with("name", "no").with("secret", text);
        let object = of("1")
            .with("secret_wo", "2")
            .with("one", of("3"))
            .with("many", vec![Value::Object(of("4")), Value::Null])
            .with("set", vec!["5", "6"]);

        learn(&attributes, &object, |text| {
            LEARNT.with_borrow_mut(|all| all.push(text.to_owned()))
        });

        assert_eq!(LEARNT.take(), ["1", "2", "3", "4", "5", "6"]);
    }
}
