//! What the log tells, and what the other side learns of who is calling.

use serde_json::Value as Json;
use servicenow_simulator::listener::LoggedRequest;

use crate::harness::{Guide, Simulator, Workspace, for_each_terraform};

/// The provider's own lines of the last command, as JSON.
fn lines(workspace: &Workspace) -> Vec<Json> {
    let log = workspace.provider_log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let of_us = |line: &Json| {
        let module = line["@module"].as_str().unwrap_or_default();
        [
            "sdk.",
            "provider.http",
            "provider.servicenow",
            "provider.microsoft",
            "provider.resources",
        ]
        .iter()
        .any(|ours| module.starts_with(ours))
    };
    lines.filter(of_us).collect()
}

fn is_of_a_call(line: &Json) -> bool {
    !line["@module"]
        .as_str()
        .unwrap_or_default()
        .starts_with("sdk.transport")
}

#[tokio::test]
async fn each_line_names_its_call_and_each_request_has_one() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let mut workspace = guide.workspace(&simulator, terraform);
        workspace.unset("TF_LOG_PROVIDER");
        workspace.set("TF_LOG", "json");

        workspace.terraform("apply").await.succeeds();

        let lines = lines(&workspace);
        for line in lines.iter().filter(|line| is_of_a_call(line)) {
            for name in ["tf_rpc", "tf_resource_type", "tf_req_id"] {
                assert!(!line[name].is_null(), "no {name} in {line}");
            }
        }
        let is_request = |line: &&Json| line["@message"] == "http call";
        let requests: Vec<&Json> = lines.iter().filter(is_request).collect();
        let logs = simulator.logs();
        let answered = [&logs.instance, &logs.login, &logs.admin]
            .iter()
            .map(|log| log.all().len())
            .sum::<usize>();
        assert_eq!(requests.len(), answered, "one line per request");
        for line in &requests {
            assert_eq!(line["@level"], "debug", "{line}");
            for name in ["method", "host", "path", "status", "duration_ms", "attempt"] {
                assert!(!line[name].is_null(), "no {name} in {line}");
            }
            assert!(line["table"].is_string() || line["label"].is_string(), "{line}");
        }
        let insert = requests
            .iter()
            .find(|line| line["method"] == "POST" && line["table"] == "oauth_entity")
            .unwrap();
        assert_eq!(insert["tf_rpc"], "ApplyResourceChange");
        assert_eq!(insert["tf_resource_type"], "servicenow_oauth_entity");
        let ids = simulator.instance().requests();
        let inserted = ids
            .iter()
            .find(|it| it.method == "POST" && it.table == "oauth_entity")
            .unwrap();
        assert_eq!(insert["transaction_id"], inserted.transaction_id.as_str());
        let bodies = lines.iter().filter(|line| line["@message"] == "request body");
        let entity = bodies.into_iter().find(|line| line["table"] == "oauth_entity").unwrap();
        let body = entity["body"].as_str().unwrap();
        assert!(
            body.contains("m365supportintegration_outbound") && body.contains("***"),
            "{body}"
        );
    })
    .await;
}

/// The default is the level that a user sets, and no body is above TRACE.
#[tokio::test]
async fn at_debug_there_are_requests_and_no_bodies() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let mut workspace = guide.workspace(&simulator, terraform);
        workspace.set("TF_LOG_PROVIDER", "DEBUG");

        workspace.terraform("apply").await.succeeds();

        let log = workspace.provider_log();
        assert!(log.contains("http call") && !log.contains("body"), "{log}");
    })
    .await;
}

fn header<'a>(request: &'a LoggedRequest, name: &str) -> &'a str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn requests_say_who_sends_them_and_in_which_run() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let mut workspace = guide.workspace(&simulator, terraform);
        workspace.set("TF_APPEND_USER_AGENT", "contoso-pipeline/7");
        let logs = simulator.logs();
        let all = || [logs.instance.all(), logs.login.all(), logs.admin.all()].concat();
        // OpenTofu tells providers the version of a Terraform.
        let version = (!terraform.is_opentofu()).then(|| terraform.version());
        let start = format!("Terraform/{}", version.unwrap_or_default());

        workspace.terraform("plan").await.succeeds();
        let before = all().len();
        workspace.terraform("apply").await.succeeds();

        let sent = all();
        assert!(sent.len() > before + 10);
        let run = header(&logs.admin.all()[0], "x-correlation-id").to_owned();
        assert!(run.starts_with("terraform-"), "{run}");
        for request in &sent {
            let agent = header(request, "user-agent");
            assert!(
                agent.starts_with(&start)
                    && agent.contains(" (+https://www.terraform.io) terraform-provider-servicenow/")
                    && agent.ends_with(" contoso-pipeline/7"),
                "{agent}"
            );
            assert_eq!(header(request, "x-correlation-id"), run, "{request:?}");
        }

        // A run of HCP Terraform has a name of its own.
        workspace.set("TFC_RUN_ID", "run-abc123");
        workspace.set("TFC_WORKSPACE_NAME", "contoso-prod");
        [&logs.instance, &logs.login, &logs.admin]
            .iter()
            .for_each(|log| log.clear());
        workspace.terraform("plan").await.succeeds();
        for request in all() {
            assert_eq!(header(&request, "x-correlation-id"), "run-abc123", "{request:?}");
            assert!(
                header(&request, "user-agent").contains(" HCPTerraform/run-abc123 (contoso-prod) "),
                "{request:?}"
            );
        }

        let provider = std::fs::read_to_string(workspace.folder().join("provider.tf")).unwrap();
        workspace.write(
            "provider.tf",
            &provider.replacen('{', "{\n  run_correlation = false", 1),
        );
        [&logs.instance, &logs.login, &logs.admin]
            .iter()
            .for_each(|log| log.clear());
        workspace.terraform("plan").await.succeeds();
        assert!(!all().is_empty());
        for request in all() {
            let sent = format!("{:?}", request.headers);
            assert!(!sent.contains("run-abc123") && !sent.contains("correlation"), "{sent}");
        }
    })
    .await;
}
