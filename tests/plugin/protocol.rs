//! The protocol below Terraform: what Terraform never sends, and what it sees of each answer.

use std::time::Duration;

use crate::support::core::{Answer, Core, capabilities, dynamic, in_memory, texts};
use crate::support::misbehaving_provider::{ACT, NOTED, SECRET, STALE, THING, Things, secrets};
use crate::support::msgpack::{from_msgpack, to_msgpack, unknown};
use serde_json::{Value as Json, json};
use servicenow_provider::plugin::proto::tfplugin6 as wire;
use servicenow_provider::plugin::server::Server;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// A configured provider of things.
async fn core() -> (Core, Things) {
    let things = Things::default();
    let client = in_memory(Server::new(things.clone(), secrets())).await;
    (Core::start(client, json!({})).await, things)
}

#[tokio::test]
async fn a_thing_is_created_and_then_there_is_nothing_to_do() {
    let (mut core, _) = core().await;
    let config = json!({ "name": "a", "parts": [{ "key": "k", "value": null }], "tags": ["x", "y"] });

    let planned = core.plan(THING, &Json::Null, &config).await.ok();
    assert_eq!(
        (&planned.state["id"], &planned.state["note"]),
        (&unknown(), &"none".into())
    );
    let created = core.apply(THING, &Json::Null, &planned, &config).await.ok();
    assert_eq!(created.state["id"], "id of a");

    let read = core.read(THING, &created.state).await.ok();
    assert_eq!(read.state, created.state);
    let again = core.plan(THING, &read.state, &config).await.ok();
    assert_eq!(again.state, read.state, "nothing to do");

    let renamed = core.plan(THING, &read.state, &json!({ "name": "b" })).await.ok();
    assert_eq!(renamed.replace, ["name"]);
    let destroyed = core.plan(THING, &read.state, &Json::Null).await.ok();
    assert_eq!(destroyed.state, Json::Null);
    let gone = core.apply(THING, &read.state, &destroyed, &Json::Null).await.ok();
    assert_eq!(gone.state, Json::Null);
}

#[tokio::test]
async fn numbers_keep_every_digit() {
    let (mut core, _) = core().await;
    for (number, answered) in [
        ("1", json!(1)),
        ("-7", json!(-7)),
        ("1.5", json!(1.5)),
        ("0.1", json!("0.1")),
        ("9223372036854775807", json!(9223372036854775807_i64)),
        ("9223372036854775808", json!("9223372036854775808")),
        (
            "12345678901234567890123456789.5",
            json!("12345678901234567890123456789.5"),
        ),
    ] {
        let config = json!({ "name": "n", "size": serde_json::from_str::<Json>(number).unwrap() });

        let created = core.create(THING, config.clone()).await.ok();

        assert_eq!(created.state["size"], answered, "{number}");
        assert_eq!(
            core.plan(THING, &created.state, &config).await.ok().state["size"],
            answered,
            "{number}"
        );
    }
}

#[tokio::test]
async fn what_is_not_known_yet_is_planned_and_never_refined() {
    let (mut core, _) = core().await;
    let config = json!({
        "name": { "$prefix": "thing-" },
        "tags": ["x", unknown()],
        "parts": unknown(),
        "anything": unknown(),
    });

    let planned = core.plan(THING, &Json::Null, &config).await.ok();

    assert_eq!(
        (&planned.state["name"], &planned.state["parts"]),
        (&unknown(), &unknown())
    );
    assert_eq!(planned.state["tags"], json!(["x", unknown()]));
}

#[tokio::test]
async fn a_write_only_secret_arrives_and_stays_nowhere() {
    let (mut core, things) = core().await;
    let config = json!({ "name": "s", "secret_wo": SECRET, "secret_wo_version": "1" });

    let planned = core.plan(THING, &Json::Null, &config).await.ok();
    assert_eq!(planned.state["secret_wo"], Json::Null);
    let created = core.apply(THING, &Json::Null, &planned, &config).await.ok();

    assert!(!created.state.to_string().contains(SECRET));
    assert!(!String::from_utf8_lossy(&created.private).contains(SECRET));
    assert_eq!(things.data.secrets.lock().unwrap()["s"], SECRET);
}

