//! The msgpack form, as Terraform reads and writes it.
//!
//! Unknown is any extension; ours is type 0. Numbers are integers where they fit, doubles where those are exact, else
//! decimal text. A dynamic value is a pair of its type in JSON and the value.

use rmp::{Marker, encode};

use crate::plugin::codec::{CodecError, MAX_DEPTH};
use crate::plugin::number::Number;
use crate::plugin::path::Trail;
use crate::plugin::ty::Type;
use crate::plugin::value::{Object, Value};

/// Reads a value of this type. No bytes at all mean null.
///
/// # Errors
/// [`CodecError`] when the bytes are truncated, nest too deep or hold something of another type.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, CodecError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let mut reader = Reader { rest: bytes };
    let value = reader.value(ty, &Trail::Root, 0)?;
    match reader.rest {
        [] => Ok(value),
        rest => Err(error(&Trail::Root, format!("{} bytes follow the value", rest.len()))),
    }
}

/// Writes a value of this type. Objects get every attribute of the type, null where the value has none.
pub fn encode(value: &Value, ty: &Type) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    write(&mut bytes, value, ty);
    bytes
}

fn error(path: &Trail<'_>, problem: impl Into<String>) -> CodecError {
    CodecError {
        path: path.path(),
        problem: problem.into(),
    }
}

