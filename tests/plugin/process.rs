//! Calls that misbehave, in a real process: its end, its log, its crash report.

use std::ffi::OsString;
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::{Value as Json, json};
use servicenow_provider::plugin::proto::go_plugin::Empty;
use servicenow_provider::plugin::proto::go_plugin::grpc_controller_client::GrpcControllerClient;
use servicenow_provider::plugin::proto::tfplugin6::provider_client::ProviderClient;
use servicenow_provider::plugin::server::Server;
use servicenow_provider::plugin::transport;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::support::core::{Answer, Core};
use crate::support::host::{PATIENCE, Plugin, Setup, within};
use crate::support::misbehaving_provider::{SECRET, THING, Things, mask, secrets};

/// Becomes the plugin of things when a host starts this binary; else there is nothing to see.
#[test]
fn plugin_of_things() {
    let plugin = transport::Plugin {
        addresses: &["registry.example.org/example/things"],
        name: "things",
        version: "1",
        mask,
    };
    let started_by_host = std::env::vars().any(|(name, _)| name == "TF_PLUGIN_MAGIC_COOKIE");
    if started_by_host {
        transport::run_with(plugin, Vec::<OsString>::new(), || {
            Server::new(Things::default(), secrets())
        });
    }
}

/// A configured plugin of things that logs everything.
async fn things() -> (Plugin, Core) {
    let plugin = Setup::usual()
        .with("TF_LOG", "trace")
        .start_test("process::plugin_of_things");
    let client = ProviderClient::new(plugin.channel().await)
        .max_decoding_message_size(256 << 20)
        .max_encoding_message_size(256 << 20);
    let core = Core::start(client, json!({})).await;
    (plugin, core)
}

/// Starts a create that takes long, and waits until it has begun.
async fn begin(plugin: &Plugin, core: &Core, name: &str, sign: &str) -> JoinHandle<Option<Answer>> {
    let mut core = core.clone();
    let config = json!({ "name": name });
    let call = tokio::spawn(async move {
        let planned = core.plan(THING, &Json::Null, &config).await.ok();
        core.try_apply(THING, &Json::Null, &planned, &config).await.ok()
    });
    plugin.stderr.wait_for(sign).await;
    call
}

#[tokio::test]
async fn sigterm_lets_a_running_create_tell_what_exists() {
    let (mut plugin, core) = things().await;
    let create = begin(&plugin, &core, "is slow", "a slow create has begun").await;

    plugin.signal("TERM");

    let answer = timeout(PATIENCE, create).await.unwrap().unwrap().expect("an answer");
    assert_eq!(answer.fails_saying("Stopped").state["id"], "id of is slow");
    drop(core);
    assert_eq!(plugin.exit_within(PATIENCE).await.code(), Some(0));
    assert!(plugin.left_behind().is_empty());
}

#[tokio::test]
async fn an_interrupt_leaves_a_running_create_alone() {
    let (plugin, mut core) = things().await;
    let create = begin(&plugin, &core, "is slow", "a slow create has begun").await;

    plugin.signal("INT");
    plugin.stderr.wait_for("ignored an interrupt").await;
    assert!(!create.is_finished());
    core.stop().await;

    let answer = timeout(PATIENCE, create).await.unwrap().unwrap().expect("an answer");
    assert_eq!(answer.fails_saying("Stopped").state["id"], "id of is slow");
    core.create(THING, json!({ "name": "later" })).await.ok();
}

