//! Tables, side effects of writes, and the modes of what is not documented.

use std::time::Duration;

use serde_json::json;
use servicenow_simulator::instance::{
    AbortRule, DefaultProfile, ExplicitScope, Operation, Options, Refusal, Release, SecretRead,
};

use crate::client::{Answer, Client};

fn provider() -> serde_json::Value {
    json!({
        "name": "p", "type": "oauth_provider", "client_id": "c", "client_secret": "s3cret",
        "default_grant_type": "client_credentials", "nosuch": "x",
    })
}

#[tokio::test]
async fn an_entity_is_filled_with_defaults_and_has_a_default_profile() {
    let client = Client::new();
    let made = client
        .insert("oauth_entity?sysparm_exclude_reference_link=true", provider())
        .await;
    for (column, text) in [
        ("type", "oauth_provider"),
        ("redirect_url", "https://simulated.service-now.com/oauth_redirect.do"),
        ("access_token_lifespan", "1800"),
        ("refresh_token_lifespan", "8640000"),
        ("send_client_credentials_as", "request_body_parameter"),
        ("active", "true"),
        ("access", "public"),
        ("sys_scope", "global"),
        ("sys_class_name", "oauth_entity"),
        ("sys_mod_count", "0"),
        ("sys_created_by", "admin"),
    ] {
        assert_eq!(made.text_of(column), text, "{column}");
    }
    assert!(made.result().get("nosuch").is_none());
    let profile = client
        .instance
        .find("oauth_entity_profile", "oauth_entity", &made.text_of("sys_id"))
        .remove(0);
    assert_eq!(profile["name"], "p default_profile");
    assert_eq!(
        (profile["default"].as_str(), profile["grant_type"].as_str()),
        ("true", "client_credentials")
    );

    let client_app = client.insert("oauth_entity", json!({"name": "inbound"})).await;
    assert_eq!(client_app.text_of("type"), "client");
    assert_eq!(client_app.text_of("client_id").len(), 32);
}

#[tokio::test]
async fn the_default_profile_may_come_late_or_never() {
    let client = Client::new();
    let profiles = || client.instance.records("oauth_entity_profile").len();
    client
        .instance
        .switches(|modes| modes.default_profile = DefaultProfile::NotCreated);
    client.insert("oauth_entity", provider()).await;
    assert_eq!(profiles(), 0);
    let delay = Duration::from_secs(60);
    client
        .instance
        .switches(|modes| modes.default_profile = DefaultProfile::Delayed(delay));
    client.insert("oauth_entity", provider()).await;
    assert_eq!(profiles(), 0);
    client.instance.switches(|modes| modes.clock_offset = 61);
    assert_eq!(profiles(), 1);
}

#[tokio::test]
async fn an_oidc_entity_is_seen_through_its_parent_without_its_own_columns() {
    let client = Client::new();
    let made = client
        .insert(
            "oauth_oidc_entity",
            json!({"name": "o", "client_id": "a2", "oidc_provider_configuration": "x"}),
        )
        .await;
    assert_eq!(made.text_of("type"), "oauth_provider");
    assert_eq!(made.text_of("clock_skew"), "300");
    let id = made.text_of("sys_id");
    let parent = client.read(&format!("oauth_entity/{id}")).await;
    assert_eq!(parent.text_of("sys_class_name"), "oauth_oidc_entity");
    assert!(parent.result().get("oidc_provider_configuration").is_none());
    let providers = client
        .read("oauth_entity?sysparm_query=type%3Doauth_provider%5Esys_class_name%3Doauth_entity")
        .await;
    assert_eq!(providers.result(), json!([]));
    assert_eq!(client.delete(&format!("oauth_entity/{id}")).await.status, 204);
    assert!(client.instance.record("oauth_oidc_entity", &id).is_none());
    assert!(client.instance.records("oauth_entity_profile").is_empty());
}

#[tokio::test]
async fn secrets_never_come_back() {
    let client = Client::new();
    let id = client.insert("oauth_entity", provider()).await.text_of("sys_id");
    for mode in [
        SecretRead::Absent,
        SecretRead::Empty,
        SecretRead::Masked,
        SecretRead::Encrypted,
    ] {
        client.instance.switches(|modes| modes.secret_read = mode);
        for display in ["false", "true", "all"] {
            let answer = client
                .read(&format!("oauth_entity/{id}?sysparm_display_value={display}"))
                .await;
            assert!(!answer.text.contains("s3cret"), "{mode:?} {display}");
            let is_absent = answer.result().get("client_secret").is_none();
            assert_eq!(is_absent, mode == SecretRead::Absent, "{mode:?} {display}");
        }
    }
    client.update(&format!("oauth_entity/{id}"), json!({"name": "q"})).await;
    assert_eq!(
        client.instance.record("oauth_entity", &id).unwrap()["client_secret"],
        "s3cret"
    );
}

