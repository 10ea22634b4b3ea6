//! References to other records, which a configuration may write as a name or as a sys_id.
//!
//! Beside such an attribute stands a computed `<attribute>_id`. A read stores the sys_id there and the present name in the
//! attribute, so that a plan can compare with both without a request: another spelling of the same record is no change.

use crate::plugin::{Attribute, Diagnostic, Path, Plan, Value};
use crate::records::diagnostics;
use crate::servicenow::tables::sys_user;
use crate::servicenow::{Column, ColumnKind, Session, SysId, Table, TableError, Value as Wire, means_the_same};

/// What a reference points to, and what it is known by there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Target {
    pub(crate) table: Table,
    /// The column with the name.
    pub(crate) name: Column,
    /// The noun for such a record in messages: `role`.
    pub(crate) noun: &'static str,
    /// A value that is neither: the global application has no record.
    pub(crate) literal: Option<&'static str>,
}

/// Users, by their user names.
pub(crate) const A_USER: Target = Target {
    table: sys_user::TABLE,
    name: sys_user::USER_NAME,
    noun: "user",
    literal: None,
};

/// The attribute that holds the sys_id beside one that refers to a record.
pub(crate) fn id_attribute(id: &'static str, name: &str, target: Target) -> Attribute {
    let attribute = Attribute::text(id).computed().stable();
    attribute.describe(format!("`sys_id` of the {} that `{name}` names.", target.noun))
}

impl Target {
    /// What is sent for a name or a sys_id.
    pub(crate) async fn to_wire(self, session: &Session, attribute: &str, given: &str) -> Result<Wire, Diagnostic> {
        let is_given = |literal: &&str| literal.eq_ignore_ascii_case(given.trim());
        if let Some(literal) = self.literal.filter(is_given) {
            return Ok(Wire::Text(literal.to_owned()));
        }
        self.find(session, attribute, given).await.map(Wire::Reference)
    }

    /// The record that a name or a sys_id means.
    pub(crate) async fn find(self, session: &Session, attribute: &str, given: &str) -> Result<SysId, Diagnostic> {
        let doing = format!("find the {}", self.noun);
        let failed = |error: TableError| diagnostics::of_table(&error, &doing).at_attribute(attribute);
        if let Ok(sys_id) = SysId::parse(given) {
            if session.has_made(self.table, &sys_id) {
                return Ok(sys_id);
            }
            // Most records are referred to many times, and their names are remembered.
            if let Ok(Some(_)) = session.names(self.table, self.name).name_of(&sys_id).await {
                return Ok(sys_id);
            }
            match session.get_opt(self.table, &sys_id, &[self.name]).await {
                // An account that may not read such records may still refer to them.
                Ok(Some(_)) | Err(TableError::Refused { .. } | TableError::Hidden { .. }) => return Ok(sys_id),
                // Somebody may have given a record a name of this shape.
                Ok(None) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let found = session.names(self.table, self.name).id_of(given).await;
        found.map_err(|error| {
            let mut diagnostic = failed(error);
            if let Some(literal) = self.literal {
                let noun = self.noun;
                diagnostic.detail.push_str(&format!(
                    "\n\nThe {noun} may not be installed, or the account may not read it. Install it, or use {literal:?}."
                ));
            }
            diagnostic
        })
    }

    /// Whether a name still means the record with this sys_id, as far as anybody knows.
    pub(crate) async fn still_means(self, session: &Session, name: &str, id: &str) -> bool {
        match SysId::parse(id) {
            Ok(sys_id) => session.names(self.table, self.name).still_means(name, &sys_id).await,
            Err(_) => true,
        }
    }

    /// The present name of a record; its sys_id where the name cannot be read.
    pub(crate) async fn name_of(self, session: &Session, value: &str) -> Result<String, Diagnostic> {
        let Ok(sys_id) = SysId::parse(value) else {
            return Ok(value.to_owned());
        };
        match session.names(self.table, self.name).name_of(&sys_id).await {
            Ok(name) => Ok(name.unwrap_or_else(|| value.to_owned())),
            Err(TableError::Refused { .. } | TableError::Hidden { .. }) => Ok(value.to_owned()),
            Err(error) => Err(diagnostics::of_table(
                &error,
                &format!("read the name of the {}", self.noun),
            )),
        }
    }
}

/// Plans the prior value if the configuration means the same record in another spelling.
pub(crate) fn plan(attribute: &'static str, id: &'static str, plan: &mut Plan<'_>) {
    let Some(prior) = plan.prior else { return };
    if plan.state.at(attribute).is_null() && prior.at(attribute).is_null() {
        return;
    }
    let (former, known, planned) = (prior.text(attribute), prior.text(id), plan.state.text(attribute));
    if planned.is_some() && planned == former {
        return;
    }
    // The instance takes names for equal that differ in case or in blanks at the ends.
    let is_same = |planned: &str, text: &str| means_the_same(ColumnKind::Reference, planned, text);
    let is_known =
        planned.is_some_and(|planned| [former, known].into_iter().flatten().any(|text| is_same(planned, text)));
    if is_known {
        plan.state.set(attribute, prior.at(attribute).clone());
        plan.replace.retain(|path| *path != Path::of(attribute));
    } else {
        plan.state.set(id, Value::Unknown);
    }
}
