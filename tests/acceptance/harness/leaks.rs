//! Looks for secrets in everything that a terraform command leaves behind.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::zip;

/// Every place below `folder` where one of `secrets` stands, in the clear or encoded. Plan files are unpacked.
///
/// Configuration is left out, also the copy of it in a plan file: what people write there is theirs. So a test hands its
/// secrets over in ephemeral variables.
pub(super) fn below(folder: &Path, secrets: &[&str]) -> Vec<String> {
    let mut leaks = Vec::new();
    for file in files(folder) {
        let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        if [".tf", ".hcl", ".tfvars"]
            .iter()
            .any(|configuration| name.ends_with(configuration))
        {
            continue;
        }
        let content = fs::read(&file).unwrap_or_default();
        if zip::is_zip(&content) {
            for (entry, content) in zip::entries(&content) {
                if !entry.starts_with("tfconfig/") {
                    leaks.extend(within(&format!("{name}:{entry}"), &content, secrets));
                }
            }
        } else {
            leaks.extend(within(&name, &content, secrets));
        }
    }
    leaks
}

/// The same for one text or file content, called `name`.
pub(super) fn within(name: &str, content: &[u8], secrets: &[&str]) -> Vec<String> {
    let mut leaks = Vec::new();
    for secret in secrets {
        assert!(
            secret.len() >= 8,
            "a secret of under 8 characters is found by accident: {secret:?}"
        );
        for (form, needle) in forms(secret) {
            if content.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                leaks.push(format!("{name} holds {secret:?} ({form})"));
            }
        }
    }
    leaks
}

fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(secret).unwrap();
    let mut forms = vec![
        ("in the clear", secret.to_owned()),
        ("as JSON", json.trim_matches('"').to_owned()),
        (
            "percent-encoded",
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        ),
    ];
    // In the middle of something longer, such as `user:secret`, base64 has one of three looks. The characters at both
    // ends depend on the neighbours, so they are cut off.
    for before in 0..3 {
        let padded = [&b"\0\0"[..before], secret.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&padded);
        let start = (before * 8).div_ceil(6);
        let end = padded.len() * 8 / 6;
        forms.push(("as base64", encoded[start..end].to_owned()));
    }
    forms.dedup_by(|one, other| one.1 == other.1);
    forms
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        // The link to the provider's own binary is neither a folder nor a file here.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            Ok(_) | Err(_) => {}
        }
    }
    found.sort();
    found
}
