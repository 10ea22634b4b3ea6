//! The two directions between our objects and the API's JSON, by the names of a profile.

use serde_json::{Map, Value};

use crate::microsoft::support::api_profile::Object;
use crate::microsoft::support::{Repository, RepositorySecrets, Settings};

impl Settings {
    pub(super) fn read(object: &Object, fields: &Map<String, Value>) -> Self {
        Self {
            internal_support_tool: object.read_text("internal_support_tool", fields),
            application_id: object.read_text("application_id", fields),
        }
    }

    /// Puts ours into `fields`; what is not set becomes null where the API has it.
    pub(super) fn write(&self, object: &Object, fields: &mut Map<String, Value>) {
        for (name, value) in [
            ("internal_support_tool", &self.internal_support_tool),
            ("application_id", &self.application_id),
        ] {
            match value {
                Some(text) => object.write(name, Value::from(object.to_wire(name, text)), fields),
                None if fields.contains_key(object.wire_name(name)) => object.write(name, Value::Null, fields),
                None => {}
            }
        }
    }
}

impl Repository {
    /// `None` for an entry without id, which cannot be addressed.
    pub(super) fn read(object: &Object, fields: &Map<String, Value>) -> Option<Self> {
        Some(Self {
            repository_id: object.read_text("repository_id", fields)?,
            endpoint: object.read_text("endpoint", fields),
            authentication_type: object.read_text("authentication_type", fields),
            client_id: object.read_text("client_id", fields),
            rest_user_name: object.read_text("rest_user_name", fields),
            refresh_token_expiry: object.read_number("refresh_token_expiry", fields),
        })
    }

    /// Puts ours into `fields`. What is not set is left out: the write replaces the whole. Secrets of an answer, masked
    /// or not, are never sent back.
    pub(super) fn write(&self, secrets: &RepositorySecrets, object: &Object, fields: &mut Map<String, Value>) {
        let texts = [
            ("repository_id", Some(&self.repository_id)),
            ("endpoint", self.endpoint.as_ref()),
            ("authentication_type", self.authentication_type.as_ref()),
            ("client_id", self.client_id.as_ref()),
            ("rest_user_name", self.rest_user_name.as_ref()),
        ];
        for (name, text) in texts {
            object.write_or_remove(name, text.map(|text| Value::from(object.to_wire(name, text))), fields);
        }
        object.write_or_remove(
            "refresh_token_expiry",
            self.refresh_token_expiry.map(Value::from),
            fields,
        );
        for (name, secret) in [
            ("client_secret", &secrets.client_secret),
            ("rest_user_password", &secrets.rest_user_password),
        ] {
            object.write_or_remove(name, secret.as_ref().map(|secret| Value::from(secret.expose())), fields);
        }
    }
}

impl Object {
    fn wire_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.fields.get(name).map_or(name, String::as_str)
    }

    fn to_wire<'a>(&'a self, name: &str, value: &'a str) -> &'a str {
        self.values
            .get(name)
            .and_then(|values| values.get(value))
            .map_or(value, String::as_str)
    }

    /// A field as text in our words. Null and empty text are the same to the form behind this API: nothing entered.
    fn read_text(&self, name: &str, fields: &Map<String, Value>) -> Option<String> {
        let text = match fields.get(self.wire_name(name))? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        let ours = self.values.get(name).and_then(|values| {
            let known = values.iter().find(|(_, wire)| wire.eq_ignore_ascii_case(&text))?;
            Some(known.0.clone())
        });
        ours.or(Some(text)).filter(|text| !text.is_empty())
    }

    fn read_number(&self, name: &str, fields: &Map<String, Value>) -> Option<i64> {
        let value = fields.get(self.wire_name(name))?;
        value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    fn write(&self, name: &str, value: Value, fields: &mut Map<String, Value>) {
        fields.insert(self.wire_name(name).to_owned(), value);
    }

    fn write_or_remove(&self, name: &str, value: Option<Value>, fields: &mut Map<String, Value>) {
        match value {
            Some(value) => self.write(name, value, fields),
            None => {
                fields.remove(self.wire_name(name));
            }
        }
    }
}
