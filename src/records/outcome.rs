//! How a write ended: what exists afterwards, what went wrong, and whether that is an error.

use crate::clients::Clients;
use crate::plugin::{Context, Diagnostic, Diagnostics, Object, Outcome, Severity};
use crate::servicenow::TableError;

/// How a write ended: what exists, and what went wrong after it did.
pub(crate) fn of(state: Object, problems: Diagnostics) -> Outcome {
    let state = state.with_unknown_as_null();
    if problems.has_errors() {
        Outcome::Partly(state, problems)
    } else {
        Outcome::Done(state, problems)
    }
}

/// What went wrong with a record that was created: an update corrects it. As an error it would taint the object, and the next
/// apply would destroy it.
pub(crate) fn unfinished(problems: Diagnostics) -> Diagnostics {
    let as_warning = |mut problem: Diagnostic| {
        if problem.severity == Severity::Error {
            problem.severity = Severity::Warning;
            problem.detail.push_str(
                "\n\nThe object was created and is in the state. The next plan shows what is missing, and the next apply \
                 corrects it in place.",
            );
        }
        problem
    };
    problems.iter().cloned().map(as_warning).collect()
}

/// Whether a write that failed may have been carried out all the same.
pub(crate) fn may_have_happened(error: &TableError) -> bool {
    matches!(
        error,
        TableError::Unavailable { .. }
            | TableError::UnusableAnswer { .. }
            | TableError::TransactionCancelled { .. }
            | TableError::Cancelled { .. }
            | TableError::NotTheApi { .. }
            | TableError::RateLimited { .. }
            | TableError::Uncertain { .. }
    )
}

/// The outcome with what went wrong before it.
pub(crate) fn with(ended: Outcome, mut before: Diagnostics) -> Outcome {
    match ended {
        Outcome::Done(state, problems) | Outcome::Partly(state, problems) => {
            before.append(problems);
            of(state, before)
        }
    }
}

/// How a create ended whose insert failed. Where nobody knows whether the record was made, its key goes into the state:
/// the next refresh finds the record under it, or finds that there is none.
pub(crate) fn not_created(
    cx: &Context<Clients>,
    error: &TableError,
    planned: Object,
    problem: Diagnostic,
) -> Result<Outcome, Diagnostics> {
    match error {
        TableError::Uncertain { ours: Some(sys_id), .. } => {
            cx.set_private(UNSEEN, true.into());
            let state = planned.with("id", sys_id.as_str()).with_unknown_as_null();
            Ok(Outcome::Partly(state, problem.into()))
        }
        _ => Err(problem.into()),
    }
}

/// Whether nobody has seen the record since an insert of which nobody knows whether it happened.
pub(crate) fn is_unseen(cx: &Context<Clients>) -> bool {
    cx.private(UNSEEN).is_some_and(|unseen| unseen == true)
}

/// The record was seen, so it exists.
pub(crate) fn set_seen(cx: &Context<Clients>) {
    if is_unseen(cx) {
        cx.set_private(UNSEEN, false.into());
    }
}

/// Private data: the key in the state is that of an insert of which nobody knows whether it happened.
const UNSEEN: &str = "unseen";
