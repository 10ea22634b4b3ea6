//! No room: for the provider's socket, and for Terraform's state.

use std::os::unix::fs::symlink;

use crate::harness::{Simulator, for_each_terraform};

fn user(name: &str) -> String {
    format!("resource \"servicenow_integration_user\" \"{name}\" {{\n  user_name = \"{name}\"\n}}\n")
}

/// Terraform shows what the provider says before it ends: where it wanted to go, why it could not, what helps.
#[tokio::test]
async fn a_provider_without_room_for_its_socket_says_so() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, &user("robot"));
        workspace.write("file", "");
        for (folder, why) in [("missing", "No such file or directory"), ("file", "Not a directory")] {
            let folder = workspace.folder().join(folder);
            workspace.set("TMPDIR", &folder.display().to_string());

            workspace
                .terraform("apply")
                .await
                .fails_saying("cannot make a private folder for the socket in")
                .says("point TMPDIR to a folder that exists, is writable and has space left")
                .says(why);
        }
        assert!(simulator.created("sys_user").is_empty());
    })
    .await;
}

/// What Terraform could not save is in `errored.tfstate`; pushed back, it agrees with the instance.
#[tokio::test]
async fn a_state_that_could_not_be_saved_is_pushed_back() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &user("robot"));
        // Like a full disk: it can be opened, and does not take what is written.
        symlink("/dev/null", workspace.folder().join("full.tfstate")).unwrap();

        workspace
            .terraform("apply -lock=false -state-out=full.tfstate")
            .await
            .fails_saying("Failed to save state");

        simulator.only_record("sys_user");
        assert!(workspace.addresses().is_empty());
        workspace.terraform("state push errored.tfstate").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}
