//! How the admin center's support API is spoken: paths, verbs, names and values, from one data file that the user can
//! replace piece by piece.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::http::header::{HeaderName, HeaderValue};
use crate::http::{Method, Secret, secret};

/// A complete and checked profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The scope of the token; `None` for the admin center's own `/.default`.
    pub scope: Option<String>,
    pub(super) bearer: bool,
    pub(super) headers: Vec<(HeaderName, Secret)>,
    pub(super) content_type: String,
    pub(super) accepted_content_types: Vec<String>,
    pub(super) keep_unknown_fields: bool,
    pub(super) operations: BTreeMap<String, Operation>,
    pub(super) settings: Object,
    pub(super) repository: Object,
}

/// One call of the API.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) override_header: Option<(HeaderName, Secret)>,
    pub(super) expected: Vec<u16>,
}

/// Where an object is in an answer, and what its fields and values are called there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    /// JSON pointer from the answer to the object, or to the list of objects.
    pub(super) pointer: String,
    /// Our name of a field → the wire's.
    pub(super) fields: BTreeMap<String, String>,
    /// Our name of a field → our value → the wire's.
    pub(super) values: BTreeMap<String, BTreeMap<String, String>>,
}

/// Why a `support_api_profile` cannot be used. Its contents are not quoted: they may include a cookie.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file is not there, or not ours to read.
    #[error("support_api_profile: the file {} cannot be read ({why})", path.display())]
    Unreadable {
        path: PathBuf,
        /// The message of the operating system.
        why: String,
    },
    /// Neither an object nor a path.
    #[error(
        "support_api_profile is neither a JSON object nor the path of a file; it is not shown, since it may contain \
         a secret"
    )]
    Neither,
    /// Not JSON, or not an object.
    #[error("support_api_profile is not a JSON object: {0}")]
    NotJson(String),
    /// A name or type that profiles do not have.
    #[error("support_api_profile does not have the shape of a profile: {0}")]
    Shape(String),
    /// The right shape, but of no use.
    #[error("support_api_profile: {at}: {why}")]
    Value {
        at: String,
        /// What is wrong, and what would be right.
        why: String,
    },
}

impl ProfileError {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Neither => "Use the path of a JSON file, or the JSON itself.",
            Self::NotJson(_) => "Correct the JSON.",
            Self::Shape(_) | Self::Value { .. } => {
                "Compare it with the profile that comes with the provider; it only needs to state what differs."
            }
        }
    }
}

impl Profile {
    /// The profile that comes with the provider.
    ///
    /// # Errors
    /// None, as a test proves.
    pub fn standard() -> Result<Self, ProfileError> {
        Self::merged("{}")
    }

