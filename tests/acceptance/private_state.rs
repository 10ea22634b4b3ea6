//! What Terraform does with the data that a provider keeps beside the state. The provider relies on each of these, and
//! docs/decisions/0010-private-state.md and docs/decisions/0013-plans-read-private-data.md say what follows from them.

use async_trait::async_trait;
use serde_json::Value as Json;
use servicenow_provider::clients::Clients;
use servicenow_provider::plugin::server::Server;
use servicenow_provider::plugin::{
    Attribute, BlockType, Configured, Context, Diagnostic, Diagnostics, Import, Object, Outcome, Plan, Provider,
    Resource, Schema,
};
use servicenow_provider::provider::Servicenow;

use crate::harness::{Simulator, for_each_terraform, serve_if_started_by_terraform};

fn configuration(name: &str) -> String {
    format!("resource \"servicenow_noted\" \"this\" {{\n  name = {name:?}\n}}\n")
}

/// A refresh, a plan and an apply have what the apply before noted.
#[tokio::test]
async fn a_plan_reads_what_is_kept_beside_the_state() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &configuration("one"));
        workspace.use_test_as_provider("private_state::the_noting_provider");
        workspace.terraform("apply").await.succeeds();

        let plan = workspace.terraform("plan").await;

        plan.succeeds().says("read saw one").says("plan saw one");
    })
    .await;
}

/// Both legs of a replacement get the data of the object that goes: the delete needs it, and the framework keeps it from
/// the create.
#[tokio::test]
async fn both_legs_of_a_replacement_share_what_is_kept_beside_the_state() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &configuration("one"));
        workspace.use_test_as_provider("private_state::the_noting_provider");
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&configuration("two"));

        let replaced = workspace.terraform("apply").await;

        replaced.succeeds().says("delete saw one").says("create saw nothing");
        workspace.terraform("plan").await.succeeds().says("read saw two");
    })
    .await;
}

/// The delete of a tainted object does not get what its create noted.
#[tokio::test]
async fn what_is_kept_beside_the_state_does_not_survive_a_taint() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &configuration("half"));
        workspace.use_test_as_provider("private_state::the_noting_provider");
        workspace.terraform("apply").await.fails_saying("Half of it");
        workspace.configure(&configuration("whole"));

        let again = workspace.terraform("apply").await;

        again.succeeds().says("read saw half").says("delete saw nothing");
    })
    .await;
}

/// Becomes that provider when terraform starts it; else there is nothing to see.
#[test]
fn the_noting_provider() {
    serve_if_started_by_terraform(|servicenow| Server::unmasked(Noting(servicenow)));
}

/// The provider with one resource, which keeps its name beside the state and says what it finds there.
struct Noting(Servicenow);

impl Provider for Noting {
    type Data = Clients;

    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn configure(&self, config: &Object, terraform_version: &str) -> Configured<Clients> {
        self.0.configure(config, terraform_version)
    }

    fn resources(&self) -> Vec<Box<dyn Resource<Clients>>> {
        vec![Box::new(Noted)]
    }
}

struct Noted;

const NOTED: &str = "noted";

fn tell(cx: &Context<Clients>, who: &str) {
    let seen = cx.private(NOTED).unwrap_or_else(|| Json::from("nothing"));
    let seen = seen.as_str().unwrap_or_default();
    // Terraform shows only the first of several warnings with one summary.
    cx.warn(Diagnostic::warning(format!("{who} saw {seen}"), "Beside the state."));
}

impl BlockType for Noted {
    fn type_name(&self) -> &'static str {
        "servicenow_noted"
    }

    fn schema(&self) -> Schema {
        let name = Attribute::text("name").required().replaces().describe("Its name.");
        let id = Attribute::text("id").computed().stable().describe("Its key.");
        Schema::new("Notes.", vec![id, name])
    }
}

#[async_trait]
impl Resource<Clients> for Noted {
    async fn plan(&self, cx: Option<&Context<Clients>>, _: &mut Plan<'_>) {
        if let Some(cx) = cx {
            tell(cx, "plan");
        }
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, _: &Object) -> Result<Outcome, Diagnostics> {
        tell(cx, "create");
        let name = planned.text("name").unwrap_or_default().to_owned();
        cx.set_private(NOTED, name.as_str().into());
        let made = planned.with("id", name.as_str());
        Ok(match name.as_str() {
            "half" => Outcome::Partly(
                made,
                Diagnostic::error("Half of it", "Only half of it was made.").into(),
            ),
            _ => Outcome::Done(made, Diagnostics::new()),
        })
    }

    async fn read(&self, cx: &Context<Clients>, state: Object) -> Result<Option<Object>, Diagnostics> {
        tell(cx, "read");
        Ok(Some(state))
    }

    async fn update(
        &self,
        _: &Context<Clients>,
        _: &Object,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(Outcome::Done(planned, Diagnostics::new()))
    }

    async fn delete(&self, cx: &Context<Clients>, _: &Object) -> Result<(), Diagnostics> {
        tell(cx, "delete");
        Ok(())
    }

    async fn import(&self, _: &Context<Clients>, _: Import<'_>) -> Result<Object, Diagnostics> {
        Ok(Object::new())
    }
}