#[tokio::test]
async fn a_terraform_that_lacks_write_only_attributes_is_told() {
    let (mut core, _) = core().await;
    let config = core.whole(
        THING,
        json!({ "name": "s", "secret_wo": "x", "secret_wo_version": "1" }),
    );
    let validate = |client_capabilities| wire::validate_resource_config::Request {
        type_name: THING.to_owned(),
        config: Some(dynamic(&config)),
        client_capabilities,
    };

    let old = core
        .client
        .validate_resource_config(validate(None))
        .await
        .unwrap()
        .into_inner();
    let new = core
        .client
        .validate_resource_config(validate(Some(capabilities())))
        .await
        .unwrap()
        .into_inner();

    assert!(
        texts(&old.diagnostics)[0].contains("1.11"),
        "{:?}",
        texts(&old.diagnostics)
    );
    assert_eq!(texts(&new.diagnostics), Vec::<String>::new());
}

#[tokio::test]
async fn values_of_six_megabytes_pass() {
    let (mut core, _) = core().await;
    let payload = "ü".repeat(3 << 20);

    let created = core
        .create(THING, json!({ "name": "big", "payload": payload }))
        .await
        .ok();

    assert!(created.state["payload"] == payload.as_str());
}

#[tokio::test]
async fn a_panic_ends_one_call_and_loses_no_state() {
    let (mut core, _) = core().await;

    let early = core
        .create(THING, json!({ "name": "panics" }))
        .await
        .fails_saying("bug in the provider");
    assert_eq!(early.state, Json::Null);
    assert!(
        early.diagnostics[0].contains("***"),
        "the panic's text is masked: {:?}",
        early.diagnostics
    );

    let late = core
        .create(THING, json!({ "name": "panics late" }))
        .await
        .fails_saying("bug in the provider");
    assert_eq!(late.state["id"], "id of panics late");

    let state = core.whole(THING, json!({ "id": "1", "name": "x", "note": "read panics" }));
    assert_eq!(
        core.read(THING, &state).await.fails_saying("bug in the provider").state,
        state
    );

    let state = core.whole(THING, json!({ "id": "1", "name": "x", "note": "delete panics" }));
    let planned = core.plan(THING, &state, &Json::Null).await.ok();
    let deleted = core
        .apply(THING, &state, &planned, &Json::Null)
        .await
        .fails_saying("bug in the provider");
    assert_eq!(deleted.state, state);

    core.create(THING, json!({ "name": "another" })).await.ok();
}

#[tokio::test]
async fn what_a_failed_create_left_is_in_the_state() {
    let (mut core, _) = core().await;

    let half = core
        .create(THING, json!({ "name": "half" }))
        .await
        .fails_saying("Because of ***.");
    assert_eq!(half.state["id"], "id of half");

    let nothing = core
        .create(THING, json!({ "name": "fails" }))
        .await
        .fails_saying("at \"name\"");
    assert_eq!(nothing.state, Json::Null);

    let late = core
        .create(THING, json!({ "name": "fails late" }))
        .await
        .fails_saying("Not all of it");
    assert_eq!(late.state["id"], "id of fails late", "what was kept survives the error");
    assert_eq!(
        (&late.state["secret_wo"], &late.state["payload"]),
        (&Json::Null, &Json::Null)
    );
    assert_eq!(private(&late), json!({ NOTED: true }));

    let silent = core.create(THING, json!({ "name": "fails without a word" })).await;
    silent.fails_saying("no error was reported");
}

