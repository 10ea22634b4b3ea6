//! Pages on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A page: its path from the root of the project, and its text.
pub(crate) struct Written {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("{path} cannot be read"))
}

pub(crate) fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    let place = root.join(path);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).with_context(|| format!("the folder of {path} cannot be made"))?;
    }
    fs::write(place, text).with_context(|| format!("{path} cannot be written"))
}

pub(crate) fn remove(root: &Path, path: &str) -> Result<()> {
    fs::remove_file(root.join(path)).with_context(|| format!("{path} cannot be removed"))
}

/// The examples that pages show: files in the folders that the registry knows, by their path below `examples/`.
pub(crate) fn examples(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut examples = BTreeMap::new();
    for kind in [
        "provider",
        "resources",
        "data-sources",
        "ephemeral-resources",
        "functions",
        "actions",
        "list-resources",
    ] {
        for path in files(root, &format!("examples/{kind}"))? {
            let text = read(root, &path)?;
            examples.insert(path.trim_start_matches("examples/").to_owned(), text);
        }
    }
    Ok(examples)
}

/// Every page of the project that people read.
pub(crate) fn markdown(root: &Path) -> Result<Vec<Written>> {
    let mut paths = files(root, "")?;
    paths.retain(|path| path.ends_with(".md"));
    paths
        .into_iter()
        .map(|path| {
            let text = read(root, &path)?;
            Ok(Written { path, text })
        })
        .collect()
}

/// Every file below a folder, sorted, by its path from the root; without what is built or hidden.
pub(crate) fn files(root: &Path, folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(folder) = open.pop() {
        let place = root.join(&folder);
        if !place.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&place).with_context(|| format!("{} cannot be read", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if entry.file_type()?.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if !name.starts_with(".terraform") && !name.contains("tfstate") {
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    Ok(found)
}
