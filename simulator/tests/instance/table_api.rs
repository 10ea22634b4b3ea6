//! Verbs, parameters, headers and errors.

use serde_json::json;
use servicenow_simulator::instance::Unauthorized;

use crate::client::Client;

#[tokio::test]
async fn every_verb_answers_as_documented() {
    let client = Client::new();
    let made = client
        .insert("sys_user", json!({"user_name": "a", "last_name": "B"}))
        .await;
    assert_eq!(made.status, 201);
    let id = made.text_of("sys_id");
    let location = format!("https://simulated.service-now.com/api/now/table/sys_user/{id}");
    assert_eq!(made.header("location"), Some(location.as_str()));
    assert_eq!(made.header("content-type"), Some("application/json;charset=UTF-8"));
    assert_eq!(made.header("x-transaction-id").unwrap().len(), 12);

    let one = client.read(&format!("sys_user/{id}")).await;
    assert_eq!((one.status, one.text_of("name")), (200, "B".to_owned()));
    let path = format!("/api/now/v2/table/sys_user/{id}");
    let put = client.call("PUT", &path, r#"{"first_name": "A"}"#).await;
    assert_eq!((put.status, put.text_of("name")), (200, "A B".to_owned()));
    assert_eq!(put.text_of("user_name"), "a");
    let gone = client.delete(&format!("sys_user/{id}")).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    let again = client.delete(&format!("sys_user/{id}")).await;
    assert_eq!(again.status, 404);
    assert_eq!(again.json()["error"]["message"], "No Record found");
    assert_eq!(client.call("POST", &path, "{}").await.status, 405);
}

#[tokio::test]
async fn an_empty_list_is_404_in_version_1_only() {
    let client = Client::new();
    for (version, status) in [("v1/", 404), ("v2/", 200), ("", 200)] {
        let path = format!("/api/now/{version}table/sys_user?user_name=nobody");
        let answer = client.call("GET", &path, "").await;
        assert_eq!(answer.status, status, "{version}");
        if status == 200 {
            assert_eq!(answer.result(), json!([]));
            assert_eq!(answer.header("x-total-count"), Some("0"));
            assert_eq!(answer.header("link"), None);
        }
    }
}

#[tokio::test]
async fn bad_calls_get_the_codes_that_the_documentation_names() {
    let client = Client::new();
    let status = |answer: crate::client::Answer| answer.status;
    assert_eq!(status(client.header("accept", "text/html").read("sys_user").await), 406);
    let form = client.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(status(form.insert("sys_user", json!({})).await), 415);
    assert_eq!(status(client.call("POST", "/api/now/table/sys_user", "{").await), 400);
    assert_eq!(status(client.call("GET", "/api/now/nonsense", "").await), 400);
    let long = format!("sys_user?sysparm_query=sys_idIN{}", "0,".repeat(9000));
    assert_eq!(status(client.read(&long).await), 414);
    let answer = client.read("nosuch").await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json()["error"],
        json!({"message": "Invalid table nosuch", "detail": null})
    );
}

#[tokio::test]
async fn a_401_has_two_spellings_and_no_session_headers() {
    let client = Client::new().signed_in_as("admin", "wrong");
    let newer = client.read("sys_user").await;
    assert_eq!(newer.status, 401);
    assert_eq!(newer.json()["error"]["message"], "User is not authenticated");
    assert_eq!(newer.header("www-authenticate"), Some("Basic realm=\"Service-now\""));
    for name in ["x-is-logged-in", "x-transaction-id", "x-total-count"] {
        assert_eq!(newer.header(name), None, "{name}");
    }
    client
        .instance
        .switches(|modes| modes.unauthorized = Unauthorized::Older);
    let older = client.read("sys_user").await;
    assert_eq!(older.json()["error"]["message"], "User Not Authenticated");
    assert!(client.instance.log().iter().any(|line| line.contains("Wrong password")));
}

#[tokio::test]
async fn pages_are_linked_as_on_a_real_instance() {
    let client = Client::new();
    for number in 0..13 {
        client
            .instance
            .put("sc_cat_item", &[("name", &format!("item {number:02}"))]);
    }
    let first = client
        .read("sc_cat_item?sysparm_query=nameSTARTSWITHitem%5EORDERBYname&sysparm_limit=5&sysparm_fields=name")
        .await;
    assert_eq!(first.header("x-total-count"), Some("13"));
    let base = "<https://simulated.service-now.com/api/now/table/sc_cat_item?\
                sysparm_query=nameSTARTSWITHitem^ORDERBYname&sysparm_limit=5&sysparm_fields=name&sysparm_offset=";
    let link = format!("{base}0>;rel=\"first\",{base}5>;rel=\"next\",{base}10>;rel=\"last\"");
    assert_eq!(first.header("link"), Some(link.as_str()));
    assert_eq!(first.result().as_array().unwrap().len(), 5);
    assert_eq!(first.result()[0], json!({"name": "item 00"}));
    let last = client.read("sc_cat_item?sysparm_limit=5&sysparm_offset=10").await;
    assert_eq!(last.result().as_array().unwrap().len(), 3);
    assert!(!last.header("link").unwrap().contains("next"));
    let quiet = client
        .read("sc_cat_item?sysparm_limit=5&sysparm_no_count=true&sysparm_suppress_pagination_header=true")
        .await;
    assert_eq!((quiet.header("link"), quiet.header("x-total-count")), (None, None));
    let odd = client.read("sc_cat_item?sysparm_limit=1").await;
    assert!(odd.header("link").unwrap().contains("sysparm_offset=-1>;rel=\"prev\""));
}