    /// A configured profile, as JSON or as the path of a JSON file: merged over the standard one, null removes.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn load(given: &str) -> Result<Self, ProfileError> {
        let given = given.trim();
        if given.starts_with('{') {
            return Self::merged(given);
        }
        if !could_be_a_path(given) {
            return Err(ProfileError::Neither);
        }
        let path = PathBuf::from(given);
        let text = std::fs::read_to_string(&path).map_err(|error| ProfileError::Unreadable {
            path,
            why: error.to_string(),
        })?;
        Self::merged(&text)
    }

    pub(super) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    fn merged(given: &str) -> Result<Self, ProfileError> {
        let not_json = |error: serde_json::Error| ProfileError::NotJson(error.to_string());
        let mut profile: Value = serde_json::from_str(STANDARD).map_err(not_json)?;
        let given: Value = serde_json::from_str(given).map_err(not_json)?;
        register_headers(&given);
        if !given.is_object() {
            return Err(ProfileError::NotJson("it must be an object".to_owned()));
        }
        merge(&mut profile, given);
        let raw: Raw =
            serde_json::from_value(profile).map_err(|error| ProfileError::Shape(unquoted(&error.to_string())))?;
        raw.check()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(rename = "$comment", default)]
    _comment: Value,
    #[serde(default)]
    scope: Option<String>,
    bearer: bool,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    content_type: String,
    accepted_content_types: Vec<String>,
    keep_unknown_fields: bool,
    operations: BTreeMap<String, RawOperation>,
    settings: Object,
    repository: Object,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOperation {
    method: String,
    path: String,
    #[serde(default)]
    override_header: Option<RawHeader>,
    expected: Vec<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHeader {
    name: String,
    value: String,
}

impl Raw {
    fn check(self) -> Result<Profile, ProfileError> {
        check_names("settings.fields", &self.settings, SETTINGS_FIELDS)?;
        check_names("repository.fields", &self.repository, REPOSITORY_FIELDS)?;
        let mut operations = BTreeMap::new();
        for (name, operation) in self.operations {
            let at = format!("operations.{name}");
            if !OPERATIONS.contains(&name.as_str()) {
                return Err(bad(
                    &at,
                    format!("there is no such operation; known are {}", OPERATIONS.join(", ")),
                ));
            }
            let checked = operation.check(&at, &name)?;
            operations.insert(name, checked);
        }
        for needed in ["read_settings", "list_repositories"] {
            if !operations.contains_key(needed) {
                return Err(bad(&format!("operations.{needed}"), "it cannot be removed".to_owned()));
            }
        }
        let mut headers = Vec::new();
        for (name, value) in self.headers {
            headers.push(header(&format!("headers.{name}"), &name, &value)?);
        }
        header("content_type", "content-type", &self.content_type)?;
        Ok(Profile {
            scope: self.scope.filter(|scope| !scope.is_empty()),
            bearer: self.bearer,
            headers,
            content_type: self.content_type,
            accepted_content_types: self
                .accepted_content_types
                .iter()
                .map(|text| text.to_ascii_lowercase())
                .collect(),
            keep_unknown_fields: self.keep_unknown_fields,
            operations,
            settings: self.settings,
            repository: self.repository,
        })
    }
}

impl RawOperation {
    fn check(self, at: &str, name: &str) -> Result<Operation, ProfileError> {
        let method = match self.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            other => {
                return Err(bad(
                    at,
                    format!("method {other:?} is not one of GET, POST, PUT, PATCH, DELETE"),
                ));
            }
        };
        if !self.path.starts_with('/') || self.path.starts_with("//") {
            return Err(bad(
                at,
                format!(
                    "path {:?} must begin with one slash: the host comes from admin_url",
                    self.path
                ),
            ));
        }
        let rest = self.path.replace(PLACEHOLDER, "");
        if rest.contains(['{', '}']) {
            return Err(bad(
                at,
                format!(
                    "path {:?} may contain no placeholder other than {PLACEHOLDER}",
                    self.path
                ),
            ));
        }
        let has_id = rest.len() != self.path.len();
        if matches!(name, "read_settings" | "list_repositories" | "write_settings") && has_id {
            return Err(bad(
                at,
                format!(
                    "path {:?} may not contain {PLACEHOLDER}: the operation is not about one repository",
                    self.path
                ),
            ));
        }
        if self.expected.is_empty() || self.expected.iter().any(|status| !(200..300).contains(status)) {
            return Err(bad(
                at,
                "expected must list the statuses of success, 200 to 299".to_owned(),
            ));
        }
        let override_header = match self.override_header {
            None => None,
            Some(RawHeader { name, value }) => Some(header(&format!("{at}.override_header"), &name, &value)?),
        };
        Ok(Operation {
            method,
            path: self.path,
            override_header,
            expected: self.expected,
        })
    }
}

/// The headers of a user's profile are masked from here on, and each cookie also on its own: servers quote what they do not
/// like. Short values are ordinary words, such as `true`, and would be masked in every message.
fn register_headers(given: &Value) {
    let headers = given.get("headers").and_then(Value::as_object);
    for (name, value) in headers.into_iter().flatten() {
        let Some(value) = value.as_str() else { continue };
        let is_cookie = name.eq_ignore_ascii_case("cookie");
        let cookies = value.split(';').filter(|_| is_cookie);
        let cookies = cookies.filter_map(|cookie| Some(cookie.split_once('=')?.1.trim().trim_matches('"')));
        for text in cookies
            .chain([value.trim()])
            .filter(|text| text.len() >= SHORTEST_SECRET)
        {
            secret::register(&Secret::from(text));
        }
    }
}

/// Whether a text can be shown as a path without showing a profile that was damaged on the way.
fn could_be_a_path(text: &str) -> bool {
    text.len() <= LONGEST_PATH && !text.contains(['{', '}', '[', ']', '"', '=', ';', '\n', '\r'])
}

/// An error of the JSON library without the values that it quotes: `string "…"`. Names of fields stand in backticks.
fn unquoted(text: &str) -> String {
    match (text.find('"'), text.rfind('"')) {
        (Some(from), Some(to)) if from < to => format!("{}\"***\"{}", &text[..from], &text[to + 1..]),
        _ => text.to_owned(),
    }
}

fn check_names(at: &str, object: &Object, known: &[&str]) -> Result<(), ProfileError> {
    for needed in known {
        match object.fields.get(*needed) {
            None => return Err(bad(at, format!("{needed} is missing"))),
            Some(wire) if wire.is_empty() => return Err(bad(at, format!("{needed} is empty"))),
            Some(_) => {}
        }
    }
    let unknown = object
        .fields
        .keys()
        .chain(object.values.keys())
        .find(|name| !known.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        return Err(bad(
            at,
            format!("{unknown} is not known; known are {}", known.join(", ")),
        ));
    }
    if !object.pointer.is_empty() && !object.pointer.starts_with('/') {
        return Err(bad(
            at,
            format!("the pointer {:?} must be empty or begin with a slash", object.pointer),
        ));
    }
    Ok(())
}

fn header(at: &str, name: &str, value: &str) -> Result<(HeaderName, Secret), ProfileError> {
    let parsed = name
        .to_ascii_lowercase()
        .parse::<HeaderName>()
        .map_err(|_| bad(at, format!("{name:?} is not a valid header name")))?;
    HeaderValue::from_str(value).map_err(|_| {
        bad(
            at,
            "the value contains characters that are not allowed in a header".to_owned(),
        )
    })?;
    Ok((parsed, Secret::from(value)))
}

