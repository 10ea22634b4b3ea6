//! The program: its first line, and how it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running program; dropped, it ends.
struct Running {
    child: Child,
    announced: Value,
}

impl Running {
    fn start(state: &Path) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_servicenow-simulator"))
            .args(["--state".as_ref(), state.as_os_str()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Running {
            child,
            announced: serde_json::from_str(&line).unwrap(),
        }
    }

    fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_line_has_the_same_shape_every_time_and_a_signal_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let mut tenants = Vec::new();
    for signal in ["INT", "TERM"] {
        let mut program = Running::start(&state);

        let names: Vec<_> = program
            .announced
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();

        assert_eq!(
            names,
            [
                "admin_url",
                "ca_certificate",
                "client_id",
                "client_secret",
                "connection_test_url",
                "graph_url",
                "instance_url",
                "login_url",
                "metadata_host",
                "password",
                "refresh_token",
                "tenant_domain",
                "tenant_id",
                "username",
            ]
        );
        assert!(program.announced.as_object().unwrap().values().all(Value::is_string));
        let authority = program.announced["ca_certificate"].as_str().unwrap().to_owned();
        assert!(
            std::fs::read_to_string(&authority)
                .unwrap()
                .contains("BEGIN CERTIFICATE")
        );
        tenants.push(program.announced["tenant_id"].clone());
        assert_eq!(program.end(signal), Some(0));
        assert!(!Path::new(&authority).exists());
    }
    assert_eq!(tenants[0], tenants[1], "the state file keeps the tenant");
}

#[test]
fn an_unknown_argument_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_servicenow-simulator"))
        .arg("--prot")
        .output()
        .unwrap();

    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("--prot"));
    assert!(output.stdout.is_empty());
}