#[tokio::test]
async fn the_limit_counts_before_access_rules() {
    let client = Client::new();
    let page = client.read("sys_user_role?sysparm_limit=1").await;
    assert_eq!((page.status, page.result()), (200, json!([])));
    assert!(page.header("x-total-count").unwrap().parse::<usize>().unwrap() > 1);
}

#[tokio::test]
async fn fields_are_dot_walked_and_invalid_ones_dropped() {
    let client = Client::new();
    let group = client.instance.find("sys_user_group", "name", "Service Desk").remove(0);
    let path = format!(
        "sys_group_has_role?group={}&sysparm_fields=role.name,nosuch,role.nosuch,role&sysparm_exclude_reference_link=true",
        group["sys_id"]
    );
    let rows = client.read(&path).await.result();
    assert_eq!(rows[0]["role.name"], "itil");
    assert_eq!(rows[0].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn references_come_in_all_the_documented_shapes() {
    let client = Client::new();
    let shape = |params: &str| {
        let path = format!("sys_scope_privilege?{params}&sysparm_fields=source_scope,sys_scope,target_scope");
        let client = client.header("x", "");
        async move { client.read(&path).await.result()[0].clone() }
    };
    client
        .instance
        .put("sys_scope_privilege", &[("source_scope", "global")]);
    let link = "https://simulated.service-now.com/api/now/table/sys_scope/global";
    let plain = shape("").await;
    assert_eq!(plain["source_scope"], json!({"link": link, "value": "global"}));
    assert_eq!(plain["target_scope"], "");
    // Python's clients write booleans as Python does.
    for yes in ["true", "True"] {
        let without = shape(&format!("sysparm_exclude_reference_link={yes}")).await;
        assert_eq!(without["source_scope"], "global", "{yes}");
        let display = shape(&format!("sysparm_display_value={yes}")).await;
        assert_eq!(
            display["source_scope"],
            json!({"display_value": "Global", "link": link}),
            "{yes}"
        );
    }
    let both = shape("sysparm_display_value=all").await;
    assert_eq!(
        both["source_scope"],
        json!({"display_value": "Global", "link": link, "value": "global"})
    );
    assert_eq!(both["target_scope"], json!({"display_value": "", "value": ""}));
}

#[tokio::test]
async fn counting_needs_no_rows() {
    let client = Client::new();
    let answer = client
        .call(
            "GET",
            "/api/now/stats/sys_user?sysparm_count=true&sysparm_query=active%3Dtrue",
            "",
        )
        .await;
    assert_eq!(answer.result(), json!({"stats": {"count": "3"}}));
    for verb in ["POST", "DELETE"] {
        let path = "/api/now/stats/sys_user?sysparm_count=true";
        assert_eq!(client.call(verb, path, "").await.status, 405, "{verb}");
    }
}

#[tokio::test]
async fn groups_are_counted_as_a_list() {
    let client = Client::new();
    client
        .instance
        .put("sys_user", &[("user_name", "idle"), ("active", "false")]);
    let path = "/api/now/stats/sys_user?sysparm_count=true&sysparm_group_by=active";

    let answer = client.call("GET", path, "").await;

    let group = |value: &str, count: &str| json!({"stats": {"count": count}, "groupby_fields": [{"field": "active", "value": value}]});
    assert_eq!(answer.result(), json!([group("false", "1"), group("true", "3")]));
}

/// A real instance speaks it; the simulator says that it is the simulator that does not.
#[tokio::test]
async fn xml_is_not_simulated() {
    let client = Client::new();
    assert_eq!(
        client.header("accept", "application/xml").read("sys_user").await.status,
        501
    );
    let xml = client.header("content-type", "application/xml");
    assert_eq!(xml.insert("sys_user", json!({})).await.status, 501);
    let either = client.header("accept", "application/xml, application/json");
    assert_eq!(either.read("sys_user").await.status, 200);
}

#[tokio::test]
async fn segments_of_a_path_are_decoded() {
    let client = Client::new();
    assert_eq!(client.read("sys%5Fuser?sysparm_limit=1").await.status, 200);
}

#[tokio::test]
async fn requests_are_kept_for_the_test_to_look_at() {
    let client = Client::new();
    client.read("sys_user?sysparm_limit=1").await;
    let request = client.instance.requests().remove(0);
    assert_eq!(
        (
            request.method.as_str(),
            request.table.as_str(),
            request.status,
            request.user.as_str()
        ),
        ("GET", "sys_user", 200, "admin")
    );
    assert_eq!(request.query, "sysparm_limit=1");
    assert_eq!(request.transaction_id.len(), 12);
    client.instance.clear_requests();
    assert!(client.instance.requests().is_empty());
}

#[tokio::test]
async fn a_batch_is_answered_call_by_call() {
    let client = Client::new();
    let body = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, r#"{"user_name": "b"}"#);
    let batch = json!({"batch_request_id": 1, "rest_requests": [
        {"id": "1", "method": "POST", "url": "/api/now/table/sys_user", "body": body,
         "headers": [{"name": "Content-Type", "value": "application/json"}]},
        {"id": "2", "method": "GET", "url": "/api/now/table/nosuch", "headers": []},
    ]});
    let answer = client
        .call("POST", "/api/now/v1/batch", &batch.to_string())
        .await
        .json();
    assert_eq!(answer["batch_request_id"], "1");
    assert_ne!(answer["serviced_requests"][0]["headers"], json!([]));
    assert_eq!(answer["serviced_requests"][0]["status_code"], 201);
    assert_eq!(answer["serviced_requests"][1]["status_code"], 400);
    assert_eq!(client.instance.find("sys_user", "user_name", "b").len(), 1);
}

#[tokio::test]
async fn a_batch_leaves_out_what_it_was_not_asked_for() {
    let client = Client::new();
    let batch = json!({"rest_requests": [
        {"id": "1", "method": "GET", "url": "/api/now/table/sys_user", "exclude_response_headers": true},
    ]});
    let answer = client.call("POST", "/api/now/batch", &batch.to_string()).await.json();
    assert_eq!(
        (&answer["batch_request_id"], &answer["serviced_requests"][0]["headers"]),
        (&json!(""), &json!([]))
    );
    assert_eq!(client.call("GET", "/api/now/batch", "").await.status, 405);
}

#[tokio::test]
async fn a_delete_may_need_a_content_type() {
    let client = Client::new();
    let id = client.instance.put("sys_user", &[("user_name", "d")]);
    let bare = client.header("content-type", "");
    client.instance.switches(|modes| modes.delete_needs_content_type = true);
    assert_eq!(bare.delete(&format!("sys_user/{id}")).await.status, 400);
    client
        .instance
        .switches(|modes| modes.delete_needs_content_type = false);
    assert_eq!(bare.delete(&format!("sys_user/{id}")).await.status, 204);
}

#[tokio::test]
async fn columns_and_errors_come_in_the_order_of_a_real_instance() {
    let client = Client::new();

    let one = client
        .insert("incident?sysparm_fields=state,sys_id,short_description", json!({}))
        .await;
    let error = client.read("nosuch").await;

    let at = |column: &str| one.text.find(&format!("\"{column}\":")).unwrap();
    assert!(
        at("sys_id") < at("short_description") && at("short_description") < at("state"),
        "{}",
        one.text
    );
    assert_eq!(
        error.text,
        r#"{"error":{"message":"Invalid table nosuch","detail":null},"status":"failure"}"#
    );
}

/// ServiceNow's own Python client sends neither header in half of its tests.
#[tokio::test]
async fn accept_and_content_type_are_needed_only_in_one_mode() {
    let client = Client::new();
    let bare = client.header("accept", "").header("content-type", "");

    let read = bare.read("sys_user?sysparm_limit=1").await;
    let written = bare.insert("sys_user", json!({"user_name": "bare"})).await;

    assert_eq!(
        (read.status, read.header("content-type")),
        (200, Some("application/json;charset=UTF-8"))
    );
    assert_eq!((written.status, written.text_of("user_name")), (201, "bare".to_owned()));
    client.instance.switches(|modes| modes.headers_required = true);
    assert_eq!(client.header("accept", "").read("sys_user").await.status, 400);
    let without = client.header("content-type", "");
    assert_eq!(without.insert("sys_user", json!({})).await.status, 400);
    assert_eq!(client.insert("sys_user", json!({})).await.status, 201);
}

#[tokio::test]
async fn a_write_without_a_body_writes_no_column() {
    let client = Client::new();

    let made = client.call("POST", "/api/now/table/incident", "").await;

    assert_eq!(made.status, 201);
    let path = format!("/api/now/table/incident/{}", made.text_of("sys_id"));
    let changed = client.header("content-type", "").call("PATCH", &path, "").await;
    assert_eq!(
        (changed.status, changed.text_of("sys_mod_count")),
        (200, "0".to_owned())
    );
}

#[tokio::test]
async fn the_first_of_several_records_in_a_body_is_used() {
    let client = Client::new();

    let made = client
        .insert(
            "incident",
            json!([{"short_description": "first"}, {"short_description": "second"}]),
        )
        .await;

    assert_eq!(
        (made.status, made.text_of("short_description")),
        (201, "first".to_owned())
    );
    assert_eq!(client.instance.records("incident").len(), 1);
    assert_eq!(client.insert("incident", json!([])).await.status, 400);
    assert_eq!(client.insert("incident", json!("first")).await.status, 400);
}
