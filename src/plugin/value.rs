//! Terraform's values: null, unknown or known, of any type.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::plugin::number::Number;
use crate::plugin::ty::Type;

/// A value of some type; the type stands beside it (in the schema) unless it is [`Value::Dynamic`].
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// Nothing was given.
    #[default]
    Null,
    /// Known after apply.
    Unknown,
    Bool(bool),
    Number(Number),
    String(String),
    /// A list, set or tuple. The order of a set means nothing: compare with [`Value::same`].
    List(Vec<Value>),
    /// A map or an object.
    Object(Object),
    /// A value whose type is not in the schema.
    Dynamic(Box<(Type, Value)>),
}

impl Value {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether there is no value, or a text of nothing but blanks. A value that is not known yet is not blank.
    pub fn is_blank(&self) -> bool {
        self.is_null() || self.as_str().is_some_and(|text| text.trim().is_empty())
    }

    /// Whether the value itself is not known yet; its parts may still be unknown when it is.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown)
    }

    /// Whether the value and all its parts are known.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Value::Unknown => false,
            Value::List(elements) => elements.iter().all(Value::is_wholly_known),
            Value::Object(object) => object.values().all(Value::is_wholly_known),
            Value::Dynamic(pair) => pair.1.is_wholly_known(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }

    /// The same value with null in every place that is unknown.
    #[must_use]
    pub fn with_unknown_as_null(self) -> Self {
        match self {
            Value::Unknown => Value::Null,
            Value::List(elements) => Value::List(elements.into_iter().map(Value::with_unknown_as_null).collect()),
            Value::Object(object) => Value::Object(object.with_unknown_as_null()),
            Value::Dynamic(pair) => Value::Dynamic(Box::new((pair.0, pair.1.with_unknown_as_null()))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => self,
        }
    }

    /// Whether two values of this type are equal: sets regardless of their order.
    pub fn same(ty: &Type, a: &Value, b: &Value) -> bool {
        match (ty, a, b) {
            (Type::Set(element), Value::List(a), Value::List(b)) => {
                a.len() == b.len()
                    && match (known_texts(a), known_texts(b)) {
                        (Some(a), Some(b)) => a == b,
                        (Some(_), None) | (None, Some(_)) => false,
                        (None, None) => {
                            a.iter().all(|x| b.iter().any(|y| Value::same(element, x, y)))
                                && b.iter().all(|y| a.iter().any(|x| Value::same(element, x, y)))
                        }
                    }
            }
            (Type::List(element), Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(x, y)| Value::same(element, x, y))
            }
            (Type::Tuple(elements), Value::List(a), Value::List(b)) => {
                a.len() == b.len()
                    && elements
                        .iter()
                        .zip(a.iter().zip(b))
                        .all(|(ty, (x, y))| Value::same(ty, x, y))
            }
            (Type::Map(element), Value::Object(a), Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, x)| b.0.get(key).is_some_and(|y| Value::same(element, x, y)))
            }
            (Type::Object(attributes), Value::Object(a), Value::Object(b)) => attributes
                .iter()
                .all(|(name, ty)| Value::same(ty, a.at(name), b.at(name))),
            _ => a == b,
        }
    }

    /// Text, if known.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A Boolean, if known.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A whole number, if known.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_integer(),
            _ => None,
        }
    }

    /// The elements of a list, set or tuple, if known.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The parts of a map or object, if known.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

/// The elements of a set if each of them is a known text, for comparing large sets in linear time.
pub(super) fn known_texts(elements: &[Value]) -> Option<HashSet<&str>> {
    elements.iter().map(Value::as_str).collect()
}

/// Hides text: requests carry secrets in clear.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Unknown => f.write_str("unknown"),
            Value::Bool(flag) => flag.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::String(text) => write!(f, "string({} bytes)", text.len()),
            Value::List(elements) => f.debug_list().entries(elements).finish(),
            Value::Object(object) => object.fmt(f),
            Value::Dynamic(pair) => pair.1.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Value::Number(Number::Integer(integer))
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Self {
        Value::List(elements.into_iter().map(Into::into).collect())
    }
}

/// The attributes of a resource, a nested object or a map, by name.
#[derive(Clone, Default, PartialEq)]
pub struct Object(pub BTreeMap<String, Value>);

impl Object {
    /// An object without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attribute's value; null where there is none.
    pub fn at(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.0.get_mut(name) {
            Some(place) => *place = value,
            None => {
                self.0.insert(name.to_owned(), value);
            }
        }
    }

    /// The same object with this attribute set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// The text of an attribute, if known.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.at(name).as_str()
    }

    /// The Boolean of an attribute, if known.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.at(name).as_bool()
    }

    /// The whole number of an attribute, if known.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.at(name).as_integer()
    }

    /// The nested object of an attribute, if known.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.at(name).as_object()
    }

    /// The known texts in a list or set; `None` when it is null or unknown as a whole.
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.at(name).as_list()?.iter().filter_map(Value::as_str).collect())
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// The values, by name.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.values()
    }

    /// How many attributes or keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no attribute or key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same object with null in every place that is unknown.
    #[must_use]
    pub fn with_unknown_as_null(self) -> Self {
        Object(
            self.0
                .into_iter()
                .map(|(name, value)| (name, value.with_unknown_as_null()))
                .collect(),
        )
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(parts: I) -> Self {
        Object(
            parts
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}
