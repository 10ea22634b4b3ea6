//! The JSON form, as state files hold it.

use serde_json::Value as Json;

use crate::plugin::codec::{CodecError, MAX_DEPTH};
use crate::plugin::number::Number;
use crate::plugin::path::Trail;
use crate::plugin::ty::Type;
use crate::plugin::value::{Object, Value};

/// What to do with attributes that the type does not have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unexpected {
    /// A state of another version: leave them out.
    Ignore,
    /// They are an error.
    Refuse,
}

/// Reads a value of this type. Numbers and bools may be given as strings and the reverse, as Terraform's own decoder has it.
///
/// # Errors
/// [`CodecError`] when something has another type.
pub fn decode(json: &Json, ty: &Type, unexpected: Unexpected) -> Result<Value, CodecError> {
    Reader { unexpected }.value(json, ty, &Trail::Root, 0)
}

/// Writes a known value; unknown parts become null.
pub fn encode(value: &Value) -> Json {
    match value {
        Value::Null | Value::Unknown => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => number.to_string().parse().map_or(Json::Null, Json::Number),
        Value::String(text) => Json::String(text.clone()),
        Value::List(elements) => elements.iter().map(encode).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| (name.clone(), encode(value)))
            .collect(),
        Value::Dynamic(pair) => {
            serde_json::json!({ "type": pair.0.to_json(), "value": encode(&pair.1) })
        }
    }
}

struct Reader {
    unexpected: Unexpected,
}

impl Reader {
    fn value(&self, json: &Json, ty: &Type, path: &Trail<'_>, depth: usize) -> Result<Value, CodecError> {
        let wrong = |problem: &str| {
            Err(CodecError {
                path: path.path(),
                problem: problem.to_owned(),
            })
        };
        if depth > MAX_DEPTH {
            return wrong("the value is nested too deeply");
        }
        match (ty, json) {
            (_, Json::Null) => Ok(Value::Null),
            (Type::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
            (Type::Bool, Json::String(text)) if text == "true" || text == "1" => Ok(Value::Bool(true)),
            (Type::Bool, Json::String(text)) if text == "false" || text == "0" => Ok(Value::Bool(false)),
            (Type::Bool, _) => wrong("a bool is required"),
            (Type::String, Json::String(text)) => Ok(Value::String(text.clone())),
            (Type::String, Json::Bool(flag)) => Ok(Value::String(flag.to_string())),
            (Type::String, Json::Number(number)) => Ok(Value::String(number.to_string())),
            (Type::String, _) => wrong("a string is required"),
            (Type::Number, Json::Number(number)) => match Number::parse(&number.to_string()) {
                Some(number) => Ok(Value::Number(number)),
                None => wrong("a number is required"),
            },
            (Type::Number, Json::String(text)) => match Number::parse(text) {
                Some(number) => Ok(Value::Number(number)),
                None => wrong("a number is required"),
            },
            (Type::Number, _) => wrong("a number is required"),
            (Type::List(element) | Type::Set(element), Json::Array(elements)) => {
                let elements = elements
                    .iter()
                    .enumerate()
                    .map(|(index, json)| self.value(json, element, &path.index(index), depth + 1));
                Ok(Value::List(elements.collect::<Result<_, _>>()?))
            }
            (Type::List(_) | Type::Set(_), _) => wrong("a list is required"),
            (Type::Tuple(types), Json::Array(elements)) if types.len() == elements.len() => {
                let elements = types
                    .iter()
                    .zip(elements)
                    .enumerate()
                    .map(|(index, (ty, json))| self.value(json, ty, &path.index(index), depth + 1));
                Ok(Value::List(elements.collect::<Result<_, _>>()?))
            }
            (Type::Tuple(_), _) => wrong("a tuple is required"),
            (Type::Map(element), Json::Object(parts)) => {
                let mut object = Object::new();
                for (key, json) in parts {
                    let value = self.value(json, element, &path.key(key), depth + 1)?;
                    object.0.insert(key.clone(), value);
                }
                Ok(Value::Object(object))
            }
            (Type::Map(_), _) => wrong("a map is required"),
            (Type::Object(attributes), Json::Object(parts)) => {
                if self.unexpected == Unexpected::Refuse
                    && let Some(name) = parts
                        .keys()
                        .find(|name| !attributes.iter().any(|(known, _)| known == *name))
                {
                    return wrong(&format!("there is no attribute {name:?}"));
                }
                let mut object = Object::new();
                for (name, ty) in attributes {
                    let json = parts.get(name).unwrap_or(&Json::Null);
                    object
                        .0
                        .insert(name.clone(), self.value(json, ty, &path.attribute(name), depth + 1)?);
                }
                Ok(Value::Object(object))
            }
            (Type::Object(_), _) => wrong("an object is required"),
            (Type::Dynamic, Json::Object(parts)) => {
                let Some(ty) = parts.get("type").and_then(Type::from_json) else {
                    return wrong("a dynamic value has a type");
                };
                let value = self.value(parts.get("value").unwrap_or(&Json::Null), &ty, path, depth + 1)?;
                Ok(Value::Dynamic(Box::new((ty, value))))
            }
            (Type::Dynamic, _) => wrong("a dynamic value is an object of type and value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state is read back from what was written, whatever was in it.
    #[test]
    fn fuzz_json() {
        let ty = Type::object([
            ("a".to_owned(), Type::list(Type::map(Type::Dynamic))),
            (
                "b".to_owned(),
                Type::Tuple(vec![Type::Number, Type::String, Type::Bool]),
            ),
            ("c".to_owned(), Type::set(Type::Number)),
        ]);
        let examples = [
            r#"{"a":[{"k":{"type":"number","value":0.1}}],"b":[1e400,"x",true],"c":["12345678901234567890"]}"#,
            r#"{"a":null,"b":["1","\u00fc\ud834\udd1e","false"],"c":[-0,1E-9],"other":{}}"#,
            "[[[[[[[[[[",
        ];
        crate::fuzz::fuzz_text(
            &examples,
            &["{\"type\":\"dynamic\",\"value\":", "1e999999999", "null"],
            |text| {
                let Ok(json) = serde_json::from_str(text) else { return };
                for unexpected in [Unexpected::Ignore, Unexpected::Refuse] {
                    if let Ok(value) = decode(&json, &ty, unexpected) {
                        assert_eq!(decode(&encode(&value), &ty, unexpected).unwrap(), value);
                    }
                    let _ = decode(&json, &Type::Dynamic, unexpected);
                }
            },
        );
    }

    #[test]
    fn a_state_keeps_every_digit_and_forgives_strings() {
        let ty = Type::object([
            ("n".to_owned(), Type::Number),
            ("b".to_owned(), Type::Bool),
            ("s".to_owned(), Type::String),
        ]);
        let json: Json =
            serde_json::from_str(r#"{"n": 12345678901234567890123456789.5, "b": "true", "s": 7, "gone": 1}"#).unwrap();

        let value = decode(&json, &ty, Unexpected::Ignore).unwrap();

        assert_eq!(
            encode(&value).to_string(),
            r#"{"b":true,"n":12345678901234567890123456789.5,"s":"7"}"#
        );
        let refused = decode(&json, &ty, Unexpected::Refuse).unwrap_err();
        assert_eq!(refused.to_string(), r#"at the top: there is no attribute "gone""#);
    }
}