#[tokio::test]
async fn what_a_failed_write_noted_is_kept_beside_the_state_as_it_was() {
    let (mut core, _) = core().await;
    let before = core.create(THING, json!({ "name": "a" })).await.ok();
    for note in ["update fails", "update panics"] {
        let config = json!({ "name": "a", "note": note });
        let planned = core.plan(THING, &before.state, &config).await.ok();

        let failed = core
            .apply(THING, &before.state, &planned, &config)
            .await
            .fails_saying("");

        assert_eq!(
            (&failed.state, private(&failed)),
            (&before.state, json!({ NOTED: true })),
            "{note}"
        );
    }
    for note in ["delete fails", "delete panics"] {
        let state = core.whole(THING, json!({ "id": "1", "name": "x", "note": note }));
        let planned = core.plan(THING, &state, &Json::Null).await.ok();
        let failed = core.apply(THING, &state, &planned, &Json::Null).await.fails_saying("");
        assert_eq!(
            (&failed.state, private(&failed)),
            (&state, json!({ NOTED: true })),
            "{note}"
        );
    }
}

#[tokio::test]
async fn a_replacement_starts_without_what_was_noted_beside_the_former_object() {
    let (mut core, _) = core().await;
    let config = json!({ "name": "new" });
    let planned = core.plan(THING, &Json::Null, &config).await.ok();
    let planned = Answer {
        private: br#"{"of the former":1}"#.to_vec(),
        ..planned
    };

    let created = core.apply(THING, &Json::Null, &planned, &config).await.ok();

    assert_eq!(created.private, Vec::<u8>::new());
}

#[tokio::test]
async fn a_warning_reaches_the_user_from_anywhere_in_a_call() {
    let (mut core, _) = core().await;
    for note in ["warns", "warns and panics"] {
        let state = core.whole(THING, json!({ "id": "1", "name": "x", "note": note }));

        let read = core.read(THING, &state).await;

        assert!(
            read.diagnostics
                .contains(&"Warning at \"\": Seen: It was read with ***.".to_owned()),
            "{:?}",
            read.diagnostics
        );
        assert_eq!(read.diagnostics.len(), if note == "warns" { 1 } else { 2 });
    }
    let state = core.whole(THING, json!({ "id": "1", "name": "x", "note": "none" }));
    let planned = core.plan(THING, &state, &Json::Null).await.ok();
    let deleted = core.apply(THING, &state, &planned, &Json::Null).await.ok();
    assert_eq!(deleted.diagnostics, ["Warning at \"\": Seen: It is gone."]);
}

#[tokio::test]
async fn a_value_that_the_other_side_changes_is_told_and_planned_again() {
    let (mut core, _) = core().await;

    let shouted = core
        .create(THING, json!({ "name": "is shouted", "note": "note" }))
        .await
        .ok();

    assert_eq!(shouted.state["note"], "note", "as planned");
    assert!(
        shouted.diagnostics[0].starts_with("Warning at \"note\": note was not kept: note: the plan has \"note\""),
        "{:?}",
        shouted.diagnostics
    );
}

async fn invoke(core: &mut Core, name: &str) -> (Vec<String>, Vec<String>) {
    use wire::invoke_action::event::Type;
    let request = wire::invoke_action::Request {
        action_type: ACT.to_owned(),
        config: Some(dynamic(&json!({ "name": name }))),
        ..Default::default()
    };
    let mut stream = core.client.invoke_action(request).await.unwrap().into_inner();
    let (mut said, mut ended) = (Vec::new(), Vec::new());
    while let Some(event) = stream.message().await.unwrap() {
        match event.r#type.unwrap() {
            Type::Progress(progress) => said.push(progress.message),
            Type::Completed(completed) => ended.extend(texts(&completed.diagnostics)),
        }
    }
    (said, ended)
}

#[tokio::test]
async fn an_action_is_validated_with_known_values_before_it_runs() {
    let (mut core, _) = core().await;

    let (said, ended) = invoke(&mut core, "act").await;
    assert_eq!(said, Vec::<String>::new());
    assert!(ended[0].contains("Did you mean \"acts\"?"), "{ended:?}");

    let (said, ended) = invoke(&mut core, "acts").await;
    assert_eq!(
        (said, ended),
        (
            vec!["acting".to_owned()],
            vec!["Warning at \"\": Seen: An action.".to_owned()]
        )
    );
}

