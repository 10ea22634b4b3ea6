use std::cell::RefCell;

use serde_json::Value as Json;

use super::*;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The lines that `work` logs, parsed.
fn logged(levels: Levels, work: impl FnOnce()) -> Vec<Json> {
    let layer = Hclog {
        levels,
        mask: |text| text.replace("hunter2", "***").into(),
        write: |line| LINES.with_borrow_mut(|lines| lines.push(line.to_owned())),
    };
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    LINES
        .take()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const ALL: Levels = Levels {
    provider: LevelFilter::TRACE,
    framework: LevelFilter::TRACE,
};

#[test]
fn fields_of_event_and_spans_are_keys_of_the_line() {
    let lines = logged(ALL, || {
        let call = tracing::info_span!(
            "call",
            tf_rpc = "ReadResource",
            tf_resource_type = tracing::field::Empty
        );
        let _in_call = call.enter();
        call.record("tf_resource_type", "example_thing");
        let _in_step = tracing::debug_span!("step", step = 1, tf_rpc = "inner").entered();
        tracing::warn!(count = 3, ratio = 0.5, done = true, odd = f64::NAN, "half done");
    });

    let line = &lines[0];
    assert_eq!(line["@level"], "warn");
    assert_eq!(line["@message"], "half done");
    assert_eq!(line["@module"], "sdk.log.tests");
    assert_eq!(line["tf_rpc"], "inner");
    assert_eq!(line["tf_resource_type"], "example_thing");
    assert_eq!(
        (&line["step"], &line["count"], &line["done"]),
        (&1.into(), &3.into(), &true.into())
    );
    assert_eq!((line["ratio"].as_f64(), &line["odd"]), (Some(0.5), &"NaN".into()));
}

#[test]
fn the_timestamp_has_six_digits_and_is_utc() {
    let lines = logged(ALL, || tracing::info!("now"));

    let timestamp = lines[0]["@timestamp"].as_str().unwrap();
    let pattern = regex_lite::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$").unwrap();
    assert!(pattern.is_match(timestamp), "{timestamp}");
}

#[test]
fn secrets_are_masked_wherever_text_comes_from() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer hunter2")]
    struct Outer(#[source] std::io::Error);

    let lines = logged(ALL, || {
        let _span = tracing::info_span!("call", text = "hunter2").entered();
        let error = Outer(std::io::Error::other("inner hunter2"));
        tracing::info!(
            debug = ?"hunter2",
            display = %"hunter2",
            error = &error as &(dyn std::error::Error + 'static),
            "as {}",
            "hunter2"
        );
    });

    assert_eq!(lines[0]["error"], "outer ***: inner ***");
    assert_eq!(lines[0]["@message"], "as ***");
    assert!(!lines[0].to_string().contains("hunter2"), "{}", lines[0]);
}

#[test]
fn libraries_are_not_heard() {
    let lines = logged(ALL, || {
        tracing::info!(target: "h2::codec", "bytes of a request");
        tracing::info!(target: concat!(env!("CARGO_CRATE_NAME"), "_not"), "neighbour");
        tracing::info!(target: concat!(env!("CARGO_CRATE_NAME"), "::http"), "ours");
    });

    assert_eq!(
        lines.iter().map(|line| &line["@module"]).collect::<Vec<_>>(),
        ["provider.http"]
    );
}

#[test]
fn levels_come_from_the_environment() {
    #[track_caller]
    fn check(variables: &[(&str, &str)], provider: LevelFilter, framework: LevelFilter) {
        let find = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(Levels::from_variables("my-thing", find), Levels { provider, framework });
    }

    const OFF: LevelFilter = LevelFilter::OFF;
    const WARN: LevelFilter = LevelFilter::WARN;
    const INFO: LevelFilter = LevelFilter::INFO;
    const TRACE: LevelFilter = LevelFilter::TRACE;
    check(&[], OFF, OFF);
    check(&[("TF_LOG", "")], OFF, OFF);
    check(&[("TF_LOG", "info")], INFO, INFO);
    check(&[("TF_LOG", "json")], TRACE, TRACE);
    check(&[("TF_LOG", "trace"), ("TF_LOG_PROVIDER", "off")], OFF, OFF);
    check(
        &[("TF_LOG_PROVIDER", "info"), ("TF_LOG_PROVIDER_MY_THING", "warn")],
        WARN,
        WARN,
    );
    check(&[("TF_LOG", "info"), ("TF_LOG_PROVIDER_MY_THING", "trace")], INFO, INFO);
    check(
        &[
            ("TF_LOG", "trace"),
            ("TF_LOG_PROVIDER_MY_THING", "info"),
            ("TF_LOG_SDK", "off"),
        ],
        INFO,
        OFF,
    );
}

#[test]
fn a_quiet_part_does_not_silence_the_other() {
    let lines = logged(
        Levels {
            provider: LevelFilter::INFO,
            framework: LevelFilter::OFF,
        },
        || {
            tracing::error!("framework");
            tracing::debug!(target: concat!(env!("CARGO_CRATE_NAME"), "::http"), "too fine");
            tracing::info!(target: concat!(env!("CARGO_CRATE_NAME"), "::http"), "heard");
        },
    );

    assert_eq!(
        lines.iter().map(|line| &line["@message"]).collect::<Vec<_>>(),
        ["heard"]
    );
}
