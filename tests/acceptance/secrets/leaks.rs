//! No secret is found in anything that a run leaves behind, whatever happens in it.

use async_trait::async_trait;
use serde_json::json;
use servicenow_provider::clients::Clients;
use servicenow_provider::http::secret;
use servicenow_provider::plugin::server::{Secrets, Server};
use servicenow_provider::plugin::{
    Attribute, BlockType, Configured, Context, Diagnostics, Import, Object, Outcome, Provider, Resource, Schema,
};
use servicenow_provider::provider::Servicenow;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::{Options, instance};

use crate::harness::{Simulator, Terraform, Workspace, for_each_terraform, serve_if_started_by_terraform};

/// A marker for every secret that a configuration can hold, with characters that every encoding changes.
struct Markers {
    of_provider: [(&'static str, String); 2],
    of_resources: Vec<(&'static str, String)>,
}

impl Markers {
    fn new(round: &str) -> Self {
        let marker = |of: &str| format!("marker \"{of}\"/+ü{round}");
        Self {
            of_provider: [
                ("SERVICENOW_PASSWORD", marker("password")),
                ("ARM_CLIENT_SECRET", marker("arm")),
            ],
            of_resources: VARIABLES.map(|name| (name, marker(name))).into(),
        }
    }

    fn all(&self) -> Vec<&str> {
        let resources = self.of_resources.iter().map(|(_, marker)| marker.as_str());
        self.of_provider
            .iter()
            .map(|(_, marker)| marker.as_str())
            .chain(resources)
            .collect()
    }
}

/// A simulator whose own secrets are those markers.
async fn simulator(markers: &Markers) -> Simulator {
    let simulator = Simulator::start_with(Options {
        instance: instance::Options {
            admin_password: markers.of_provider[0].1.clone(),
            ..instance::Options::default()
        },
        ..Options::default()
    })
    .await;
    simulator.directory().with(|tenant| {
        let automation = simulator.client_id();
        let application = tenant
            .applications
            .values_mut()
            .find(|it| it.app_id == automation)
            .unwrap();
        application.passwords[0].secret = markers.of_provider[1].1.clone();
    });
    simulator
}

fn workspace(simulator: &Simulator, terraform: &Terraform, markers: &Markers) -> Workspace {
    let mut workspace = simulator.workspace(terraform, &configuration("1", "first"));
    for (name, marker) in &markers.of_provider {
        workspace.set(name, marker);
    }
    set(&mut workspace, markers);
    workspace
}

fn set(workspace: &mut Workspace, markers: &Markers) {
    for (name, marker) in &markers.of_resources {
        workspace.set(&format!("TF_VAR_{name}"), marker);
    }
}

fn configuration(version: &str, comments: &str) -> String {
    let variables: String = VARIABLES
        .iter()
        .map(|name| format!("variable \"{name}\" {{\n  ephemeral = true\n}}\n"))
        .collect();
    let resources = RESOURCES.replace("$version", version).replace("$comments", comments);
    format!("{variables}{resources}")
}

/// Variables of the secrets that resources take.
const VARIABLES: [&str; 5] = ["outbound", "inbound", "user", "repository", "rest"];

const RESOURCES: &str = r#"
resource "servicenow_oauth_entity" "outbound" {
  name                     = "outbound"
  client_id                = "11111111-2222-3333-4444-555555555555"
  client_secret_wo         = var.outbound
  client_secret_wo_version = "$version"
  comments                 = "$comments"
}

resource "servicenow_oidc_provider" "inbound" {
  name                     = "inbound"
  client_id                = "22222222-2222-3333-4444-555555555555"
  client_secret_wo         = var.inbound
  client_secret_wo_version = "$version"
  comments                 = "$comments"
  configuration = {
    name         = "inbound"
    metadata_url = "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration"
  }
}

resource "servicenow_integration_user" "user" {
  user_name           = "robot"
  title               = "$comments"
  password_wo         = var.user
  password_wo_version = "$version"
}

resource "m365_support_repository" "this" {
  provider                      = servicenow
  repository_id                 = "contoso"
  endpoint                      = "https://example.service-now.com/$comments"
  client_id                     = "22222222-2222-3333-4444-555555555555"
  client_secret_wo              = var.repository
  client_secret_wo_version      = "$version"
  rest_user_name                = "robot"
  rest_user_password_wo         = var.rest
  rest_user_password_wo_version = "$version"
}
"#;

#[tokio::test]
async fn create_update_rotation_and_destroy_leave_no_secret() {
    for_each_terraform(async |terraform| {
        let markers = Markers::new("1");
        let simulator = simulator(&markers).await;
        let mut workspace = workspace(&simulator, terraform, &markers);

        workspace.plan().await;
        workspace.terraform("apply plan.bin").await.succeeds().says("4 added");
        let entity = simulator.instance().find("oauth_entity", "name", "outbound").remove(0);
        assert_eq!(
            entity["client_secret"], markers.of_resources[0].1,
            "the secret did arrive"
        );
        workspace.configure(&configuration("1", "changed"));
        workspace.terraform("apply").await.succeeds().says("4 changed");
        let rotated = Markers::new("2");
        set(&mut workspace, &rotated);
        workspace.configure(&configuration("2", "changed"));
        workspace.plan().await;
        workspace.terraform("apply plan.bin").await.succeeds().says("4 changed");
        let entity = simulator.instance().find("oauth_entity", "name", "outbound").remove(0);
        assert_eq!(
            entity["client_secret"], rotated.of_resources[0].1,
            "the secret was rotated"
        );
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();

        workspace.leaks_nothing_of(&[markers.all(), rotated.all(), vec![simulator.refresh_token()]].concat());
    })
    .await;
}

/// A profile may hold the cookie of a portal session and other headers.
#[tokio::test]
async fn headers_of_a_support_api_profile_leave_no_trace() {
    for_each_terraform(async |terraform| {
        let secrets = ["first-cookie-marker", "second-cookie-marker", "portal-header-marker"];
        let profile = json!({"headers": {
            "Cookie": format!("a={}; b=\"{}\"", secrets[0], secrets[1]),
            "X-Portal-Key": secrets[2],
            "X-Flag": "true",
        }});
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(
            terraform,
            "data \"m365_support_integration\" \"this\" {\n  provider = servicenow\n}\n",
        );
        workspace.set("M365_SUPPORT_API_PROFILE", &profile.to_string());
        workspace.terraform("apply").await.succeeds();
        let sent = simulator.logs().admin.all().remove(0);
        assert_eq!(sent.headers["x-portal-key"], secrets[2]);
        let answer = Fault::Answer {
            status: 400,
            content_type: "application/json".to_owned(),
            body: json!({"error": {"message": format!("true: {}", secrets.join(" and "))}}).to_string(),
        };
        simulator.admin().faults().every(Matcher::any(), answer);

        workspace
            .terraform("plan")
            .await
            .fails_saying("true: *** and *** and ***");

        workspace.leaks_nothing_of(&secrets);
        let schemas = workspace.terraform_with(&["providers", "schema", "-json"]).await.json();
        let provider = schemas["provider_schemas"]
            .as_object()
            .unwrap()
            .values()
            .find(|it| it["provider"]["block"]["attributes"]["instance_url"].is_object())
            .unwrap();
        let attributes = &provider["provider"]["block"]["attributes"]["microsoft365"]["nested_type"]["attributes"];
        assert_eq!(attributes["support_api_profile"]["sensitive"], true, "{attributes:#}");
    })
    .await;
}

/// Whoever refuses a request likes to quote it.
#[tokio::test]
async fn refusals_that_quote_a_secret_leave_none() {
    for_each_terraform(async |terraform| {
        let markers = Markers::new("3");
        let simulator = simulator(&markers).await;
        let quoted = markers.all().join(" and ");
        let json = json!({"error": {"message": format!("not: {quoted}"), "detail": quoted}, "status": "failure"});
        // Some write every character that is not ASCII, and the slash, in their own way.
        let escaped = json.to_string().replace('ü', "\\u00fc").replace('/', "\\/");
        let page = format!("<html><head><title>{quoted}</title></head><body>{quoted}</body></html>");
        let answers = [
            (400, "application/json", json.to_string()),
            (403, "application/json", escaped),
            (500, "application/json", json.to_string()),
            (400, "text/html", page),
            (
                200,
                "application/json",
                json.to_string()[..json.to_string().len() - 3].to_owned(),
            ),
        ];
        for (status, content_type, body) in answers {
            let answer = Fault::Answer {
                status,
                content_type: content_type.to_owned(),
                body,
            };
            simulator.instance().faults().every(Matcher::any(), answer.clone());
            simulator.admin().faults().every(Matcher::any(), answer.clone());
            // A create of which nobody knows the end stays in the state, and a refresh of it knows no write-only argument.
            let workspace = workspace(&simulator, terraform, &markers);

            let apply = workspace.terraform("apply").await;

            apply.fails_saying("Error: ");
            simulator.instance().faults().clear();
            simulator.admin().faults().clear();
            workspace.leaks_nothing_of(&markers.all());
        }
    })
    .await;
}

/// A mistake of ours with every secret in its words: the crash report and the diagnostic show none.
#[tokio::test]
async fn a_panic_leaves_no_secret() {
    for_each_terraform(async |terraform| {
        let markers = Markers::new("4");
        let simulator = simulator(&markers).await;
        let mut workspace = workspace(&simulator, terraform, &markers);
        workspace.use_test_as_provider("secrets::leaks::the_panicking_provider");
        workspace.set("RUST_BACKTRACE", "1");
        let all = VARIABLES.map(|name| format!("var.{name}")).join(", ");
        let password = &markers.of_provider[0].1;
        workspace.configure(&format!(
            "{}\nresource \"servicenow_panic\" \"this\" {{\n  secrets_wo = join(\" and \", [{all}])\n}}\n",
            configuration("1", "first").split("resource").next().unwrap()
        ));

        let apply = workspace.terraform("apply").await;

        apply
            .fails_saying("Bug in the provider")
            .says("ApplyResourceChange of servicenow_panic panicked: no way with ***");
        // OpenTofu keeps a plugin's report of a panic to its log.
        if !terraform.is_opentofu() {
            apply.says("panic: no way with ***");
        }
        workspace.leaks_nothing_of(&markers.all());
        assert!(
            workspace.provider_log().contains("tf_resource_type=servicenow_panic"),
            "{password:?}"
        );
    })
    .await;
}

/// Becomes that provider when terraform starts it; else there is nothing to see.
#[test]
fn the_panicking_provider() {
    serve_if_started_by_terraform(|servicenow| {
        let secrets = Secrets {
            mask: secret::mask,
            learn: |text| secret::register(&text.into()),
        };
        Server::new(Panicking(servicenow), secrets)
    });
}

/// The provider with one resource more, which panics with all that it knows.
struct Panicking(Servicenow);

impl Provider for Panicking {
    type Data = Clients;

    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn configure(&self, config: &Object, terraform_version: &str) -> Configured<Clients> {
        self.0.configure(config, terraform_version)
    }

    fn resources(&self) -> Vec<Box<dyn Resource<Clients>>> {
        vec![Box::new(Panic)]
    }
}

struct Panic;

impl BlockType for Panic {
    fn type_name(&self) -> &'static str {
        "servicenow_panic"
    }

    fn schema(&self) -> Schema {
        let secrets = Attribute::text("secrets_wo")
            .sensitive()
            .write_only()
            .describe("What to tell.");
        Schema::new(
            "Panics.",
            vec![Attribute::text("id").computed().describe("Nothing."), secrets],
        )
    }
}

#[async_trait]
impl Resource<Clients> for Panic {
    async fn create(&self, _cx: &Context<Clients>, _planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        panic!("no way with {}", config.text("secrets_wo").unwrap_or_default());
    }

    async fn read(&self, _cx: &Context<Clients>, state: Object) -> Result<Option<Object>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(
        &self,
        _cx: &Context<Clients>,
        _prior: &Object,
        planned: Object,
        _config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(Outcome::Done(planned, Diagnostics::new()))
    }

    async fn delete(&self, _cx: &Context<Clients>, _state: &Object) -> Result<(), Diagnostics> {
        Ok(())
    }

    async fn import(&self, _cx: &Context<Clients>, _target: Import<'_>) -> Result<Object, Diagnostics> {
        Ok(Object::new())
    }
}