#[tokio::test]
async fn the_panics_of_actions_and_lists_keep_their_text_and_their_warnings() {
    let (mut core, _) = core().await;
    let (_, ended) = invoke(&mut core, "panics").await;
    assert!(
        ended[0].contains("example_act panicked: no action, and *** is told"),
        "{ended:?}"
    );
    assert!(ended[1].contains("An action"), "{ended:?}");

    let request = wire::list_resource::Request {
        type_name: THING.to_owned(),
        config: Some(dynamic(&json!({ "query": null }))),
        include_resource_object: false,
        limit: 1,
    };
    let mut stream = core.client.list_resource(request).await.unwrap().into_inner();
    let mut said = Vec::new();
    while let Some(event) = stream.message().await.unwrap() {
        said.extend(texts(&event.diagnostic));
    }
    assert!(
        said[0].contains("example_thing panicked: no list, and *** is told"),
        "{said:?}"
    );
    assert!(said[1].contains("A list"), "{said:?}");
}

#[tokio::test]
async fn a_value_that_cannot_be_renewed_is_a_warning_and_can_still_be_closed() {
    let (mut core, _) = core().await;
    for (private, expected) in [("kept", "Warning at \"\": Not renewed: It ends."), ("panic", "Error")] {
        let request = wire::renew_ephemeral_resource::Request {
            type_name: STALE.to_owned(),
            private: Some(private.as_bytes().to_vec()),
        };

        let renewed = core
            .client
            .renew_ephemeral_resource(request)
            .await
            .unwrap()
            .into_inner();

        assert_eq!(renewed.private(), private.as_bytes());
        let said = texts(&renewed.diagnostics);
        assert!(said.len() == 1 && said[0].starts_with(expected), "{said:?}");
    }
}

#[tokio::test]
async fn no_write_only_value_gets_into_a_state_by_import_or_upgrade() {
    let (mut core, _) = core().await;
    let request = wire::import_resource_state::Request {
        type_name: THING.to_owned(),
        id: "x".to_owned(),
        ..Default::default()
    };
    let imported = core.client.import_resource_state(request).await.unwrap().into_inner();
    let state = imported.imported_resources[0].state.clone().unwrap();
    assert_eq!(from_msgpack(&state.msgpack)["secret_wo"], Json::Null);

    let stored = json!({ "id": "x", "name": "x", "secret_wo": SECRET }).to_string();
    let request = wire::upgrade_resource_state::Request {
        type_name: THING.to_owned(),
        version: 1,
        raw_state: Some(wire::RawState {
            json: stored.into_bytes(),
            ..Default::default()
        }),
    };
    let upgraded = core.client.upgrade_resource_state(request).await.unwrap().into_inner();
    assert_eq!(
        from_msgpack(&upgraded.upgraded_state.unwrap().msgpack)["secret_wo"],
        Json::Null
    );
}

#[tokio::test]
async fn a_generated_configuration_has_what_a_configuration_can_say_and_no_secret() {
    let (mut core, _) = core().await;
    let state = json!({
        "id": "1", "name": "x", "note": "", "size": 3, "secret": SECRET, "secret_wo_version": "1",
        "old": "o", "parts": [{ "key": "k", "value": "v" }],
    });
    let request = wire::generate_resource_config::Request {
        type_name: THING.to_owned(),
        state: Some(dynamic(&core.whole(THING, state))),
    };

    let generated = core
        .client
        .generate_resource_config(request)
        .await
        .unwrap()
        .into_inner();

    let expected = json!({
        "name": "x", "size": 3, "secret_wo_version": "1", "parts": [{ "key": "k", "value": "v" }],
    });
    assert_eq!(
        from_msgpack(&generated.config.unwrap().msgpack),
        core.whole(THING, expected)
    );
}

/// What is kept beside the state.
fn private(answer: &Answer) -> Json {
    serde_json::from_slice(&answer.private).unwrap_or_default()
}

