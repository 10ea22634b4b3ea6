//! Each answer that is no success, and what it is called.

use super::*;
use crate::servicenow::tables::oauth_entity::TABLE;

#[track_caller]
fn check(error: &TableError, message: &str, remedy: &str) {
    assert!(error.to_string().contains(message), "message: {error}");
    assert!(error.remedy().contains(remedy), "remedy: {}", error.remedy());
}

async fn error_of(reply: Reply) -> TableError {
    let server = Server::replies(vec![reply]).await;
    session(&server)
        .find_unique(TABLE, &Query::every_row(), &[])
        .await
        .unwrap_err()
}

#[test]
fn a_refused_update_may_mean_a_key_that_is_taken() {
    let error = TableError::Refused {
        table: TABLE,
        verb: Verb::Update,
        reason: Refusal::Other {
            detail: "Operation Failed: Insert Aborted".to_owned(),
        },
    };

    check(&error, "refused the update", "another record has the same name");
    check(&error, "refused the update", "oauth_admin");
}

/// What a gateway, or a service at a wrong address, says in JSON is no refusal by the instance.
#[tokio::test]
async fn json_that_is_not_the_apis_own_is_no_missing_role() {
    let foreign = [
        json!({ "message": "Not Found" }),
        json!({ "error": "not_found" }),
        json!({ "error": null, "code": 7 }),
        json!({}),
    ];
    for body in foreign {
        for status in [403, 404, 410] {
            let error = error_of(Reply::json(status, &body)).await;
            assert!(
                matches!(error, TableError::NotTheApi { .. }),
                "{status} {body}: {error:?}"
            );
        }
    }
    let error = error_of(refusal(403, "Forbidden", "")).await;
    assert!(matches!(error, TableError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn each_refusal_has_its_own_words() {
    let cases = [
        (
            refusal(
                403,
                "Operation Failed",
                "ACL Exception Insert Failed due to security constraints",
            ),
            "access rule (ACL)",
            "oauth_admin",
        ),
        (
            refusal(
                403,
                "Operation Failed",
                "Operation against file 'T' was aborted by Business Rule 'Guard^abc'. Business Rule Stack:Guard",
            ),
            "business rule \"Guard\"",
            "Credentials and roles are not the cause",
        ),
        (
            refusal(403, "x", "denied by the cross-scope access policy"),
            "cross-scope",
            "application access",
        ),
        (
            refusal(400, "Invalid table oauth_entity", ""),
            "no table oauth_entity",
            "com.snc.platform.security.oauth",
        ),
        (
            refusal(400, "Exception while reading request", ""),
            "status 400",
            "report",
        ),
        (
            refusal(401, "User is not authenticated", "Required to provide Auth information"),
            "did not accept the sign-in (basic)",
            "locked out",
        ),
        (
            Reply::json(
                401,
                &json!({ "error": { "message": "User Not Authenticated", "detail": null } }),
            )
            .with("X-MFA_TOKEN", "invalid"),
            "multi-factor",
            "multi-factor",
        ),
        (
            Reply::typed(401, "text/html", "<html><title>Nope</title></html>"),
            "Nope",
            "username and password",
        ),
        // JSON that was cut is no reason to name another cause than the status does.
        (
            Reply::typed(401, "application/json", "{\"error\":{\"mess"),
            "did not accept the sign-in (basic)",
            "username and password",
        ),
        (
            refusal(404, "Requested URI does not represent any resource", ""),
            "no Table API",
            "instance_url",
        ),
    ];
    for (reply, message, remedy) in cases {
        check(&error_of(reply).await, message, remedy);
    }
}

#[tokio::test]
async fn a_page_in_place_of_json_is_never_not_found() {
    let html = |status, text: &str| Reply::typed(status, "text/html;charset=UTF-8", text);
    let cases = [
        (
            html(200, "<html><body class=\"instance-hibernating-page\">zzz</body></html>"),
            "hibernating",
            "developer.servicenow.com",
        ),
        (
            html(200, "<html><title>Maintenance</title>Under maintenance</html>"),
            "maintenance",
            "Wait",
        ),
        (
            html(200, "<html><form action=\"login.do\">"),
            "login page",
            "instance_url",
        ),
        (
            html(403, "<html><title>Forbidden</title></html>"),
            "IP address access control",
            "Allow the address",
        ),
        (html(404, "<html>no</html>"), "no Table API", "reclaimed"),
        (html(407, "<html>proxy</html>"), "proxy", "NO_PROXY"),
        (html(200, "<html><title>Parked</title></html>"), "\"Parked\"", "browser"),
        (Reply::typed(200, "text/plain", "ok"), "text/plain", "browser"),
        (
            Reply::Answer(
                302,
                vec![("Location".to_owned(), "/login.do?x=1".to_owned())],
                String::new(),
            ),
            "redirect (status 302)",
            "instance_url",
        ),
    ];
    for (reply, message, remedy) in cases {
        let error = error_of(reply).await;
        assert!(matches!(error, TableError::NotTheApi { .. }), "{error:?}");
        check(&error, message, remedy);
    }
}

#[tokio::test]
async fn json_that_is_no_answer_is_an_error() {
    for body in [
        "{\"result\":[{\"sys_id\"",
        "[]",
        "{}",
        "{\"result\":{}}",
        "{\"result\":[{\"name\":\"no key\"}]}",
    ] {
        let error = error_of(Reply::typed(200, "application/json", body)).await;
        assert!(matches!(error, TableError::UnusableAnswer { .. }), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn an_error_object_inside_a_200_is_an_error() {
    let error = error_of(Reply::json(
        200,
        &json!({ "error": { "message": "Transaction cancelled: maximum execution time exceeded" } }),
    ))
    .await;
    assert!(matches!(error, TableError::TransactionCancelled { .. }), "{error:?}");
    let error = error_of(Reply::json(
        200,
        &json!({ "result": [], "error": { "message": "odd" } }),
    ))
    .await;
    assert!(matches!(error, TableError::UnusableAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn an_unhappy_instance_is_unavailable_and_a_limit_is_called_one() {
    let error = error_of(refusal(503, "busy", "")).await;
    assert!(
        matches!(error, TableError::Unavailable { status: Some(503), .. }),
        "{error:?}"
    );

    let error = error_of(Reply::typed(503, "application/json", "{\"error\":")).await;
    assert!(
        matches!(error, TableError::Unavailable { status: Some(503), .. }),
        "{error:?}"
    );

    let error = error_of(refusal(429, "Rate limit exceeded", "").with("Retry-After", "3000")).await;
    check(&error, "limits the request rate", "requests_per_second");
}

#[tokio::test]
async fn an_interruption_is_called_one() {
    let server = Server::replies(vec![Reply::Hang]).await;
    let cancel = tokio_util::sync::CancellationToken::new();
    let session = instance(&server, basic()).at(crate::http::Limits::new(Duration::from_secs(30), cancel.clone()));

    let key = id(KEY);
    let (found, ()) = tokio::join!(session.get_opt(TABLE, &key, &[]), async {
        while server.count() == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });

    assert!(matches!(found.unwrap_err(), TableError::Cancelled { .. }));
}

#[test]
fn an_address_is_checked_without_any_request() {
    let new = |instance_url: &str| {
        let instance_url = instance_url.to_owned();
        let timing = Timing::STANDARD;
        Instance::new(InstanceOptions {
            instance_url,
            sign_in: basic(),
            http: test_server::options(),
            timing,
        })
    };
    assert!(new("https://dev1.service-now.com/").is_ok());
    for address in [
        "http://dev1.service-now.com",
        "dev1",
        "https://u:p@dev1.service-now.com",
        "",
    ] {
        assert!(
            matches!(new(address), Err(ConfigError::InstanceUrl { .. })),
            "{address}"
        );
    }
}
