//! Requests to the Table API of an instance and its responses, one file per story. `make live RECORD=1` writes such files, and the
//! tests of the client replay those in `tests/recordings`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// What it shows, in a sentence.
    pub about: String,
    /// Where the exchanges come from: a run of `make live`, or what was published elsewhere. For the latter, it also says which
    /// parts nobody recorded.
    pub origin: String,
    pub exchanges: Vec<Exchange>,
}

/// One request and its response.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub request: Request,
    pub response: Response,
    /// What the client takes the response for, in its own words. Empty in what a run writes, until `BLESS=1` fills it in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub read_as: String,
}

/// A request without its sign-in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// From `/api/now/table/` on, without the query.
    pub path: String,
    /// The decoded parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl Request {
    /// The table, and the key of the record where it is about one.
    #[must_use]
    pub fn target(&self) -> Option<(&str, Option<&str>)> {
        let mut parts = self.path.strip_prefix(TABLE_API)?.split('/');
        let table = parts.next().filter(|table| !table.is_empty())?;
        let key = parts.next();
        parts.next().is_none().then_some((table, key))
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    pub status: u16,
    /// In small letters; only those that say something of the records.
    pub headers: BTreeMap<String, String>,
    /// A body that is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Another body, such as a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Every recording of a folder, in the order of the file names.
///
/// # Errors
/// For a folder or a file that cannot be read, and for a file that is no recording.
pub fn all(folder: &Path) -> Result<Vec<(PathBuf, Recording)>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let recording = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok((path, recording))
    };
    paths.into_iter().map(read).collect()
}

/// Writes a recording, indented, for people who compare.
///
/// # Errors
/// For a folder that cannot be made and a file that cannot be written.
pub fn write(path: &Path, recording: &Recording) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let text = serde_json::to_string_pretty(recording)?;
    fs::write(path, text + "\n").with_context(|| path.display().to_string())
}

/// Where the Table API begins.
pub const TABLE_API: &str = "/api/now/table/";
