//! `/api/global/user_role_inheritance`: where a user's roles come from.

use axum::response::Response;
use serde_json::{Value, json};

use crate::instance::answer::{failure, json_answer};
use crate::instance::store::{Rows, is_true, value};
use crate::instance::table_api::Call;
use crate::instance::{Caller, Instance};

impl Instance {
    pub(super) fn role_inheritance(&self, caller: &Caller, call: &Call) -> Response {
        let may_ask = ["user_admin", "admin"].iter().any(|role| caller.roles.contains(*role));
        if !may_ask {
            return failure(403, "User Not Authorized", Some("user_admin is needed"));
        }
        let user = call.param("user_sysid").unwrap_or_default();
        let result = self.with_rows(|rows| {
            let record = rows.of_class("sys_user").find(|row| value(row, "sys_id") == user)?;
            Some(json!({
                "user_name": value(record, "user_name"),
                "from_role": from_roles(rows, user),
                "from_group": from_groups(rows, user),
            }))
        });
        match result {
            Some(result) => json_answer(200, &json!({"result": result})),
            None => failure(404, "No Record found", Some("Unknown user")),
        }
    }
}

fn from_roles(rows: &Rows, user: &str) -> Vec<Value> {
    rows.of_class("sys_user_has_role")
        .filter(|row| value(row, "user") == user && !is_true(row, "inherited"))
        .map(|row| json!({"role": value(row, "role")}))
        .collect()
}

fn from_groups(rows: &Rows, user: &str) -> Vec<Value> {
    rows.of_class("sys_user_grmember")
        .filter(|row| value(row, "user") == user)
        .map(|row| json!({"group": value(row, "group")}))
        .collect()
}
