//! What the scripts of an installed application may read of other scopes' tables.

use crate::instance::Instance;
use crate::instance::store::{Rows, is_true, value};

impl Instance {
    /// Whether scripts of an application scope may read a table of the global scope.
    ///
    /// Web service calls do not ask this: they look at `ws_access` only.
    ///
    /// # Errors
    /// The error as the application's page shows it.
    pub fn cross_scope_read(&self, scope: &str, table: &str) -> Result<(), String> {
        let is_open = self.with_rows(|rows| is_open(rows, scope, table));
        if is_open {
            return Ok(());
        }
        let cause = format!(
            "Read operation against '{table}' from scope '{scope}' has been refused due to the table's \
             cross-scope access policy"
        );
        self.note(&cause);
        Err(cause)
    }
}

fn is_open(rows: &Rows, scope: &str, table: &str) -> bool {
    let Some(setting) = rows.of_class("sys_db_object").find(|row| value(row, "name") == table) else {
        return false;
    };
    // A privilege never exceeds the table's own setting.
    if value(setting, "access") != "public" || !is_true(setting, "read_access") {
        return false;
    }
    let scope_id = ["sys_store_app", "sys_app", "sys_scope"]
        .iter()
        .flat_map(|class| rows.of_class(class))
        .find(|row| value(row, "scope") == scope)
        .map_or(scope, |row| value(row, "sys_id"));
    let privilege = rows
        .of_class("sys_scope_privilege")
        .find(|row| {
            value(row, "source_scope") == scope_id
                && value(row, "target_name") == table
                && value(row, "operation") == "read"
        })
        .map(|row| value(row, "status"));
    match privilege {
        Some(status) => status == "allowed",
        // "Caller Restriction" asks for a privilege, everything else makes one by itself.
        None => value(setting, "caller_access") != "2",
    }
}
