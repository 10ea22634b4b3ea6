//! Inactive users and groups, which instances may keep from everybody but administrators: out of the lists, and out of the
//! count.

use crate::plugin::Object;
use crate::records::record_resource::Absence;
use crate::servicenow::{Column, Session, Table, TableError};

/// What it means that nothing shows a record of a table with such a flag. `noun` is what such a record is called.
pub(crate) async fn absence(
    session: &Session,
    (table, active): (Table, Column),
    noun: &str,
    state: &Object,
) -> Result<Absence, TableError> {
    if !session.may_hide_inactive(table, active).await? {
        return Ok(Absence::Proven);
    }
    let why = format!("the account sees no inactive {noun} at all (some instances show them to administrators only)");
    Ok(if state.flag("active") == Some(false) {
        Absence::Doubtful(why)
    } else {
        Absence::Likely(why)
    })
}
