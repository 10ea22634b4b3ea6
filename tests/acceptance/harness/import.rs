//! The import round trip of a resource.

use serde_json::Value;

use super::{Terraform, Workspace};

/// What `terraform import` and `import` blocks of one resource are given, and what comes of it.
pub(crate) struct Imports<'a> {
    pub(crate) address: &'a str,
    /// `main.tf`, with which an import leaves nothing to do.
    pub(crate) configuration: &'a str,
    /// An attribute of the identity, and its value.
    pub(crate) identity: (&'a str, &'a str),
    /// What finds the object: its id, columns.
    pub(crate) targets: &'a [&'a str],
    /// Attributes after each import.
    pub(crate) state: &'a [(&'a str, &'a str)],
    /// What finds nothing or too much, and the message.
    pub(crate) refused: &'a [(&'a str, &'a str)],
}

impl Imports<'_> {
    /// Imports by each target and by identity; each time the state is complete and the plan is empty. Whether or not the
    /// object was in the state before, it is there at the end.
    pub(crate) async fn round_trip(&self, terraform: &Terraform, workspace: &Workspace) {
        if workspace.addresses().iter().any(|it| it == self.address) {
            self.forget(workspace).await;
        }
        workspace.configure(self.configuration);
        let mut identity = Value::Null;
        for target in self.targets {
            self.import(workspace, target).await.succeeds();
            let state = workspace.state(self.address);
            identity = state.identity().clone();
            for (attribute, value) in self.state {
                state.has(attribute, *value);
            }
            workspace.plan_is_empty().await;
            self.forget(workspace).await;
        }
        for (target, message) in self.refused {
            self.import(workspace, target).await.fails_saying(message);
        }
        if !terraform.has("1.12", "import by identity") {
            self.import(workspace, self.targets[0]).await.succeeds();
            return;
        }
        let (attribute, value) = self.identity;
        // OpenTofu takes the provider from the type's name otherwise.
        let provider = if self.address.starts_with("m365_") {
            "  provider = servicenow\n"
        } else {
            ""
        };
        let block = format!(
            "import {{\n{provider}  to = {}\n  identity = {identity}\n}}\n",
            self.address
        );
        workspace.configure(&format!("{}\n{block}", self.configuration));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed");
        let state = workspace.state(self.address);
        assert_eq!(state.identity()[attribute], value, "the identity of {}", self.address);
        workspace.configure(self.configuration);
    }

    async fn import(&self, workspace: &Workspace, target: &str) -> super::Run {
        workspace.terraform_with(&["import", self.address, target]).await
    }

    async fn forget(&self, workspace: &Workspace) {
        workspace
            .terraform(&format!("state rm {}", self.address))
            .await
            .succeeds();
    }
}
