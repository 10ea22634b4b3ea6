//! Bad days.

use axum::http::Method;
use serde_json::json;
use servicenow_simulator::faults::{Fault, Matcher, RetryAfter};

use crate::client::Client;

#[tokio::test]
async fn a_cut_after_handling_leaves_the_record_behind() {
    let client = Client::new();
    let posts = || Matcher::table("sys_user").method(Method::POST);
    client.instance.faults().next(posts(), Fault::CutBefore);
    let before = client.insert("sys_user", json!({"user_name": "b"})).await;
    assert!(before.is_cut);
    assert!(client.instance.find("sys_user", "user_name", "b").is_empty());
    client.instance.faults().next(posts().nth(2), Fault::CutAfter);
    assert_eq!(client.insert("sys_user", json!({"user_name": "a"})).await.status, 201);
    let lost = client.insert("sys_user", json!({"user_name": "lost"})).await;
    assert!(lost.is_cut);
    assert_eq!(client.instance.find("sys_user", "user_name", "lost").len(), 1);
    assert_eq!(client.instance.requests().last().unwrap().status, 0);
    assert_eq!(client.read("sys_user").await.status, 200);
    assert_eq!(client.instance.faults().fired().len(), 2);
}

#[tokio::test]
async fn each_fault_looks_like_the_real_thing() {
    let client = Client::new();
    for (fault, status, part) in [
        (Fault::Unauthorized, 401, "User is not authenticated"),
        (Fault::ForbiddenByAcl, 403, "ACL Exception Query Failed"),
        (Fault::ForbiddenByBusinessRule, 403, "aborted by Business Rule"),
        (Fault::ForbiddenHtml, 403, "<html>"),
        (Fault::NotFound, 404, "No Record found"),
        (Fault::ServerError(502), 502, "failure"),
        (Fault::Hibernation, 200, "instance-hibernating-page"),
        (Fault::Maintenance, 503, "<html>"),
        (Fault::LoginRedirect, 302, ""),
        (Fault::TruncatedList, 200, "Transaction cancelled"),
    ] {
        client.instance.faults().next(Matcher::any(), fault.clone());
        let answer = client.read("sys_user").await;
        assert_eq!(answer.status, status, "{fault:?}");
        assert!(answer.text.contains(part), "{fault:?}: {}", answer.text);
    }
    client.instance.faults().next(Matcher::any(), Fault::TruncatedList);
    let text = client.read("sys_user").await.text;
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
}

#[tokio::test]
async fn a_partial_list_has_the_right_count() {
    let client = Client::new();
    let rows = |answer: &crate::client::Answer| answer.result().as_array().unwrap().len();
    let all = client.read("sys_user_group").await;
    client.instance.faults().next(Matcher::any(), Fault::PartialList);
    let partial = client.read("sys_user_group").await;
    assert_eq!((rows(&all), rows(&partial)), (3, 1));
    assert_eq!(partial.header("x-total-count"), Some("3"));
}

#[tokio::test]
async fn a_rate_limit_counts_requests() {
    let client = Client::new();
    client.instance.switches(|modes| modes.requests_per_second = Some(2));
    let mut limited = 0;
    for _ in 0..6 {
        let answer = client.read("sys_user").await;
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            limited += 1;
        }
    }
    assert!((2..=4).contains(&limited), "{limited}");
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back_in_seconds_or_as_a_date() {
    let client = Client::new();
    for (retry_after, part) in [(RetryAfter::Seconds(3000), "3000"), (RetryAfter::Date(5), " GMT")] {
        client
            .instance
            .faults()
            .next(Matcher::any(), Fault::TooManyRequests(retry_after));
        let answer = client.read("sys_user").await;
        assert_eq!(answer.status, 429);
        assert!(answer.header("retry-after").unwrap().ends_with(part));
        assert!(answer.header("x-ratelimit-reset").is_some());
    }
}

#[tokio::test]
async fn a_stale_read_misses_the_last_write() {
    let client = Client::new();
    let id = client
        .insert("sys_user", json!({"user_name": "u", "title": "old"}))
        .await
        .text_of("sys_id");
    let path = format!("sys_user/{id}");
    client.update(&path, json!({"title": "new"})).await;
    client.instance.faults().next(Matcher::any(), Fault::StaleRead);
    assert_eq!(client.read(&path).await.text_of("title"), "old");
    assert_eq!(client.read(&path).await.text_of("title"), "new");
}

#[tokio::test]
async fn a_seed_gives_the_same_faults_in_every_run() {
    let run = |seed| async move {
        let client = Client::new();
        client.instance.faults().chaos(seed, 0.3);
        for number in 0..40 {
            client
                .insert("sys_user", json!({"user_name": format!("u{number}")}))
                .await;
        }
        client.instance.faults().fired()
    };
    let first = run(7).await;
    assert!((4..24).contains(&first.len()), "{}", first.len());
    assert_eq!(run(7).await, first);
    assert_ne!(run(8).await, first);
}
