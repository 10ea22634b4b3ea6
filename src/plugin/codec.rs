//! Values on the wire: msgpack in calls, JSON in the state file.

pub mod json;
pub mod msgpack;

use crate::plugin::path::Path;

/// Why bytes are not a value of the expected type. Never quotes the value: it may be a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("at {}: {problem}", if *path == Path::root() { "the top".to_owned() } else { path.to_string() })]
pub struct CodecError {
    pub path: Path,
    pub problem: String,
}

/// Deeper nesting than any schema has: such bytes are refused before they exhaust the stack.
const MAX_DEPTH: usize = 64;
