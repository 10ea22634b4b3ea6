//! The provider as Terraform finds and starts it.

use std::fs;

use crate::harness::{Simulator, Workspace, for_each_terraform};

/// Terraform reads the schema through the handshake, mutual TLS and gRPC, without any server being asked.
#[tokio::test]
async fn the_schema_is_read_without_asking_anybody() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, "");

        let schemas = workspace.terraform("providers schema -json").await.succeeds().json();

        let provider = &schemas["provider_schemas"][workspace.address()];
        assert!(provider["provider"]["block"].is_object(), "{schemas:#}");
        assert_eq!(simulator.logs().instance.all().len(), 0);
        assert_eq!(simulator.logs().login.all().len(), 0);
    })
    .await;
}

/// The way of a real installation: `init` finds the version, checks the package and writes the lock file.
#[tokio::test]
async fn init_installs_it_from_a_mirror_and_locks_it() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::new(terraform, "");
        let version = env!("CARGO_PKG_VERSION");
        workspace.init_from_mirrors(None);

        workspace
            .terraform("init")
            .await
            .succeeds()
            .says(&format!("Installing servicenow-m365/servicenow v{version}"));

        let lock = fs::read_to_string(workspace.folder().join(".terraform.lock.hcl")).unwrap();
        assert!(
            lock.contains(&format!("version = \"{version}\"")) && lock.contains("h1:"),
            "{lock}"
        );
        workspace.terraform("providers schema -json").await.succeeds();
    })
    .await;
}
