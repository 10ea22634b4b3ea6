//! What a check found.

use crate::plugin::{Object, Value};
use crate::records::diagnostics;
use crate::servicenow::TableError;

/// The result of the check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    /// As it has to be.
    Pass,
    /// Works, or is not needed yet, but should be checked.
    Warn,
    /// The integration cannot work like this.
    Fail,
    /// The account may not read it, or there is nothing to check.
    Unknown,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
            Status::Unknown => "unknown",
        }
    }
}

/// One entry of `checks`.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(super) name: &'static str,
    pub(super) status: Status,
    detail: String,
    remedy: String,
}

impl Finding {
    pub(super) fn new(
        name: &'static str,
        status: Status,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            name,
            status,
            detail: detail.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn pass(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Pass, detail, "")
    }

    pub(super) fn warn(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Status::Warn, detail, remedy)
    }

    pub(super) fn fail(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Status::Fail, detail, remedy)
    }

    pub(super) fn unknown(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Status::Unknown, detail, remedy)
    }

    /// Whether the integration cannot work like this.
    pub(crate) fn is_failure(&self) -> bool {
        self.status == Status::Fail
    }

    /// What could not be read.
    pub(super) fn unreadable(name: &'static str, error: &TableError) -> Self {
        Self::unknown(name, diagnostics::explain(error, ""), error.remedy())
    }
}

impl From<Finding> for Value {
    fn from(finding: Finding) -> Self {
        Object::new()
            .with("name", finding.name)
            .with("status", finding.status.name())
            .with("detail", finding.detail)
            .with("remedy", finding.remedy)
            .into()
    }
}
