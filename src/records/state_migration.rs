//! Migration of states of the provider `tylerhatton/servicenow`.
//!
//! Two ways lead here. A `moved` block names the new address, and Terraform hands the old state over. Or the provider is
//! replaced in the state (`terraform state replace-provider`), and the state arrives as one to upgrade: that provider's are
//! of version 0, and this one's began with 1.
//!
//! By its documentation (0.11) the `id` is the record's sys_id, and empty text stands for what is not configured. What it
//! does not keep the refresh after the move fills in; what it does not manage is not managed afterwards either.

use serde_json::Value as Json;

use crate::plugin::{Diagnostic, Diagnostics, Moved, Object, Value, provider};
use crate::servicenow::{SysId, Table};

/// What a type of that provider becomes.
#[derive(Clone, Copy)]
pub(crate) struct Foreign {
    /// Its name there.
    pub(crate) type_name: &'static str,
    /// The attributes that are carried over: their name there, and here.
    pub(crate) attributes: &'static [(&'static str, &'static str)],
    /// The flag that says that the object was made by Terraform, where there is one: that provider did so.
    pub(crate) made: Option<&'static str>,
}

impl Foreign {
    /// Converts a moved state; `None` if it is of another provider or type.
    pub(crate) fn move_state(&self, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
        let is_theirs = from.provider.ends_with(THEIRS) && from.type_name == self.type_name;
        is_theirs.then(|| match from.schema_version {
            VERSION => self.read(from.state),
            version => Err(Diagnostic::error(
                "Unknown state version",
                format!(
                    "The state of this {} has schema version {version} and was written by {}; only version {VERSION} \
                     is supported. Remove the object from the state with a removed block, and import it.",
                    from.type_name, from.provider
                ),
            )
            .into()),
        })
    }

    /// Upgrades a state of which the provider was replaced; the type has the same name here and there.
    pub(crate) fn upgrade(&self, version: i64, state: &Json) -> Result<Object, Diagnostics> {
        if version != VERSION {
            return Err(provider::unknown_version(self.type_name, version, VERSION).into());
        }
        self.read(state)
    }

    fn read(&self, state: &Json) -> Result<Object, Diagnostics> {
        let mut object = Object::new().with("id", key(self.type_name, state)?.as_str());
        for (theirs, ours) in self.attributes {
            let value = match &state[*theirs] {
                Json::String(text) if !text.is_empty() => Value::from(text.as_str()),
                Json::Bool(flag) => Value::from(*flag),
                Json::Number(number) => Value::from(number.as_i64()),
                Json::String(_) | Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
            };
            object.set(ours, value);
        }
        if let Some(made) = self.made {
            object.set(made, true);
        }
        Ok(object)
    }
}

/// The state of a `servicenow_record` of this table, which a resource type of its own takes over: its key. None of another
/// table or type.
pub(crate) fn of_any_record(table: Table, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
    let is_own = is_of_this_provider(from) && from.type_name == ANY_RECORD;
    match from.state["table"].as_str().filter(|_| is_own)? {
        of_table if of_table == table.name() => {
            let id = key(ANY_RECORD, from.state).map_err(Diagnostics::from);
            Some(id.map(|id| Object::new().with("id", id.as_str())))
        }
        other => {
            let detail = format!(
                "The {ANY_RECORD} is a record of {other}, and this type manages records of {table}. Remove the moved block."
            );
            Some(Err(Diagnostic::error("Unsupported move", detail).into()))
        }
    }
}

/// The key in a state of another type.
pub(crate) fn key(type_name: &str, state: &Json) -> Result<SysId, Diagnostic> {
    let id = state["id"].as_str().unwrap_or_default();
    SysId::parse(id).map_err(|_| {
        let detail = format!(
            "The state of this {type_name} has the id {id:?}, which is not a valid sys_id. Remove the object from the state \
             with a removed block, and import it."
        );
        Diagnostic::error("The state cannot be taken over", detail)
    })
}

/// Whether a state was written by this provider, from whichever registry it was installed.
pub(crate) fn is_of_this_provider(from: &Moved<'_>) -> bool {
    from.provider.ends_with("/servicenow") && !from.provider.ends_with(THEIRS)
}

/// The type for records of any table.
pub(crate) const ANY_RECORD: &str = "servicenow_record";
/// The end of that provider's address.
pub(crate) const THEIRS: &str = "/tylerhatton/servicenow";
/// Of every schema of that provider.
const VERSION: i64 = 0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USERS: Foreign = Foreign {
        type_name: "servicenow_user",
        attributes: &[
            ("user_name", "user_name"),
            ("title", "title"),
            ("user_password", "password"),
        ],
        made: None,
    };

    fn moved(provider: &'static str, schema_version: i64, state: &Json) -> Option<Result<Object, Diagnostics>> {
        USERS.move_state(&Moved {
            provider,
            type_name: "servicenow_user",
            schema_version,
            state,
        })
    }

    #[test]
    fn what_is_configured_there_is_carried_over() {
        let state = json!({
            "id": "0123456789abcdef0123456789abcdef", "user_name": "robot", "title": "", "vip": false,
            "user_password": "pw",
        });

        let object = moved("registry.terraform.io/tylerhatton/servicenow", 0, &state)
            .unwrap()
            .unwrap();

        assert_eq!(object.text("id"), Some("0123456789abcdef0123456789abcdef"));
        assert_eq!(
            (object.text("user_name"), object.text("password")),
            (Some("robot"), Some("pw"))
        );
        assert!(object.at("title").is_null());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let state = json!({"id": "0123456789abcdef0123456789abcdef"});

        assert!(moved("registry.terraform.io/somebody/servicenow", 0, &state).is_none());
        assert!(
            moved("registry.terraform.io/tylerhatton/servicenow", 1, &state)
                .unwrap()
                .is_err()
        );
        let unusable = json!({"id": "1"});
        assert!(
            moved("registry.terraform.io/tylerhatton/servicenow", 0, &unusable)
                .unwrap()
                .is_err()
        );
        assert!(USERS.upgrade(2, &state).is_err());
    }
}