#[tokio::test]
async fn a_stop_ends_the_calls_in_flight_and_not_the_later_ones() {
    let (mut core, things) = core().await;
    for _ in 0..2 {
        let mut other = core.clone();
        let slow = tokio::spawn(async move { other.create(THING, json!({ "name": "is slow" })).await });
        timeout(PATIENCE, things.data.begun.notified())
            .await
            .expect("the create begins");
        // Others go on meanwhile.
        core.create(THING, json!({ "name": "quick" })).await.ok();

        core.stop().await;

        let stopped = timeout(PATIENCE, slow)
            .await
            .expect("it ends in time")
            .unwrap()
            .fails_saying("Stopped");
        assert_eq!(stopped.state["id"], "id of is slow");
        core.create(THING, json!({ "name": "later" })).await.ok();
    }
}

#[tokio::test]
async fn a_fault_in_the_configuration_is_shown_at_its_place() {
    let (mut core, _) = core().await;

    let missing = core
        .validate(THING, json!({ "parts": [{ "key": null, "value": "v" }] }))
        .await;
    let good = core
        .validate(THING, json!({ "name": { "$prefix": "x" }, "parts": unknown() }))
        .await;

    let places: Vec<_> = missing.iter().map(|text| text.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        ["Error at \"name\"", "Error at \"parts.[0].key\""],
        "{missing:?}"
    );
    assert_eq!(good, Vec::<String>::new());
}

#[tokio::test]
async fn an_unknown_type_is_a_diagnostic_and_no_status() {
    let (mut core, _) = core().await;
    let type_name = || "example_unicorn".to_owned();

    let validated = wire::validate_resource_config::Request {
        type_name: type_name(),
        ..Default::default()
    };
    let validated = core
        .client
        .validate_resource_config(validated)
        .await
        .unwrap()
        .into_inner();
    let read = wire::read_data_source::Request {
        type_name: type_name(),
        ..Default::default()
    };
    let read = core.client.read_data_source(read).await.unwrap().into_inner();
    let called = wire::call_function::Request {
        name: "unicorn".to_owned(),
        arguments: Vec::new(),
    };
    let called = core.client.call_function(called).await.unwrap().into_inner();

    assert!(texts(&validated.diagnostics)[0].contains("example_unicorn"));
    assert!(texts(&read.diagnostics)[0].contains("example_unicorn"));
    assert!(called.error.unwrap().text.contains("unicorn"));
}

#[tokio::test]
async fn before_it_is_configured_it_validates_and_refuses_the_rest() {
    let mut client = in_memory(Server::new(Things::default(), secrets())).await;
    let empty = wire::validate_provider_config::Request {
        config: Some(dynamic(&json!({ "token": null }))),
    };

    let validated = client.validate_provider_config(empty).await.unwrap().into_inner();
    let state = dynamic(&json!({ "name": "x" }));
    let request = wire::read_resource::Request {
        type_name: THING.to_owned(),
        current_state: Some(state.clone()),
        ..Default::default()
    };
    let read = client.read_resource(request).await.unwrap().into_inner();

    assert_eq!(texts(&validated.diagnostics), Vec::<String>::new());
    assert!(
        texts(&read.diagnostics)[0].contains("configured"),
        "{:?}",
        texts(&read.diagnostics)
    );
    assert!(read.new_state.is_some(), "the state stays");
}

