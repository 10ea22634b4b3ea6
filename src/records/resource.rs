//! What every resource that is one record of a table has.

use crate::plugin::{Attribute, Diagnostic, Diagnostics, IdentitySchema, Object, Outcome};
use crate::servicenow::{SysId, TableError};

/// The record that a state belongs to; none where a create did not get that far.
pub(crate) fn sys_id(state: &Object) -> Option<SysId> {
    state.text("id").and_then(|id| SysId::parse(id).ok())
}

/// The record that an update is about.
pub(crate) fn require_sys_id(state: &Object) -> Result<SysId, Diagnostic> {
    sys_id(state).ok_or_else(|| {
        Diagnostic::error(
            "The state has no usable id",
            "The state of this resource does not say which record it is. Remove it from the state with terraform state rm, \
             and import the record.",
        )
    })
}

/// Records are known by their `sys_id`.
pub(crate) fn sys_id_identity() -> IdentitySchema {
    IdentitySchema::of("sys_id", "id", "The record's `sys_id`: 32 hexadecimal digits.")
}

/// The attribute `timeouts`.
pub(crate) fn timeouts() -> Attribute {
    Attribute::timeouts(&[("create", "5m"), ("read", "5m"), ("update", "5m"), ("delete", "5m")])
}

/// How a write ended: what exists, and what went wrong after it did.
pub(crate) fn outcome(state: Object, problems: Diagnostics) -> Outcome {
    let state = state.with_unknown_as_null();
    if problems.has_errors() {
        Outcome::Partly(state, problems)
    } else {
        Outcome::Done(state, problems)
    }
}

/// How a create ended whose insert failed. Where nobody knows whether the record was made, its key goes into the state:
/// the next refresh finds the record under it, or finds that there is none.
pub(crate) fn not_created(error: &TableError, planned: Object, problem: Diagnostic) -> Result<Outcome, Diagnostic> {
    match error {
        TableError::Uncertain { ours: Some(sys_id), .. } => {
            let state = planned.with("id", sys_id.as_str()).with_unknown_as_null();
            Ok(Outcome::Partly(state, problem.into()))
        }
        _ => Err(problem),
    }
}
