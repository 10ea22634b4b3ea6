//! The state file: everything that a restart keeps. It holds secrets and belongs to its owner only.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use crate::instance::Instance;
use crate::microsoft::admin_center::Admin;
use crate::microsoft::directory::{Directory, Tenant};
use crate::simulator::Account;

/// Puts the file's contents in place.
pub(crate) fn load(path: &Path, instance: &Instance, directory: &Directory, admin: &Admin) -> anyhow::Result<Account> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let state: Value = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    if state["version"].as_u64() != Some(VERSION) {
        return Err(anyhow!(
            "{} is not of version {VERSION}; remove it to start afresh",
            path.display()
        ));
    }
    let tenant: Tenant = serde_json::from_value(state["tenant"].clone()).context("the tenant in the state file")?;
    let account = |name: &str| {
        let value = state["account"][name]
            .as_str()
            .with_context(|| format!("account.{name} in the state file"))?;
        Ok::<String, anyhow::Error>(value.to_owned())
    };
    let account = Account {
        client_id: account("client_id")?,
        client_secret: account("client_secret")?,
        refresh_token: account("refresh_token")?,
    };
    instance
        .restore(&state["instance"])
        .map_err(|error| anyhow!("the instance in the state file: {error}"))?;
    admin.restore(&state["admin"]).map_err(|error| anyhow!("{error}"))?;
    directory.with(|current| *current = tenant);
    Ok(account)
}

/// Replaces the file in one step, so that a kill in between leaves the old one.
pub(crate) fn save(
    path: &Path,
    instance: &Instance,
    directory: &Directory,
    admin: &Admin,
    account: &Account,
) -> anyhow::Result<()> {
    let state = json!({
        "version": VERSION,
        "tenant": directory.with(|tenant| serde_json::to_value(tenant))?,
        "admin": admin.snapshot(),
        "instance": instance.snapshot(),
        "account": {
            "client_id": account.client_id,
            "client_secret": account.client_secret,
            "refresh_token": account.refresh_token,
        },
    });
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Temporary files are readable by their owner only, and the name keeps that.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(|| format!("write in {}", folder.display()))?;
    file.write_all(serde_json::to_string_pretty(&state)?.as_bytes())?;
    file.persist(path)
        .with_context(|| format!("write {}", path.display()))?;
    Ok(())
}

const VERSION: u64 = 1;