async fn shut_down(plugin: &mut Plugin) -> ExitStatus {
    let mut controller = GrpcControllerClient::new(plugin.channel().await);
    // With every thread blocked there may be no answer.
    drop(timeout(Duration::from_millis(100), controller.shutdown(Empty {})).await);
    plugin.exit_within(Duration::from_secs(2)).await
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_call_that_never_ends() {
    let (mut plugin, core) = things().await;
    let _create = begin(&plugin, &core, "never ends", "a create that never ends has begun").await;

    let started = Instant::now();
    shut_down(&mut plugin).await;

    assert!(
        started.elapsed() >= Duration::from_millis(500),
        "it gave the call some time"
    );
    assert!(plugin.left_behind().is_empty());
}

#[tokio::test]
async fn a_call_that_blocks_its_thread_stops_neither_the_others_nor_the_end() {
    let (mut plugin, mut core) = things().await;
    let _create = begin(&plugin, &core, "blocks", "a create that blocks its thread has begun").await;

    let quick = core.create(THING, json!({ "name": "quick" }));
    timeout(PATIENCE, quick).await.expect("another thread answers").ok();

    // Nor when all threads are blocked.
    for _ in 0..4 {
        let mut core = core.clone();
        tokio::spawn(async move { core.create(THING, json!({ "name": "blocks" })).await });
    }
    let blocked = || {
        plugin
            .stderr
            .text()
            .matches("a create that blocks its thread has begun")
            .count()
    };
    assert!(within(PATIENCE, || blocked() == 2).await, "{} blocked", blocked());
    shut_down(&mut plugin).await;
    assert!(plugin.left_behind().is_empty());
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once() {
    let (mut plugin, core) = things().await;
    let _create = begin(&plugin, &core, "never ends", "a create that never ends has begun").await;

    plugin.signal("TERM");
    plugin.stderr.wait_for("Terminated").await;
    plugin.signal("TERM");

    plugin.exit_within(Duration::from_secs(5)).await;
    assert!(plugin.left_behind().is_empty());
}

#[tokio::test]
async fn a_panic_leaves_a_crash_report_that_the_host_recognises() {
    let (plugin, mut core) = things().await;

    core.create(THING, json!({ "name": "panics" }))
        .await
        .fails_saying("bug in the provider");

    assert!(within(PATIENCE, || plugin.stderr.text().contains("misbehaving_provider.rs:")).await);
    let log = plugin.stderr.text();
    let report = log
        .lines()
        .skip_while(|line| !line.starts_with("panic: "))
        .take(2)
        .collect::<Vec<_>>();
    assert_eq!(report[0], "panic: no thing, and *** is told");
    assert!(
        report[1].contains("misbehaving_provider.rs:"),
        "the place of the fault: {report:?}"
    );
    assert!(!log.contains(SECRET) && !log.contains("thread '"), "{log}");
}

#[tokio::test]
async fn values_of_a_hundred_megabytes_pass_and_stay_out_of_the_log() {
    let (mut plugin, mut core) = things().await;
    let payload = "x".repeat(100 << 20);
    let config = json!({ "name": "big", "payload": payload });

    let planned = core.plan(THING, &Json::Null, &config).await.ok();

    assert!(planned.state["payload"] == payload.as_str());
    drop(core);
    plugin.shut_down().await;
    assert!(within(PATIENCE, || plugin.stderr.ended()).await);
    assert!(plugin.stderr.text().len() < 100_000);
}

#[tokio::test]
async fn the_log_names_the_call_and_hides_what_it_carried() {
    let (mut plugin, core) = things().await;
    let _create = begin(&plugin, &core, "never ends", "a create that never ends has begun").await;
    shut_down(&mut plugin).await;
    assert!(within(PATIENCE, || plugin.stderr.ended()).await);

    let log = plugin.stderr.text();
    let line = log.lines().find(|line| line.contains("never ends has begun")).unwrap();
    let fields: Json = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&fields["tf_rpc"], &fields["tf_resource_type"]),
        (&"ApplyResourceChange".into(), &THING.into())
    );
    assert_eq!(fields["@message"], "a create that never ends has begun, *** is told");
    assert!(
        fields["tf_req_id"].is_number() || fields["tf_req_id"].is_string(),
        "{line}"
    );
    assert!(!log.contains(SECRET));
}