#[tokio::test]
async fn a_password_works_only_if_it_was_given_as_display_value() {
    let client = Client::new();
    let user = json!({"user_name": "u", "last_name": "U", "user_password": "pw"});
    let id = client.insert("sys_user", user).await.text_of("sys_id");
    assert_eq!(client.signed_in_as("u", "pw").read("sys_user").await.status, 401);
    let path = format!("sys_user/{id}?sysparm_input_display_value=true");
    client.update(&path, json!({"user_password": "pw"})).await;
    assert_eq!(client.signed_in_as("u", "pw").read("sys_user").await.status, 200);
}

#[tokio::test]
async fn display_value_input_reads_names_instead_of_ids() {
    let client = Client::new();
    let admin = client.instance.find("sys_user", "user_name", "admin").remove(0);
    let by_name = client
        .insert(
            "sys_user?sysparm_input_display_value=true",
            json!({"user_name": "n", "manager": "System Administrator"}),
        )
        .await;
    assert_eq!(by_name.result()["manager"]["value"], admin["sys_id"]);
    let by_id = client
        .insert(
            "sys_user?sysparm_input_display_value=true",
            json!({"user_name": "i", "manager": admin["sys_id"]}),
        )
        .await;
    assert_eq!(by_id.result()["manager"], "");
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_the_counters_alone() {
    let client = Client::new();
    let id = client
        .insert("sys_user", json!({"user_name": "u", "title": "t"}))
        .await
        .text_of("sys_id");
    let path = format!("sys_user/{id}");
    assert_eq!(
        client
            .update(&path, json!({"title": "t", "nosuch": 1}))
            .await
            .text_of("sys_mod_count"),
        "0"
    );
    assert_eq!(
        client
            .update(&path, json!({"title": "x"}))
            .await
            .text_of("sys_mod_count"),
        "1"
    );
    let denied = ("sys_user".to_owned(), "title".to_owned());
    client.instance.switches(|modes| {
        modes.write_denied.insert(denied.clone());
    });
    let dropped = client.update(&path, json!({"title": "y"})).await;
    assert_eq!((dropped.status, dropped.text_of("title")), (200, "x".to_owned()));
    client.instance.switches(|modes| {
        modes.read_denied.insert(denied);
    });
    assert!(client.read(&path).await.result().get("title").is_none());
    client.instance.switches(|modes| {
        modes.hidden_rows.insert(id);
    });
    assert_eq!(client.read(&path).await.status, 404);
    assert_eq!(client.update(&path, json!({})).await.status, 404);
}

#[tokio::test]
async fn duplicates_are_refused_in_either_shape() {
    let client = Client::new();
    for refusal in [Refusal::Forbidden, Refusal::BadRequest] {
        client.instance.switches(|modes| modes.duplicate = refusal);
        let answer = client.insert("sys_user", json!({"user_name": "admin"})).await;
        assert_eq!(answer.status, if refusal == Refusal::Forbidden { 403 } else { 400 });
        assert_eq!(answer.json()["error"]["message"], "Operation Failed");
    }
    let configuration = json!({"name": "x", "oidc_url": "https://issuer.example/metadata"});
    let insert = || client.insert("oidc_provider_configuration", configuration.clone());
    assert_eq!(insert().await.status, 201);
    assert_eq!(insert().await.status, 400);
    client.instance.switches(|modes| modes.unique_oidc_url = false);
    assert_eq!(insert().await.status, 201);
    client
        .instance
        .switches(|modes| modes.configuration_create_refused = true);
    assert_eq!(insert().await.status, 403);
}

#[tokio::test]
async fn the_scope_is_the_current_application_unless_given() {
    let client = Client::new();
    let admin = client.instance.find("sys_user", "user_name", "admin").remove(0);
    let app = client
        .instance
        .find("sys_store_app", "scope", "x_mioms_m365_assis")
        .remove(0);
    client.instance.put(
        "sys_user_preference",
        &[
            ("name", "apps.current_app"),
            ("user", &admin["sys_id"]),
            ("value", &app["sys_id"]),
        ],
    );
    let insert = |scope: &str| {
        let mut body = provider();
        body["sys_scope"] = json!(scope);
        client.insert("oauth_entity?sysparm_exclude_reference_link=true", body)
    };
    assert_eq!(insert("").await.text_of("sys_scope"), app["sys_id"]);
    assert_eq!(insert("global").await.text_of("sys_scope"), "global");
    client
        .instance
        .switches(|modes| modes.explicit_scope = ExplicitScope::Ignored);
    assert_eq!(insert("global").await.text_of("sys_scope"), app["sys_id"]);
    client
        .instance
        .switches(|modes| modes.explicit_scope = ExplicitScope::Refused);
    assert_eq!(insert("global").await.status, 403);
}

#[tokio::test]
async fn the_identity_type_moves_the_web_service_flag_and_is_new() {
    let client = Client::new();
    let user = json!({"user_name": "m", "identity_type": "machine", "web_service_access_only": "false"});
    let made = client.insert("sys_user", user.clone()).await;
    assert_eq!(made.text_of("web_service_access_only"), "true");
    let path = format!("sys_user/{}", made.text_of("sys_id"));
    let human = client.update(&path, json!({"identity_type": "human"})).await;
    assert_eq!(human.text_of("web_service_access_only"), "false");

    let options = Options {
        release: Release::Xanadu,
        ..Options::default()
    };
    let older = Client::with(options, std::sync::Arc::new(servicenow_simulator::internet::Offline));
    let made = older.insert("sys_user", user).await;
    assert!(made.result().get("identity_type").is_none());
    assert_eq!(made.text_of("web_service_access_only"), "false");
    assert_eq!(older.read("sys_auth_scope").await.status, 400);
}

#[tokio::test]
async fn rules_abort_without_giving_their_reason() {
    let client = Client::new();
    client.instance.switches(|modes| {
        modes.abort_rules.push(AbortRule {
            table: "sys_metadata".to_owned(),
            operation: Operation::Create,
            name: "No applications here".to_owned(),
        });
    });
    let answer = client.insert("oauth_entity", provider()).await;
    assert_eq!(answer.status, 403);
    let detail = answer.json()["error"]["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.starts_with("Operation against file 'oauth_entity' was aborted by Business Rule 'No applications here^")
    );
}

#[tokio::test]
async fn a_network_rule_is_about_one_family_of_addresses() {
    let client = Client::new();
    let choice = |label: &str| {
        let choices = client.instance.find("sys_choice", "name", "ip_access");
        let choice = choices.iter().find(|choice| choice["label"] == label).unwrap();
        choice["value"].clone()
    };
    let deny = |start: &str, end: &str| json!({"type": "deny", "direction": choice("Bidirectional"), "range_start": start, "range_end": end});
    // The caller has an IPv4 address.
    assert_eq!(client.insert("ip_access", deny("::", "ffff::")).await.status, 201);
    assert_eq!(
        client.insert("ip_access", deny("126.0.0.0", "ffff::")).await.status,
        201
    );
    assert_eq!(
        client.insert("ip_access", deny("127.0.0.0", "127.0.0.2")).await.status,
        403
    );

    client
        .instance
        .switches(|modes| modes.client_address = "2001:db8::1".to_owned());
    assert_eq!(client.read("sys_user").await.status, 403);
}

#[tokio::test]
async fn a_network_rule_that_locks_the_caller_out_is_refused() {
    let client = Client::new();
    let choice = |label: &str| {
        let choices = client.instance.find("sys_choice", "name", "ip_access");
        let choice = choices.iter().find(|choice| choice["label"] == label).unwrap();
        choice["value"].clone()
    };
    let deny = json!({"type": choice("Deny"), "range_start": "0.0.0.0", "range_end": "255.255.255.255"});
    assert_eq!(client.insert("ip_access", deny.clone()).await.status, 403);
    let allow = json!({"type": choice("Allow"), "range_start": "127.0.0.1", "range_end": "127.0.0.1"});
    assert_eq!(client.insert("ip_access", allow).await.status, 201);
    assert_eq!(client.insert("ip_access", deny).await.status, 201);
    client
        .instance
        .switches(|modes| modes.client_address = "10.0.0.1".to_owned());
    let blocked = client.read("sys_user").await;
    assert_eq!(
        (blocked.status, blocked.header("content-type")),
        (403, Some("text/html;charset=UTF-8"))
    );
}

#[tokio::test]
async fn an_application_reads_a_table_only_if_table_and_privilege_allow_it() {
    let client = Client::new();
    let instance = &client.instance;
    let app = "x_mioms_m365_assis";
    let scope = instance.find("sys_store_app", "scope", app).remove(0)["sys_id"].clone();
    let table = instance.find("sys_db_object", "name", "oauth_entity").remove(0)["sys_id"].clone();
    let may = || instance.cross_scope_read(app, "oauth_entity");
    assert_eq!(may(), Ok(()));
    instance.change("sys_db_object", &table, &[("read_access", "false")]);
    let refusal = "Read operation against 'oauth_entity' from scope 'x_mioms_m365_assis' has been refused due to \
                   the table's cross-scope access policy";
    assert_eq!(may(), Err(refusal.to_owned()));
    assert_eq!(client.read("oauth_entity").await.status, 200);
    instance.change(
        "sys_db_object",
        &table,
        &[("read_access", "true"), ("caller_access", "2")],
    );
    assert!(may().is_err());
    instance.put(
        "sys_scope_privilege",
        &[
            ("source_scope", &scope),
            ("target_scope", "global"),
            ("target_name", "oauth_entity"),
            ("target_type", "sys_db_object"),
            ("operation", "read"),
            ("status", "allowed"),
        ],
    );
    assert_eq!(may(), Ok(()));
}

#[tokio::test]
async fn the_schema_can_be_read_at_run_time() {
    let client = Client::new();
    let rows = |answer: Answer| answer.result().as_array().unwrap().clone();
    let columns = rows(
        client
            .read("sys_dictionary?name=oidc_provider_configuration&element=oidc_url")
            .await,
    );
    assert_eq!(columns[0]["column_label"], "OIDC Metadata URL");
    let tables = rows(
        client
            .read("sys_db_object?name=oauth_oidc_entity&sysparm_fields=super_class.name")
            .await,
    );
    assert_eq!(tables[0]["super_class.name"], "oauth_entity");
    let apps = rows(client.read("sys_store_app?scope=x_mioms_m365_assis").await);
    assert_eq!(apps[0]["version"], "1.0.11");
    assert_eq!(
        rows(client.read("v_plugin?id=com.snc.platform.security.oauth").await).len(),
        1
    );
    assert_eq!(client.read("sys_plugins").await.status, 403);
}

#[tokio::test]
async fn a_destroyed_record_leaves_no_trace_in_the_fingerprint() {
    let client = Client::new();
    let before = client.instance.fingerprint();
    let id = client.insert("oauth_entity", provider()).await.text_of("sys_id");
    assert_ne!(client.instance.fingerprint(), before);
    client.delete(&format!("oauth_entity/{id}")).await;
    assert_eq!(client.instance.fingerprint(), before);
}

#[tokio::test]
async fn a_snapshot_brings_everything_back() {
    let client = Client::new();
    client.insert("oauth_entity", provider()).await;
    let snapshot = client.instance.snapshot();
    let other = Client::new();
    other.instance.restore(&snapshot).unwrap();
    assert_eq!(other.instance.fingerprint(), client.instance.fingerprint());
    assert!(other.instance.restore(&json!({"rows": 1})).is_err());
    assert_eq!(other.instance.fingerprint(), client.instance.fingerprint());
}

/// Scripts and suites of others spell these keys out.
#[tokio::test]
async fn out_of_box_records_have_the_keys_that_they_have_on_every_instance() {
    let client = Client::new();
    for (path, key) in [
        ("sys_user?user_name=admin", "6816f79cc0a8016401c5a33be04be441"),
        ("sys_user?user_name=abel.tuter", "62826bf03710200044e0bfc8bcbe5df1"),
        ("sys_user_role?name=admin", "2831a114c611228501d4ea6c309d626d"),
        ("sys_user_role?name=itil", "282bf1fac6112285017366cb5f867469"),
        ("sys_user_group?name=Service%20Desk", "d625dccec0a8016700a222a0f7900d06"),
    ] {
        assert_eq!(client.read(path).await.result()[0]["sys_id"], key, "{path}");
    }
    let other = Client::new();
    let role = |client: &Client| client.instance.find("sys_user_role", "name", "oauth_admin")[0]["sys_id"].clone();
    assert_eq!(role(&client), role(&other));
}

#[tokio::test]
async fn what_gets_no_name_is_called_by_its_label_or_suffix() {
    let client = Client::new();

    let table = client.insert("sys_db_object", json!({"label": "Work order"})).await;
    let property = client.insert("sys_properties", json!({"suffix": "acme.limit"})).await;

    assert_eq!((table.status, table.text_of("name")), (201, "u_work_order".to_owned()));
    assert_eq!(
        (property.status, property.text_of("name")),
        (201, "acme.limit".to_owned())
    );
}

#[tokio::test]
async fn the_suffix_of_a_role_is_its_name_without_the_scope() {
    let client = Client::new();
    for (name, suffix) in [("x_acme_app.reader", "reader"), ("reader", "reader")] {
        let role = client.insert("sys_user_role", json!({"name": name})).await;
        assert_eq!((role.status, role.text_of("suffix")), (201, suffix.to_owned()));
    }
}

#[tokio::test]
async fn an_application_has_all_the_choices_that_are_known() {
    let client = Client::new();
    for (element, value) in [
        ("type", "auth_server"),
        ("inbound_grant_type", "oidc"),
        ("inbound_grant_type", "not_applicable"),
        ("client_type", "integration_as_a_service"),
        ("scope_restriction_status", "useraccount"),
    ] {
        let path = format!("sys_choice?name=oauth_entity&element={element}&value={value}");
        let found = client.read(&path).await;
        assert_eq!(found.header("x-total-count"), Some("1"), "{element}: {value}");
    }
}
