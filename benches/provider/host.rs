//! Starts a plugin as Terraform does, up to its handshake line.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use tokio::time::Instant;

/// A plugin that printed its handshake line.
pub(crate) struct Started {
    pub(crate) milliseconds: f64,
    pub(crate) resident_kib: u64,
}

/// Starts a plugin, with TLS, and ends it.
pub(crate) fn start(binary: &Path) -> Option<Started> {
    let begun = Instant::now();
    let mut plugin = Command::new(binary)
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_CLIENT_CERT", CERTIFICATE.as_str())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut line = String::new();
    BufReader::new(plugin.stdout.take()?).read_line(&mut line).ok()?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    let resident_kib = resident_kib(plugin.id());
    plugin.kill().ok()?;
    plugin.wait().ok()?;
    line.starts_with("1|").then_some(Started {
        milliseconds,
        resident_kib: resident_kib?,
    })
}

/// Resident memory of a process.
pub(crate) fn resident_kib(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

static CERTIFICATE: LazyLock<String> = LazyLock::new(|| {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    parameters.self_signed(&key).expect("a certificate").pem()
});
