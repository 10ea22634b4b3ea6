//! How a person gets a refresh token: the commands of `docs/guides/sign-in-microsoft.md`, to the letter.

use std::fs;

use serde_json::{Value, json};
use servicenow_simulator::microsoft::directory::Registered;

use crate::harness::modules_and_examples::shipped;
use crate::harness::page_commands::{Console, blocks, filled};
use crate::harness::{Simulator, for_each_terraform};

const SETTINGS: &str = r#"
    resource "m365_support_settings" "this" {
      provider       = servicenow
      application_id = "11111111-1111-4111-8111-111111111111"
    }
"#;

/// The application of step 1, which has a secret here, so that it can be sent by mistake.
fn register(simulator: &Simulator) -> Registered {
    let application = simulator.register_for_a_person("sign-in");
    simulator.directory().with(|tenant| {
        let registered = tenant.applications.get_mut(&application.object_id).unwrap();
        registered
            .fields
            .insert("isFallbackPublicClient".to_owned(), json!(true));
    });
    application
}

/// The page's commands, in its order: variables, request for the code, request for the tokens, the variable with the result.
fn commands(simulator: &Simulator) -> [String; 4] {
    let page = fs::read_to_string(shipped("docs/guides/sign-in-microsoft.md")).unwrap();
    let page = page.replace("https://login.microsoftonline.com", &simulator.urls().login);
    let all = blocks(&page).into_iter();
    let mut with_curl = all.filter(|block| block.iter().any(|command| command.starts_with("curl ")));
    let block = with_curl.next().expect("a block with curl");
    block.try_into().expect("four commands")
}

#[tokio::test]
async fn a_person_gets_a_refresh_token_that_signs_in() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let application = register(&simulator);
        let mut workspace = simulator.workspace(terraform, SETTINGS);
        workspace.unset_microsoft();
        workspace.set("CURL_CA_BUNDLE", &simulator.ca_certificate().display().to_string());
        workspace.set("TF_CLI_ARGS_apply", "-auto-approve -no-color");
        let [variables, begin, redeem, keep] = commands(&simulator);
        let tenant = simulator.tenant_id();
        let mut values = vec![
            ("ARM_TENANT_ID", tenant.as_str()),
            ("ARM_CLIENT_ID", application.client_id.as_str()),
        ];
        let mut console = Console::new(&workspace);

        let begun = ask(&mut console, &[filled(&variables, &values).unwrap(), begin]).await;
        let text =
            |answer: &Value, name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned();
        let device_code = text(&begun, "device_code");
        values.push(("device_code", &device_code));
        let redeem = filled(&redeem, &values).unwrap();
        assert_eq!(
            ask(&mut console, std::slice::from_ref(&redeem)).await["error"],
            "authorization_pending"
        );
        assert!(simulator.entra().approve_device_code(&text(&begun, "user_code")));
        let token = text(&ask(&mut console, &[redeem]).await, "refresh_token");

        let keep = filled(&keep, &[("M365_REFRESH_TOKEN", &token)]).unwrap();
        let apply = "terraform apply".to_owned();
        console.run(&[keep, apply.clone()]).await.succeeds().says("1 added");

        // A public client may not prove itself, as the page says.
        let secret = format!("export ARM_CLIENT_SECRET={}", application.client_secret);
        let run = console.run(&[secret, apply]).await;
        run.fails_saying("AADSTS700025");
    })
    .await;
}

async fn ask(console: &mut Console<'_>, commands: &[String]) -> Value {
    let run = console.run(commands).await;
    run.succeeds();
    run.json()
}