/// Bytes that no Terraform sends. Each must become a diagnostic, at the attribute where there is one.
#[tokio::test]
async fn malformed_values_are_diagnostics() {
    let (mut core, _) = core().await;
    let whole = |object: Json| to_msgpack(&core.whole(THING, object));
    let mut deep = vec![0x81, 0xa8];
    deep.extend(b"anything");
    deep.extend(dynamic_pair_of_depth(100_000));
    let mut huge_array = vec![0x81, 0xa4];
    huge_array.extend(b"tags");
    huge_array.extend([0xdd, 0xff, 0xff, 0xff, 0xff]);
    let mut huge_text = vec![0x81, 0xa4];
    huge_text.extend(b"name");
    huge_text.extend([0xdb, 0xff, 0xff, 0xff, 0xff, b'x']);
    let mut not_utf8 = vec![0x81, 0xa4];
    not_utf8.extend(b"name");
    not_utf8.extend([0xa2, 0xc3, 0x28]);
    let mut cut = whole(json!({ "name": "x" }));
    cut.pop();
    let mut long = whole(json!({ "name": "x" }));
    long.push(0xc0);
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("no msgpack", b"{}".to_vec(), ""),
        ("reserved byte", vec![0xc1], ""),
        ("truncated", cut, "tags"),
        ("too long", long, ""),
        ("a list for an object", to_msgpack(&json!([1])), ""),
        (
            "an attribute nobody knows",
            whole(json!({ "name": "x", "unicorn": 1 })),
            "",
        ),
        ("a number for a text", whole(json!({ "name": 1 })), "name"),
        ("huge array", huge_array, "tags.[0]"),
        ("huge text", huge_text, "name"),
        ("not UTF-8", not_utf8, "name"),
        ("deep", deep, "anything"),
    ];
    for (what, msgpack, place) in cases {
        let config = Some(wire::DynamicValue {
            msgpack,
            json: Vec::new(),
        });
        let request = wire::validate_resource_config::Request {
            type_name: THING.to_owned(),
            config,
            client_capabilities: None,
        };

        let answer = core
            .client
            .validate_resource_config(request)
            .await
            .unwrap_or_else(|status| panic!("{what}: {status}"));

        let said = texts(&answer.into_inner().diagnostics);
        let expected = format!("Error at {place:?}");
        assert!(
            said.first().is_some_and(|text| text.starts_with(&expected)),
            "{what}: {said:?}"
        );
    }
}

/// Dynamic values in dynamic values, all with their type.
fn dynamic_pair_of_depth(depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..depth {
        bytes.extend([0x92, 0xc4, 9]);
        bytes.extend(b"\"dynamic\"");
    }
    bytes.push(0xc0);
    bytes
}

#[tokio::test]
async fn malformed_states_and_private_data_are_diagnostics_or_ignored() {
    let (mut core, _) = core().await;
    let deep = [b"{\"name\":".to_vec(), b"[".repeat(100_000)].concat();
    for state in [&b""[..], b"{", b"[]", b"\"x\"", b"{\"name\": [1]}", &deep] {
        let raw_state = Some(wire::RawState {
            json: state.to_vec(),
            ..Default::default()
        });
        let request = wire::upgrade_resource_state::Request {
            type_name: THING.to_owned(),
            version: 1,
            raw_state,
        };
        let answer = core.client.upgrade_resource_state(request).await.unwrap().into_inner();
        let said = texts(&answer.diagnostics);
        assert!(
            !said.is_empty() && !said[0].contains("panicked"),
            "{:?}: {said:?}",
            String::from_utf8_lossy(state)
        );
    }

    let planned = core.plan(THING, &Json::Null, &json!({ "name": "x" })).await.ok();
    let planned = Answer {
        private: vec![0xff, 0, b'{'],
        ..planned
    };
    core.apply(THING, &Json::Null, &planned, &json!({ "name": "x" }))
        .await
        .ok();
}

#[tokio::test]
async fn configuring_again_replaces() {
    let (mut core, _) = core().await;
    for _ in 0..3 {
        core = Core::start(core.client, json!({ "token": "t" })).await;
        core.create(THING, json!({ "name": "x" })).await.ok();
    }
}

#[tokio::test]
async fn forty_calls_at_once_are_answered() {
    let (core, _) = core().await;
    let calls = (0..40).map(|number| {
        let mut core = core.clone();
        tokio::spawn(async move {
            core.create(THING, json!({ "name": format!("t{number}") }))
                .await
                .ok()
                .state
        })
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(
            timeout(PATIENCE, call).await.unwrap().unwrap()["id"],
            format!("id of t{number}")
        );
    }
}
