//! Type constraints: what a value may be, as Terraform writes it in JSON (`"string"`, `["set","string"]`).

use serde_json::{Value as Json, json};

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Type {
    Bool,
    /// `number`, of any size and precision
    Number,
    String,
    /// Any type; the value carries its own.
    Dynamic,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    /// `tuple([T, ...])`
    Tuple(Vec<Type>),
    /// `object({...})`, sorted by attribute name
    Object(Vec<(String, Type)>),
}

impl Type {
    pub fn list(element: Type) -> Self {
        Type::List(Box::new(element))
    }

    pub fn set(element: Type) -> Self {
        Type::Set(Box::new(element))
    }

    pub fn map(element: Type) -> Self {
        Type::Map(Box::new(element))
    }

    pub fn object(attributes: impl IntoIterator<Item = (String, Type)>) -> Self {
        let mut attributes: Vec<_> = attributes.into_iter().collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        Type::Object(attributes)
    }

    /// The JSON form that schemas carry.
    pub fn to_json(&self) -> Json {
        match self {
            Type::Bool => json!("bool"),
            Type::Number => json!("number"),
            Type::String => json!("string"),
            Type::Dynamic => json!("dynamic"),
            Type::List(element) => json!(["list", element.to_json()]),
            Type::Set(element) => json!(["set", element.to_json()]),
            Type::Map(element) => json!(["map", element.to_json()]),
            Type::Tuple(elements) => json!(["tuple", elements.iter().map(Type::to_json).collect::<Vec<_>>()]),
            Type::Object(attributes) => {
                let attributes: serde_json::Map<_, _> = attributes
                    .iter()
                    .map(|(name, ty)| (name.clone(), ty.to_json()))
                    .collect();
                json!(["object", attributes])
            }
        }
    }

    /// The JSON form as the bytes that the protocol carries.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// Reads the JSON form; `None` when it is no type.
    pub fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Some(Type::Bool),
                "number" => Some(Type::Number),
                "string" => Some(Type::String),
                "dynamic" => Some(Type::Dynamic),
                _ => None,
            },
            Json::Array(parts) => {
                let kind = parts.first()?.as_str()?;
                let argument = parts.get(1)?;
                match kind {
                    "list" => Some(Type::list(Type::from_json(argument)?)),
                    "set" => Some(Type::set(Type::from_json(argument)?)),
                    "map" => Some(Type::map(Type::from_json(argument)?)),
                    "tuple" => argument
                        .as_array()?
                        .iter()
                        .map(Type::from_json)
                        .collect::<Option<_>>()
                        .map(Type::Tuple),
                    "object" => argument
                        .as_object()?
                        .iter()
                        .map(|(name, ty)| Some((name.clone(), Type::from_json(ty)?)))
                        .collect::<Option<Vec<_>>>()
                        .map(Type::object),
                    _ => None,
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_survives_its_json_form() {
        let ty = Type::object([
            ("b".to_owned(), Type::set(Type::String)),
            ("a".to_owned(), Type::map(Type::Number)),
            ("c".to_owned(), Type::Tuple(vec![Type::Bool, Type::Dynamic])),
        ]);

        assert_eq!(Type::from_json(&ty.to_json()), Some(ty.clone()));
        assert_eq!(
            ty.to_json().to_string(),
            r#"["object",{"a":["map","number"],"b":["set","string"],"c":["tuple",["bool","dynamic"]]}]"#
        );
    }
}
