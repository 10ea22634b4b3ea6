//! Values as Terraform puts them on the wire, written anew: a fault shared with the provider would hide itself.
//!
//! In JSON, `{"$unknown": true}` stands for an unknown value and `{"$prefix": "x"}` for one of which the beginning is
//! known.

use rmp::{Marker, encode};
use serde_json::{Map, Number, Value as Json, json};

/// Writes a value as Terraform does.
pub(crate) fn to_msgpack(value: &Json) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value);
    bytes
}

/// The unknown value.
pub(crate) fn unknown() -> Json {
    json!({ "$unknown": true })
}

fn write(bytes: &mut Vec<u8>, value: &Json) {
    match value {
        Json::Null => bytes.push(0xc0),
        Json::Bool(flag) => bytes.push(if *flag { 0xc3 } else { 0xc2 }),
        Json::Number(number) => write_number(bytes, number),
        Json::String(text) => encode::write_str(bytes, text).unwrap(),
        Json::Array(elements) => {
            encode::write_array_len(bytes, elements.len() as u32).unwrap();
            elements.iter().for_each(|element| write(bytes, element));
        }
        Json::Object(object) if object.contains_key("$unknown") => bytes.extend([0xd4, 0, 0]),
        Json::Object(object) if object.contains_key("$prefix") => {
            let mut refinements = Vec::new();
            encode::write_map_len(&mut refinements, 2).unwrap();
            refinements.extend([1, 0xc2, 2]); // not null; the prefix follows
            encode::write_str(&mut refinements, object["$prefix"].as_str().unwrap()).unwrap();
            encode::write_ext_meta(bytes, refinements.len() as u32, 12).unwrap();
            bytes.extend(refinements);
        }
        Json::Object(object) => {
            encode::write_map_len(bytes, object.len() as u32).unwrap();
            for (name, value) in object {
                encode::write_str(bytes, name).unwrap();
                write(bytes, value);
            }
        }
    }
}

/// Integers of 64 bits as such, doubles where they are exact, everything else as text.
fn write_number(bytes: &mut Vec<u8>, number: &Number) {
    let text = number.to_string();
    let exact = |float: &f64| (float * 1024.0).fract() == 0.0 && float.to_string() == text;
    if let Some(integer) = number.as_i64() {
        encode::write_sint(bytes, integer).unwrap();
    } else if let Some(float) = number.as_f64().filter(exact) {
        encode::write_f64(bytes, float).unwrap();
    } else {
        encode::write_str(bytes, &text).unwrap();
    }
}

/// Reads an answer. A number that came as text stays text.
#[track_caller]
pub(crate) fn from_msgpack(bytes: &[u8]) -> Json {
    let mut rest = bytes;
    let value = read(&mut rest);
    assert!(rest.is_empty(), "{} bytes follow the value", rest.len());
    value
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other marker is refused")]
fn read(rest: &mut &[u8]) -> Json {
    match Marker::from_u8(take::<1>(rest)[0]) {
        Marker::Null => Json::Null,
        Marker::True => true.into(),
        Marker::False => false.into(),
        Marker::FixPos(number) => number.into(),
        Marker::FixNeg(number) => number.into(),
        Marker::U8 => u8::from_be_bytes(take(rest)).into(),
        Marker::U16 => u16::from_be_bytes(take(rest)).into(),
        Marker::U32 => u32::from_be_bytes(take(rest)).into(),
        Marker::U64 => u64::from_be_bytes(take(rest)).into(),
        Marker::I8 => i8::from_be_bytes(take(rest)).into(),
        Marker::I16 => i16::from_be_bytes(take(rest)).into(),
        Marker::I32 => i32::from_be_bytes(take(rest)).into(),
        Marker::I64 => i64::from_be_bytes(take(rest)).into(),
        Marker::F64 => f64::from_be_bytes(take(rest)).into(),
        Marker::FixStr(length) => text(rest, length.into()),
        Marker::Str8 => {
            let length = u8::from_be_bytes(take(rest));
            text(rest, length.into())
        }
        Marker::Str16 => {
            let length = u16::from_be_bytes(take(rest));
            text(rest, length.into())
        }
        Marker::Str32 => {
            let length = u32::from_be_bytes(take(rest));
            text(rest, length as usize)
        }
        Marker::FixArray(length) => array(rest, length.into()),
        Marker::Array16 => {
            let length = u16::from_be_bytes(take(rest));
            array(rest, length.into())
        }
        Marker::FixMap(length) => object(rest, length.into()),
        Marker::Map16 => {
            let length = u16::from_be_bytes(take(rest));
            object(rest, length.into())
        }
        Marker::FixExt1 => {
            assert_eq!(take(rest), [0, 0], "Terraform refuses other extensions of one byte");
            unknown()
        }
        other => panic!("a provider has no reason to send {other:?}"),
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (head, tail) = rest.split_first_chunk().expect("the value is truncated");
    *rest = tail;
    *head
}

fn text(rest: &mut &[u8], length: usize) -> Json {
    let (head, tail) = rest.split_at(length);
    *rest = tail;
    std::str::from_utf8(head).unwrap().into()
}

fn array(rest: &mut &[u8], length: usize) -> Json {
    (0..length).map(|_| read(rest)).collect()
}

fn object(rest: &mut &[u8], length: usize) -> Json {
    let mut object = Map::new();
    for _ in 0..length {
        let name = read(rest).as_str().unwrap().to_owned();
        let value = read(rest);
        assert!(object.insert(name.clone(), value).is_none(), "{name} comes twice");
    }
    Json::Object(object)
}
