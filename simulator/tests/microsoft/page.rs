//! The page for people, without a browser; `scripts/check-page.sh` looks at it with one.

use reqwest::StatusCode;
use serde_json::json;
use servicenow_simulator::microsoft::directory::TokenVersion;

use crate::web::Simulation;

const HOSTILE: &str = "<script>alert('x')</script>";
const ESCAPED: &str = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;";

async fn read(simulation: &Simulation, path: &str) -> (StatusCode, String) {
    let address = format!("{}{path}", simulation.simulator.urls().instance);
    let answer = simulation.client.get(address).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// The addresses below `/simulator/` that a page leads to.
fn links(page: &str) -> Vec<String> {
    let links = page.split("href=\"/simulator/").skip(1);
    links
        .map(|rest| format!("/simulator/{}", rest.split('"').next().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_record_is_reached_from_the_overview_and_hostile_values_are_text() {
    let simulation = Simulation::start().await;
    let instance = simulation.simulator.instance();
    let user = instance.put("sys_user", &[("user_name", "hostile"), ("last_name", HOSTILE)]);

    let (_, overview) = read(&simulation, "/").await;
    let (_, table) = read(&simulation, "/simulator/sys_user").await;
    let (_, record) = read(&simulation, &format!("/simulator/sys_user/{user}")).await;

    assert!(
        links(&overview).contains(&format!("/simulator/sys_user/{user}")),
        "{overview}"
    );
    for page in [overview, table, record] {
        assert!(page.contains(ESCAPED) && !page.contains("<script"), "{page}");
    }
}

#[tokio::test]
async fn no_page_shows_a_secret() {
    let simulation = Simulation::start().await;
    let application = simulation.simulator.directory().register("outbound", TokenVersion::V1);
    let instance = simulation.simulator.instance();
    instance.put(
        "oauth_entity",
        &[
            ("name", "outbound"),
            ("client_id", &application.client_id),
            ("client_secret", &application.client_secret),
        ],
    );
    simulation.simulator.admin().put_repository(&json!({
        "RepositoryId": "one",
        "ClientSecret": application.client_secret,
        "RestUserPassword": application.client_secret,
    }));
    let token = simulation.admin_token().await;
    let secrets = [
        application.client_secret.as_str(),
        simulation.simulator.client_secret(),
        simulation.simulator.refresh_token(),
        simulation.simulator.password(),
        token.as_str(),
    ];

    let (_, overview) = read(&simulation, "/").await;

    assert!(
        overview.contains("upn") && overview.contains("set, not shown"),
        "{overview}"
    );
    let mut pages = links(&overview);
    assert!(pages.len() > 20, "{pages:?}");
    pages.push("/".to_owned());
    for path in pages {
        let (status, page) = read(&simulation, &path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        for secret in secrets {
            assert!(!page.contains(secret), "{path} shows a secret");
        }
    }
}

#[tokio::test]
async fn the_button_runs_the_connection_test_and_leads_back() {
    let simulation = Simulation::start().await;
    let root = format!("{}/", simulation.simulator.urls().instance);
    assert!(read(&simulation, "/").await.1.contains("Not run yet"));

    let answer = simulation.client.post(&root).body("variant=").send().await.unwrap();

    assert_eq!(answer.url().as_str(), root);
    let page = answer.text().await.unwrap();
    assert!(page.contains("the admin center&#39;s support tool is"), "{page}");
    assert!(page.contains("<p role=\"status\" class=\"verdict bad\">"), "{page}");
}

#[tokio::test]
async fn a_variant_that_does_not_exist_is_answered_with_those_that_do() {
    let simulation = Simulation::start().await;
    let root = format!("{}/", simulation.simulator.urls().instance);

    let answer = simulation
        .client
        .post(&root)
        .body("variant=nonsense")
        .send()
        .await
        .unwrap();

    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let page = answer.text().await.unwrap();
    for expected in [
        "nonsense",
        "<option value=\"aad_v1\">",
        "href=\"/\"",
        "/simulator/style.css",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[tokio::test]
async fn what_the_instance_shipped_with_is_told_from_what_was_made() {
    let simulation = Simulation::start().await;
    let (_, before) = read(&simulation, "/").await;
    assert!(before.contains("Nothing yet"), "{before}");

    simulation
        .simulator
        .instance()
        .put("sys_user_group", &[("name", "Made here")]);

    let (_, after) = read(&simulation, "/").await;
    assert!(after.contains("Made here") && !after.contains("Nothing yet"), "{after}");
    assert!(!after.contains("Service Desk"), "{after}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_the_page_says_what_is() {
    let simulation = Simulation::start().await;
    let cases = [
        ("/simulator/nonsense", "/simulator/sys_user\""),
        ("/simulator/sys_usr", "Did you mean <a href=\"/simulator/sys_user\">"),
        (
            "/simulator/oidc_provider",
            "<a href=\"/simulator/oidc_provider_configuration\">oidc_provider_configuration</a>?",
        ),
        ("/simulator/sys_user/nonsense", "<a href=\"/simulator/sys_user\">"),
        ("/simulator/sys_user/a/b", "/simulator/sys_user\""),
        ("/simulator/%3Cscript%3E", "&lt;script&gt;"),
    ];
    for (path, expected) in cases {
        let (status, page) = read(&simulation, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        for expected in [expected, "<a href=\"/\">Overview</a>", "/simulator/style.css"] {
            assert!(page.contains(expected), "{path}: {expected} in {page}");
        }
        assert!(!page.contains("<script"), "{page}");
    }
    for path in ["/simulator", "/simulator/"] {
        let (status, page) = read(&simulation, path).await;
        assert!(
            status.is_success() && page.contains("<h2>All tables</h2>"),
            "{path}: {page}"
        );
    }
    let (status, _) = read(&simulation, "/simulator/sys_user/").await;
    assert_eq!(status, StatusCode::OK, "a slash at the end");
}

#[tokio::test]
async fn terraforms_own_sign_ins_do_not_hide_other_tokens() {
    let simulation = Simulation::start().await;
    simulation.admin_token().await;
    let (_, before) = read(&simulation, "/").await;
    assert!(before.contains("None yet to an application"), "{before}");

    let caller = simulation
        .simulator
        .directory()
        .register("the caller", TokenVersion::V1);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", caller.client_id.as_str()),
        ("client_secret", caller.client_secret.as_str()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    assert_eq!(simulation.token("/v2.0", &form).await.0, 200);
    simulation.admin_token().await;

    let (_, after) = read(&simulation, "/").await;
    let tokens = after.split("<section id=\"tokens\">").nth(1).unwrap();
    let (others, own) = tokens.split_once("<details class=\"own\">").unwrap();
    assert!(others.contains("<strong>the caller</strong>"), "{tokens}");
    assert_eq!(others.matches("class=\"token\"").count(), 1, "{tokens}");
    assert!(
        own.starts_with("<summary>Terraform&#39;s own sign-ins (2)</summary>"),
        "{own}"
    );
}

/// The lines of the list below the picture, without markup, which must say what the picture says.
fn ties(page: &str) -> Vec<String> {
    let list = page.split("<ul class=\"ties\">").nth(1).unwrap();
    let list = list.split("</ul>").next().unwrap();
    let mut lines = Vec::new();
    for item in list.split("<li").skip(1) {
        let mut text = String::new();
        for piece in item.split('<') {
            text.push_str(piece.split_once('>').map_or("", |(_, after)| after));
        }
        lines.push(text);
    }
    let picture = page.split("<svg class=\"picture\"").nth(1).unwrap();
    let missing = lines.iter().filter(|line| line.starts_with('✗')).count();
    assert_eq!(picture.matches("<g class=\"tie").count(), lines.len(), "{picture}");
    assert_eq!(
        picture.matches("<g class=\"tie missing\">").count(),
        missing,
        "{picture}"
    );
    assert_eq!(picture.matches("Missing: ").count(), missing, "{picture}");
    lines
}

#[tokio::test]
async fn who_trusts_whom_follows_from_the_records() {
    let simulation = Simulation::start().await;
    let (instance, admin) = (simulation.simulator.instance(), simulation.simulator.admin());
    let [a1, a2, a3] =
        ["one", "two", "three"].map(|name| simulation.simulator.directory().register(name, TokenVersion::V1));
    assert_eq!(
        ties(&read(&simulation, "/").await.1),
        [
            "✗ missing: OAuth provider (none) signs in as Application A1 (none)",
            "✗ missing: Admin center (none) accepts tokens of Application A1 (none)",
            "✗ missing: OIDC provider (none) accepts tokens for Application A2 (none)",
            "✗ missing: Repository (none) gets tokens for Application A2 (none)",
            "✗ missing: User (none) stands for Application A3 (none)",
            "✗ missing: Repository (none) signs in as Application A3 (none)",
        ]
    );

    instance.put(
        "oauth_entity",
        &[
            ("name", "provider"),
            ("type", "oauth_provider"),
            ("client_id", &a1.client_id),
        ],
    );
    let configuration = instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "configuration"),
            ("user_claim", "appid"),
            ("user_field", "email"),
        ],
    );
    instance.put(
        "oauth_oidc_entity",
        &[
            ("name", "registration"),
            ("client_id", &a2.client_id),
            ("oidc_provider_configuration", &configuration),
        ],
    );
    let user = instance.put(
        "sys_user",
        &[("user_name", "robot"), ("last_name", "Robot"), ("email", &a3.client_id)],
    );
    assert_eq!(
        ties(&read(&simulation, "/").await.1),
        [
            "✓ OAuth provider provider signs in as Application A1 one",
            "✗ missing: Admin center (none) accepts tokens of Application A1 one",
            "✓ OIDC provider registration accepts tokens for Application A2 two",
            "✗ missing: Repository (none) gets tokens for Application A2 two",
            "✓ User Robot stands for Application A3 three",
            "✗ missing: Repository (none) signs in as Application A3 three",
        ]
    );

    admin.put_settings(&json!({"ApplicationId": a1.client_id}));
    admin.put_repository(&json!({
        "RepositoryId": "here",
        "AuthenticationType": "AAD",
        "ClientId": a2.client_id,
        "RestUserName": a3.client_id,
    }));
    let (_, page) = read(&simulation, "/").await;
    let complete = ties(&page);
    assert!(complete.iter().all(|line| line.starts_with('✓')), "{complete:?}");
    assert_eq!(complete[3], "✓ Repository here gets tokens for Application A2 two");
    assert!(!page.contains("class=\"node missing\""), "{page}");

    instance.change("sys_user", &user, &[("active", "false")]);
    simulation
        .simulator
        .directory()
        .with(|tenant| tenant.remove_application(&a2.object_id));
    assert_eq!(
        ties(&read(&simulation, "/").await.1)[2..5],
        [
            "✗ missing: OIDC provider registration accepts tokens for Application A2 (none)",
            "✗ missing: Repository here gets tokens for Application A2 (none)",
            "✗ missing: User Robot stands for Application A3 three",
        ]
    );
}

#[tokio::test]
async fn with_user_and_password_entra_has_no_part_in_the_inbound_direction() {
    let simulation = Simulation::start().await;
    let instance = simulation.simulator.instance();
    instance.put(
        "oauth_entity",
        &[("name", "endpoint"), ("type", "client"), ("client_id", "abc")],
    );
    simulation.simulator.admin().put_repository(&json!({
        "RepositoryId": "here",
        "AuthenticationType": "Basic",
        "ClientId": "abc",
        "RestUserName": "robot",
    }));

    assert_eq!(
        ties(&read(&simulation, "/").await.1)[2..],
        [
            "✓ Repository here gets tokens at OAuth endpoint endpoint",
            "✗ missing: Repository here signs in as User (none)",
        ]
    );
}