fn bad(at: &str, why: String) -> ProfileError {
    ProfileError::Value { at: at.to_owned(), why }
}

/// JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}

const SHORTEST_SECRET: usize = 8;
/// Longer than the paths of any system.
const LONGEST_PATH: usize = 4096;
pub(super) const PLACEHOLDER: &str = "{repository_id}";
const STANDARD: &str = include_str!("support_api.json");
const OPERATIONS: &[&str] = &[
    "read_settings",
    "list_repositories",
    "write_settings",
    "create_repository",
    "update_repository",
    "delete_repository",
];
const SETTINGS_FIELDS: &[&str] = &["internal_support_tool", "application_id"];
const REPOSITORY_FIELDS: &[&str] = &[
    "repository_id",
    "endpoint",
    "authentication_type",
    "client_id",
    "client_secret",
    "rest_user_name",
    "rest_user_password",
    "refresh_token_expiry",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_profile_is_valid() {
        let profile = Profile::standard().unwrap();

        assert_eq!(profile.operations.len(), OPERATIONS.len());
    }

    #[test]
    fn a_profile_needs_to_say_only_what_differs() {
        let profile = Profile::load(
            r#"{"operations": {"delete_repository": {"method": "POST", "override_header": {"name": "X-HTTP-Method-Override", "value": "Delete"}},
                "create_repository": null}, "repository": {"fields": {"endpoint": "Url"}}}"#,
        )
        .unwrap();

        let delete = profile.operation("delete_repository").unwrap();
        assert_eq!(delete.method, Method::POST);
        assert_eq!(delete.path, "/admin/api/supportRepository/{repository_id}");
        assert!(delete.override_header.is_some());
        assert!(profile.operation("create_repository").is_none());
        assert_eq!(profile.repository.fields["endpoint"], "Url");
        assert_eq!(profile.repository.fields["client_id"], "ClientId");
    }

    #[test]
    fn a_profile_may_be_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"scope": "x/.default"}"#).unwrap();

        assert_eq!(
            Profile::load(file.path().to_str().unwrap()).unwrap().scope.as_deref(),
            Some("x/.default")
        );
        assert!(matches!(
            Profile::load("/nowhere.json"),
            Err(ProfileError::Unreadable { .. })
        ));
    }

    #[test]
    fn a_damaged_profile_is_not_shown() {
        let cases = [
            r#"  "headers": {"cookie": "s=marker-cookie"}}"#,
            r#"[{"headers": {"cookie": "s=marker-cookie"}}]"#,
            "cookie: s=marker-cookie",
            r#"{"headers": {"cookie": "s=marker-cookie"}"#,
            r#"{"headers": "s=marker-cookie"}"#,
            r#"{"bearer": "marker-cookie \" quoted"}"#,
            r#"{"operations": {"read_settings": {"override_header": {"name": "a", "value": "marker-cookie\n"}}}}"#,
        ];
        for text in cases {
            let error = Profile::load(text).unwrap_err();
            let said = format!("{error} {error:?} {}", error.remedy());
            assert!(!said.contains("marker-cookie"), "{text}: {said}");
            assert!(said.contains("support_api_profile"), "{text}: {said}");
        }
    }

    #[test]
    fn every_mistake_is_named() {
        let cases = [
            ("{", "not a JSON object"),
            (r#"{"operation": {}}"#, "operation"),
            (
                r#"{"operations": {"list": {"method": "GET", "path": "/", "expected": [200]}}}"#,
                "no such operation",
            ),
            (r#"{"operations": {"read_settings": {"method": "FETCH"}}}"#, "FETCH"),
            (
                r#"{"operations": {"read_settings": {"path": "https://evil.example/"}}}"#,
                "one slash",
            ),
            (
                r#"{"operations": {"read_settings": {"path": "//evil.example/"}}}"#,
                "one slash",
            ),
            (
                r#"{"operations": {"delete_repository": {"path": "/{id}"}}}"#,
                "placeholder",
            ),
            (
                r#"{"operations": {"read_settings": {"expected": [404]}}}"#,
                "200 to 299",
            ),
            (r#"{"operations": {"read_settings": null}}"#, "cannot be removed"),
            (r#"{"headers": {"a b": "c"}}"#, "not a valid header name"),
            (r#"{"headers": {"a": "c\nd"}}"#, "characters"),
            (
                r#"{"repository": {"fields": {"endpoint": null}}}"#,
                "endpoint is missing",
            ),
            (r#"{"repository": {"fields": {"colour": "Colour"}}}"#, "colour"),
            (r#"{"bearer": "yes"}"#, "boolean"),
        ];
        for (text, expected) in cases {
            let error = Profile::load(text).unwrap_err().to_string();
            assert!(
                error.contains(expected) && error.contains("support_api_profile"),
                "{text}: {error}"
            );
        }
    }
}