/// Terraform's numbers include infinity, but not NaN.
fn float(float: f64, path: &Trail<'_>) -> Result<Number, CodecError> {
    if float.is_nan() {
        Err(error(path, "a number is required"))
    } else {
        Ok(Number::Float(float))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, path: &Trail<'_>) -> Result<&'a [u8], CodecError> {
        match self.rest.split_at_checked(length) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(error(path, "the value is truncated")),
        }
    }

    fn number<const N: usize>(&mut self, path: &Trail<'_>) -> Result<[u8; N], CodecError> {
        self.take(N, path)?
            .try_into()
            .map_err(|_| error(path, "the value is truncated"))
    }

    fn length(&mut self, width: usize, path: &Trail<'_>) -> Result<usize, CodecError> {
        Ok(self
            .take(width, path)?
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn value(&mut self, ty: &Type, path: &Trail<'_>, depth: usize) -> Result<Value, CodecError> {
        if depth > MAX_DEPTH {
            return Err(error(path, "the value is nested too deeply"));
        }
        let marker = Marker::from_u8(self.take(1, path)?[0]);
        if let Some(length) = self.extension_length(marker, path)? {
            self.take(length + 1, path)?;
            return Ok(Value::Unknown);
        }
        if marker == Marker::Null {
            return Ok(Value::Null);
        }
        match ty {
            Type::Bool => match marker {
                Marker::True => Ok(Value::Bool(true)),
                Marker::False => Ok(Value::Bool(false)),
                _ => Err(error(path, "a bool is required")),
            },
            Type::String => Ok(Value::String(self.text(marker, path)?.to_owned())),
            Type::Number => self.numeric(marker, path).map(Value::Number),
            Type::Dynamic => self.dynamic(marker, path, depth),
            Type::List(element) | Type::Set(element) => {
                let length = self.array_length(marker, path)?;
                let mut elements = Vec::new();
                for index in 0..length {
                    elements.push(self.value(element, &path.index(index), depth + 1)?);
                }
                Ok(Value::List(elements))
            }
            Type::Tuple(types) => {
                let length = self.array_length(marker, path)?;
                if length != types.len() {
                    return Err(error(path, format!("a tuple of {} is required", types.len())));
                }
                let mut elements = Vec::new();
                for (index, ty) in types.iter().enumerate() {
                    elements.push(self.value(ty, &path.index(index), depth + 1)?);
                }
                Ok(Value::List(elements))
            }
            Type::Map(element) => {
                let mut object = Object::new();
                for _ in 0..self.map_length(marker, path)? {
                    let key = self.key(path)?.to_owned();
                    let value = self.value(element, &path.key(&key), depth + 1)?;
                    object.0.insert(key, value);
                }
                Ok(Value::Object(object))
            }
            Type::Object(attributes) => {
                let mut object: Object = attributes
                    .iter()
                    .map(|(name, _)| (name.as_str(), Value::Null))
                    .collect();
                for _ in 0..self.map_length(marker, path)? {
                    let name = self.key(path)?;
                    let Some((_, ty)) = attributes.iter().find(|(known, _)| known == name) else {
                        return Err(error(path, format!("there is no attribute {name:?}")));
                    };
                    let value = self.value(ty, &path.attribute(name), depth + 1)?;
                    object.set(name, value);
                }
                Ok(Value::Object(object))
            }
        }
    }

    /// The length of an extension's body; `None` when the marker starts no extension.
    fn extension_length(&mut self, marker: Marker, path: &Trail<'_>) -> Result<Option<usize>, CodecError> {
        Ok(Some(match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.length(1, path)?,
            Marker::Ext16 => self.length(2, path)?,
            Marker::Ext32 => self.length(4, path)?,
            _ => return Ok(None),
        }))
    }

    fn text(&mut self, marker: Marker, path: &Trail<'_>) -> Result<&'a str, CodecError> {
        let length = match marker {
            Marker::FixStr(length) => usize::from(length),
            Marker::Str8 => self.length(1, path)?,
            Marker::Str16 => self.length(2, path)?,
            Marker::Str32 => self.length(4, path)?,
            _ => return Err(error(path, "a string is required")),
        };
        std::str::from_utf8(self.take(length, path)?).map_err(|_| error(path, "the text is not UTF-8"))
    }

    fn key(&mut self, path: &Trail<'_>) -> Result<&'a str, CodecError> {
        let marker = Marker::from_u8(self.take(1, path)?[0]);
        self.text(marker, path)
    }

    fn array_length(&mut self, marker: Marker, path: &Trail<'_>) -> Result<usize, CodecError> {
        match marker {
            Marker::FixArray(length) => Ok(usize::from(length)),
            Marker::Array16 => self.length(2, path),
            Marker::Array32 => self.length(4, path),
            _ => Err(error(path, "a list is required")),
        }
    }

    fn map_length(&mut self, marker: Marker, path: &Trail<'_>) -> Result<usize, CodecError> {
        match marker {
            Marker::FixMap(length) => Ok(usize::from(length)),
            Marker::Map16 => self.length(2, path),
            Marker::Map32 => self.length(4, path),
            _ => Err(error(path, "an object or map is required")),
        }
    }

    fn numeric(&mut self, marker: Marker, path: &Trail<'_>) -> Result<Number, CodecError> {
        Ok(match marker {
            Marker::FixPos(number) => Number::Integer(number.into()),
            Marker::FixNeg(number) => Number::Integer(number.into()),
            Marker::U8 => Number::Integer(u8::from_be_bytes(self.number(path)?).into()),
            Marker::U16 => Number::Integer(u16::from_be_bytes(self.number(path)?).into()),
            Marker::U32 => Number::Integer(u32::from_be_bytes(self.number(path)?).into()),
            Marker::U64 => {
                let number = u64::from_be_bytes(self.number(path)?);
                i64::try_from(number).map_or_else(|_| Number::Decimal(number.to_string()), Number::Integer)
            }
            Marker::I8 => Number::Integer(i8::from_be_bytes(self.number(path)?).into()),
            Marker::I16 => Number::Integer(i16::from_be_bytes(self.number(path)?).into()),
            Marker::I32 => Number::Integer(i32::from_be_bytes(self.number(path)?).into()),
            Marker::I64 => Number::Integer(i64::from_be_bytes(self.number(path)?)),
            Marker::F32 => float(f32::from_be_bytes(self.number(path)?).into(), path)?,
            Marker::F64 => float(f64::from_be_bytes(self.number(path)?), path)?,
            _ => {
                let text = self
                    .text(marker, path)
                    .map_err(|_| error(path, "a number is required"))?;
                Number::parse(text).ok_or_else(|| error(path, "a number is required"))?
            }
        })
    }

    fn dynamic(&mut self, marker: Marker, path: &Trail<'_>, depth: usize) -> Result<Value, CodecError> {
        if self.array_length(marker, path)? != 2 {
            return Err(error(path, "a dynamic value is a pair"));
        }
        let marker = Marker::from_u8(self.take(1, path)?[0]);
        let length = match marker {
            Marker::Bin8 => self.length(1, path)?,
            Marker::Bin16 => self.length(2, path)?,
            Marker::Bin32 => self.length(4, path)?,
            _ => return Err(error(path, "a dynamic value starts with its type")),
        };
        let ty = serde_json::from_slice(self.take(length, path)?)
            .ok()
            .and_then(|json| Type::from_json(&json))
            .ok_or_else(|| error(path, "the type of a dynamic value is none"))?;
        let value = self.value(&ty, path, depth + 1)?;
        Ok(Value::Dynamic(Box::new((ty, value))))
    }
}

fn write(bytes: &mut Vec<u8>, value: &Value, ty: &Type) {
    match (value, ty) {
        (Value::Null, _) => bytes.push(0xc0),
        (Value::Unknown, _) => bytes.extend([0xd4, 0, 0]),
        (Value::Dynamic(pair), _) => {
            let ty = pair.0.to_bytes();
            infallible(encode::write_array_len(bytes, 2));
            infallible(encode::write_bin(bytes, &ty));
            write(bytes, &pair.1, &pair.0);
        }
        (Value::Bool(flag), _) => bytes.push(if *flag { 0xc3 } else { 0xc2 }),
        (Value::String(text), _) => infallible(encode::write_str(bytes, text)),
        (Value::Number(Number::Integer(integer)), _) => infallible(encode::write_sint(bytes, *integer)),
        (Value::Number(Number::Float(float)), _) => infallible(encode::write_f64(bytes, *float)),
        (Value::Number(Number::Decimal(text)), _) => infallible(encode::write_str(bytes, text)),
        (Value::List(elements), ty) => {
            infallible(encode::write_array_len(bytes, elements.len() as u32));
            for (index, element) in elements.iter().enumerate() {
                let element_type = match ty {
                    Type::List(element) | Type::Set(element) => element,
                    Type::Tuple(types) => types.get(index).unwrap_or(&Type::Dynamic),
                    _ => &Type::Dynamic,
                };
                write(bytes, element, element_type);
            }
        }
        (Value::Object(object), Type::Object(attributes)) => {
            infallible(encode::write_map_len(bytes, attributes.len() as u32));
            for (name, ty) in attributes {
                infallible(encode::write_str(bytes, name));
                write(bytes, object.at(name), ty);
            }
        }
        (Value::Object(map), ty) => {
            let element_type = if let Type::Map(element) = ty {
                element
            } else {
                &Type::Dynamic
            };
            infallible(encode::write_map_len(bytes, map.len() as u32));
            for (key, element) in map.iter() {
                infallible(encode::write_str(bytes, key));
                write(bytes, element, element_type);
            }
        }
    }
}

/// Writing to memory cannot fail, but the library's writers answer for any target.
fn infallible<T, E>(result: Result<T, E>) {
    debug_assert!(result.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(value: &Value, ty: &Type) -> Value {
        decode(&encode(value, ty), ty).unwrap()
    }

    #[test]
    fn numbers_keep_every_digit() {
        for text in [
            "0",
            "-1",
            "9223372036854775807",
            "9223372036854775808",
            "12345678901234567890123456789.5",
            "0.1",
        ] {
            let number = Value::Number(Number::parse(text).unwrap());
            assert_eq!(round_trip(&number, &Type::Number), number, "{text}");
        }
        assert_eq!(encode(&Value::Number(Number::Float(0.5)), &Type::Number)[0], 0xcb);
        assert_eq!(
            decode(&[0xcf, 255, 255, 255, 255, 255, 255, 255, 255], &Type::Number).unwrap(),
            { Value::Number(Number::Decimal("18446744073709551615".into())) }
        );
    }

    #[test]
    fn any_extension_is_unknown() {
        // One of each fixed length (type byte included), then those that say their length in 1, 2 and 4 bytes.
        let fixed = [(0xd4, 1), (0xd5, 2), (0xd6, 4), (0xd7, 8), (0xd8, 16)];
        let fixed = fixed.map(|(marker, length)| [vec![marker], vec![0; length + 1]].concat());
        let long = [
            vec![0xc7, 3, 12, 0x81, 1, 0xc2],
            vec![0xc8, 0, 1, 12, 0],
            vec![0xc9, 0, 0, 0, 1, 12, 0],
        ];
        for bytes in fixed.iter().chain(&long) {
            assert_eq!(decode(bytes, &Type::String).unwrap(), Value::Unknown, "{bytes:?}");
        }
    }

    #[test]
    fn a_number_of_every_width_is_read() {
        for (bytes, expected) in [
            (&[0x7f][..], "127"),
            (&[0xff], "-1"),
            (&[0xcc, 200], "200"),
            (&[0xcd, 1, 0], "256"),
            (&[0xce, 0, 1, 0, 0], "65536"),
            (&[0xcf, 0, 0, 0, 1, 0, 0, 0, 0], "4294967296"),
            (&[0xd0, 0x80], "-128"),
            (&[0xd1, 0x80, 0], "-32768"),
            (&[0xd2, 0x80, 0, 0, 0], "-2147483648"),
            (&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808"),
            (&[0xca, 0x3f, 0, 0, 0], "0.5"),
            (&[0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0], "0.5"),
        ] {
            let number = Value::Number(Number::parse(expected).unwrap());
            assert_eq!(decode(bytes, &Type::Number).unwrap(), number, "{expected}");
        }
    }

    #[test]
    fn each_element_of_a_tuple_has_its_own_type() {
        let ty = Type::Tuple(vec![Type::Dynamic, Type::String]);
        let element = Value::Dynamic(Box::new((Type::Bool, true.into())));
        let tuple = Value::List(vec![element, "text".into()]);
        assert_eq!(round_trip(&tuple, &ty), tuple);
        // As the elements of a tuple, not as dynamic values: the text stands alone.
        assert!(encode(&tuple, &ty).ends_with(b"\xa4text"));
        assert!(
            decode(&encode(&tuple, &ty), &Type::Tuple(vec![Type::Dynamic])).is_err(),
            "another length"
        );
    }

    #[test]
    fn a_value_may_nest_as_deep_as_terraform_needs_and_no_deeper() {
        let lists = |depth: usize| {
            let ty = (0..depth).fold(Type::Bool, |ty, _| Type::list(ty));
            let bytes = [vec![0x91; depth], vec![0xc3]].concat();
            decode(&bytes, &ty).is_ok()
        };
        let objects = |depth: usize| {
            let ty = (0..depth).fold(Type::Bool, |ty, _| Type::map(ty));
            let bytes = [[0x81, 0xa1, b'k'].repeat(depth), vec![0xc3]].concat();
            decode(&bytes, &ty).is_ok()
        };
        let tuples = |depth: usize| {
            let ty = (0..depth).fold(Type::Bool, |ty, _| Type::Tuple(vec![ty]));
            decode(&[vec![0x91; depth], vec![0xc3]].concat(), &ty).is_ok()
        };
        for nested in [lists as fn(usize) -> bool, objects, tuples] {
            assert!(nested(MAX_DEPTH - 1), "deep enough");
            assert!(!nested(MAX_DEPTH + 2), "a stack has an end");
        }
    }

    #[test]
    fn an_object_has_all_its_attributes_and_no_other() {
        let ty = Type::object([("a".to_owned(), Type::String), ("b".to_owned(), Type::Bool)]);

        assert_eq!(
            encode(&Value::Object(Object::new()), &ty),
            [0x82, 0xa1, b'a', 0xc0, 0xa1, b'b', 0xc0]
        );
        let other = decode(&[0x81, 0xa1, b'z', 0xc0], &ty).unwrap_err();
        assert!(other.to_string().contains("no attribute \"z\""), "{other}");
    }

    #[test]
    fn a_wrong_type_names_its_place() {
        let ty = Type::object([("a".to_owned(), Type::list(Type::Number))]);
        let text = encode(
            &Value::Object(Object::new().with("a", vec!["x"])),
            &Type::object([("a".to_owned(), Type::list(Type::String))]),
        );

        assert_eq!(
            decode(&text, &ty).unwrap_err().to_string(),
            "at a[0]: a number is required"
        );
    }

    #[test]
    fn a_dynamic_value_carries_its_type() {
        let value = Value::Dynamic(Box::new((Type::list(Type::Bool), Value::from(vec![true]))));
        assert_eq!(round_trip(&value, &Type::Dynamic), value);
    }

    /// What is read is written and read again as the same, so nothing is lost between two plans.
    #[test]
    fn fuzz_msgpack() {
        let nested = Type::object([
            ("a".to_owned(), Type::list(Type::map(Type::Dynamic))),
            (
                "b".to_owned(),
                Type::Tuple(vec![Type::Number, Type::String, Type::Bool]),
            ),
            ("c".to_owned(), Type::set(Type::String)),
        ]);
        let dynamic = |ty: Type, value: Value| Value::Dynamic(Box::new((ty, value)));
        let inner = Object::new().with("k", dynamic(Type::Number, Value::Number(Number::parse("0.1").unwrap())));
        let value = Object::new()
            .with("a", Value::List(vec![Value::Object(inner), Value::Unknown]))
            .with("b", Value::List(vec![7.into(), "text".into(), true.into()]))
            .with("c", vec!["x", "y"]);
        let whole = encode(&Value::Object(value), &nested);
        let any = encode(&dynamic(Type::list(Type::Bool), vec![true].into()), &Type::Dynamic);
        // Lengths that nothing stands behind, extensions, nesting.
        let claims: [&[u8]; 6] = [
            &[0xdd, 0xff, 0xff, 0xff, 0xff],
            &[0xdf, 0xff, 0xff, 0xff, 0xff],
            &[0xdb, 0xff, 0xff, 0xff, 0xff, b'x'],
            &[0xc9, 0xff, 0xff, 0xff, 0xff, 0],
            &[
                0x92, 0xc4, 0x09, b'"', b'd', b'y', b'n', b'a', b'm', b'i', b'c', b'"', 0xc0,
            ],
            &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        ];

        crate::fuzz::fuzz(
            &[&[&whole[..], &any], &claims[..]].concat(),
            &["\"dynamic\"", "[\"list\","],
            |bytes| {
                for ty in [&nested, &Type::Dynamic, &Type::Number] {
                    if let Ok(value) = decode(bytes, ty) {
                        assert_eq!(round_trip(&value, ty), value);
                    }
                }
            },
        );
    }

    proptest! {
        #[test]
        fn text_survives(text in ".*") {
            let value = Value::from(text);
            prop_assert_eq!(round_trip(&value, &Type::String), value);
        }
    }
}
