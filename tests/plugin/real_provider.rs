//! The provider itself below Terraform, against the simulator: what clients of other versions and misbehaving ones get.

use serde_json::{Value as Json, json};
use servicenow_provider::plugin::proto::tfplugin6 as wire;
use servicenow_provider::plugin::server::Server;
use servicenow_provider::provider::{Environment, Servicenow};
use servicenow_simulator::{Options, Scheme, Simulator};
use tonic::transport::Channel;

use crate::support::core::{dynamic, in_memory, texts};
use crate::support::msgpack::{from_msgpack, unknown};

type Client = wire::provider_client::ProviderClient<Channel>;

const USER: &str = "servicenow_integration_user";
const UNKNOWN_CONFIG: i32 = wire::deferred::Reason::ProviderConfigUnknown as i32;

/// The provider with everything that it serves, and each schema's attributes.
struct Served {
    client: Client,
    schema: wire::get_provider_schema::Response,
}

impl Served {
    async fn start() -> Self {
        let provider = Servicenow {
            environment: Environment::empty(),
        };
        let mut client = in_memory(Server::unmasked(provider)).await;
        let schema = client
            .get_provider_schema(wire::get_provider_schema::Request {})
            .await
            .unwrap()
            .into_inner();
        Self { client, schema }
    }

    async fn configured(simulator: &Simulator, more: Json) -> Self {
        let mut served = Self::start().await;
        let mut config = json!({"instance_url": simulator.urls().instance});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        assert_eq!(served.configure(config).await, Vec::<String>::new());
        served
    }

    async fn with_account(simulator: &Simulator) -> Self {
        let account = json!({"username": simulator.username(), "password": simulator.password()});
        Self::configured(simulator, account).await
    }

    async fn unknown() -> Self {
        let mut served = Self::start().await;
        let unknown = served.block(served.schema.provider.as_ref(), &json!({}));
        let config = with_unknown(&unknown, "instance_url");
        let request = wire::configure_provider::Request {
            terraform_version: "1.15.5".to_owned(),
            config: Some(config),
            ..Default::default()
        };
        let answer = served.client.configure_provider(request).await.unwrap().into_inner();
        assert_eq!(texts(&answer.diagnostics), Vec::<String>::new());
        served
    }

    async fn configure(&mut self, config: Json) -> Vec<String> {
        let config = self.block(self.schema.provider.as_ref(), &config);
        let request = wire::configure_provider::Request {
            terraform_version: "1.15.5".to_owned(),
            config: Some(dynamic(&config)),
            ..Default::default()
        };
        texts(
            &self
                .client
                .configure_provider(request)
                .await
                .unwrap()
                .into_inner()
                .diagnostics,
        )
    }

    /// The object with null for every attribute that it does not have.
    fn block(&self, schema: Option<&wire::Schema>, object: &Json) -> Json {
        let attributes = &schema.unwrap().block.as_ref().unwrap().attributes;
        attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), object[&attribute.name].clone()))
            .collect()
    }

    fn resource(&self, type_name: &str, object: &Json) -> Json {
        self.block(self.schema.resource_schemas.get(type_name), object)
    }

    fn ephemeral(&self, type_name: &str, object: &Json) -> Json {
        self.block(self.schema.ephemeral_resource_schemas.get(type_name), object)
    }

    async fn open(&mut self, type_name: &str, config: Json, deferral: bool) -> wire::open_ephemeral_resource::Response {
        let config = self.ephemeral(type_name, &config);
        let request = wire::open_ephemeral_resource::Request {
            type_name: type_name.to_owned(),
            config: Some(dynamic(&config)),
            client_capabilities: Some(capabilities(deferral)),
        };
        self.client.open_ephemeral_resource(request).await.unwrap().into_inner()
    }

    async fn list(&mut self, limit: i64, config: Json) -> (Vec<wire::list_resource::Event>, Vec<String>) {
        let config = self.block(self.schema.list_resource_schemas.get(USER), &config);
        let request = wire::list_resource::Request {
            type_name: USER.to_owned(),
            config: Some(dynamic(&config)),
            include_resource_object: false,
            limit,
        };
        let mut stream = self.client.list_resource(request).await.unwrap().into_inner();
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        while let Some(event) = stream.message().await.unwrap() {
            problems.extend(texts(&event.diagnostic));
            if event.identity.is_some() {
                found.push(event);
            }
        }
        (found, problems)
    }

    async fn invoke(&mut self, config: wire::DynamicValue) -> (Vec<String>, Vec<String>) {
        use wire::invoke_action::event::Type;
        let request = wire::invoke_action::Request {
            action_type: "servicenow_inbound_check".to_owned(),
            config: Some(config),
            ..Default::default()
        };
        let mut stream = self.client.invoke_action(request).await.unwrap().into_inner();
        let (mut said, mut problems) = (Vec::new(), Vec::new());
        while let Some(event) = stream.message().await.unwrap() {
            match event.r#type.unwrap() {
                Type::Progress(progress) => said.push(progress.message),
                Type::Completed(completed) => problems.extend(texts(&completed.diagnostics)),
            }
        }
        (said, problems)
    }

    async fn upgrade(&mut self, type_name: &str, version: i64, state: &Json) -> (Json, Vec<String>) {
        let request = wire::upgrade_resource_state::Request {
            type_name: type_name.to_owned(),
            version,
            raw_state: Some(raw(state)),
        };
        let answer = self.client.upgrade_resource_state(request).await.unwrap().into_inner();
        let state = answer
            .upgraded_state
            .map_or(Json::Null, |state| from_msgpack(&state.msgpack));
        (state, texts(&answer.diagnostics))
    }
}

fn raw(state: &Json) -> wire::RawState {
    wire::RawState {
        json: state.to_string().into_bytes(),
        ..Default::default()
    }
}

fn capabilities(deferral: bool) -> wire::ClientCapabilities {
    wire::ClientCapabilities {
        deferral_allowed: deferral,
        write_only_attributes_allowed: true,
        ..Default::default()
    }
}

/// The object with one attribute unknown.
fn with_unknown(object: &Json, name: &str) -> wire::DynamicValue {
    let mut object = object.clone();
    object[name] = unknown();
    dynamic(&object)
}

async fn simulator() -> Simulator {
    let options = Options {
        instance_scheme: Scheme::Http,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

#[track_caller]
fn says(diagnostics: &[String], part: &str) {
    assert!(
        diagnostics
            .iter()
            .any(|text| text.starts_with("Error") && text.contains(part)),
        "no error says {part:?}: {diagnostics:?}"
    );
}

/// A provider whose address is not known yet: a client that allows deferral is told to wait, any other can still plan.
#[tokio::test]
async fn with_an_unknown_configuration_calls_are_deferred_or_tolerated() {
    let mut served = Served::unknown().await;
    let config = served.resource(USER, &json!({"user_name": "robot"}));
    for (deferral, reason) in [(true, Some(UNKNOWN_CONFIG)), (false, None)] {
        let request = wire::plan_resource_change::Request {
            type_name: USER.to_owned(),
            prior_state: Some(dynamic(&Json::Null)),
            proposed_new_state: Some(dynamic(&config)),
            config: Some(dynamic(&config)),
            client_capabilities: Some(capabilities(deferral)),
            ..Default::default()
        };
        let planned = served.client.plan_resource_change(request).await.unwrap().into_inner();
        assert_eq!(planned.deferred.map(|deferred| deferred.reason), reason);
        assert_eq!(texts(&planned.diagnostics), Vec::<String>::new());
        assert!(planned.planned_state.is_some());

        let state = served.resource(
            USER,
            &json!({"id": "0123456789abcdef0123456789abcdef", "user_name": "robot"}),
        );
        let request = wire::read_resource::Request {
            type_name: USER.to_owned(),
            current_state: Some(dynamic(&state)),
            client_capabilities: Some(capabilities(deferral)),
            ..Default::default()
        };
        let read = served.client.read_resource(request).await.unwrap().into_inner();
        assert_eq!(read.deferred.map(|deferred| deferred.reason), reason);
        assert_eq!(from_msgpack(&read.new_state.unwrap().msgpack), state);

        let request = wire::import_resource_state::Request {
            type_name: USER.to_owned(),
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            client_capabilities: Some(capabilities(deferral)),
            ..Default::default()
        };
        let imported = served.client.import_resource_state(request).await.unwrap().into_inner();
        assert_eq!(imported.deferred.map(|deferred| deferred.reason), reason);

        let opened = served.open("servicenow_access_token", json!({}), deferral).await;
        assert_eq!(opened.deferred.map(|deferred| deferred.reason), reason);
        if !deferral {
            says(&texts(&imported.diagnostics), "configuration is not known yet");
            says(&texts(&opened.diagnostics), "configuration is not known yet");
        }

        let request = wire::plan_action::Request {
            action_type: "servicenow_inbound_check".to_owned(),
            client_capabilities: Some(capabilities(deferral)),
            ..Default::default()
        };
        let planned = served.client.plan_action(request).await.unwrap().into_inner();
        assert_eq!(planned.deferred.map(|deferred| deferred.reason), reason);
        assert_eq!(texts(&planned.diagnostics), Vec::<String>::new());
    }
}

/// What has no plan cannot wait.
#[tokio::test]
async fn with_an_unknown_configuration_nothing_is_applied_or_listed() {
    let mut served = Served::unknown().await;
    let state = served.resource(USER, &json!({"user_name": "robot"}));
    let request = wire::apply_resource_change::Request {
        type_name: USER.to_owned(),
        prior_state: Some(dynamic(&Json::Null)),
        planned_state: Some(dynamic(&state)),
        config: Some(dynamic(&state)),
        ..Default::default()
    };
    let applied = served.client.apply_resource_change(request).await.unwrap().into_inner();
    says(&texts(&applied.diagnostics), "terraform apply -target");
    assert_eq!(from_msgpack(&applied.new_state.unwrap().msgpack), Json::Null);

    let (found, problems) = served.list(5, json!({})).await;
    assert!(found.is_empty());
    says(&problems, "configuration is not known yet");
}

#[tokio::test]
async fn an_action_on_an_unknown_value_names_it() {
    let simulator = simulator().await;
    let mut served = Served::with_account(&simulator).await;
    let schema = served.schema.action_schemas["servicenow_inbound_check"].schema.clone();
    let config = served.block(schema.as_ref(), &json!({"client_id": "a", "client_secret": "b"}));

    let (said, problems) = served.invoke(with_unknown(&config, "audience")).await;

    assert!(said.is_empty());
    says(&problems, "`audience` is not known when the action runs");
    assert!(simulator.instance().requests().is_empty());
}

#[tokio::test]
async fn a_limit_below_one_is_refused() {
    let simulator = simulator().await;
    let mut served = Served::with_account(&simulator).await;

    for limit in [0, -1] {
        let (found, problems) = served.list(limit, json!({})).await;
        assert!(found.is_empty());
        says(&problems, "Invalid limit");
    }
    let (found, problems) = served.list(1, json!({"query": "user_name=admin"})).await;
    assert_eq!((found.len(), problems), (1, Vec::<String>::new()));
    assert_eq!(found[0].display_name, "admin (System Administrator)");
    assert_eq!(served.list(1, json!({})).await.0.len(), 1, "of several");
}

#[tokio::test]
async fn states_of_all_versions_are_upgraded_or_refused() {
    let mut served = Served::start().await;
    let id = "0123456789abcdef0123456789abcdef";
    let types: Vec<String> = served.schema.resource_schemas.keys().cloned().collect();
    for type_name in types {
        let version = served.schema.resource_schemas[&type_name].version;
        // Of this version; attributes that are gone do no harm.
        let (state, problems) = served
            .upgrade(&type_name, version, &json!({"id": id, "of_a_draft": [1]}))
            .await;
        assert_eq!((&state["id"], problems), (&json!(id), Vec::new()), "{type_name}");

        let (state, problems) = served.upgrade(&type_name, version + 1, &json!({"id": id})).await;
        assert_eq!(state, Json::Null, "{type_name}");
        says(&problems, "written by a newer version of the provider");
    }
    let (_, problems) = served.upgrade("m365_support_settings", 0, &json!({"id": id})).await;
    says(&problems, "the state is probably another provider's");
    // Version 0 was never ours: it is that of tylerhatton/servicenow.
    let theirs =
        json!({"id": id, "name": "n", "client_id": "c", "client_uuid": "u", "logo_url": "", "scope": "global"});
    let (state, problems) = served.upgrade("servicenow_oauth_entity", 0, &theirs).await;
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        (&state["name"], &state["application_scope"]),
        (&json!("n"), &json!("global"))
    );
    assert_eq!(state["logo_url"], Json::Null);
}

#[tokio::test]
async fn identities_of_all_versions_are_upgraded_or_refused() {
    let mut served = Served::start().await;
    let schemas = served
        .client
        .get_resource_identity_schemas(wire::get_resource_identity_schemas::Request {})
        .await
        .unwrap()
        .into_inner()
        .identity_schemas;
    for (type_name, schema) in schemas {
        let name = schema.identity_attributes[0].name.clone();
        // What came later is not known of an older identity.
        let mut known: Json = schema
            .identity_attributes
            .iter()
            .map(|it| (it.name.clone(), Json::Null))
            .collect();
        known[&name] = json!("x");
        for (version, identity, expected) in [
            (schema.version, json!({&name: "x"}).to_string(), Some(known)),
            // An older Terraform kept none.
            (schema.version, String::new(), Some(Json::Null)),
            (schema.version + 1, json!({&name: "x"}).to_string(), None),
        ] {
            let request = wire::upgrade_resource_identity::Request {
                type_name: type_name.clone(),
                version,
                raw_identity: Some(wire::RawState {
                    json: identity.into_bytes(),
                    ..Default::default()
                }),
            };
            let answer = served
                .client
                .upgrade_resource_identity(request)
                .await
                .unwrap()
                .into_inner();
            let problems = texts(&answer.diagnostics);
            let upgraded = answer.upgraded_identity.and_then(|identity| identity.identity_data);
            match expected {
                Some(expected) => {
                    assert_eq!(problems, Vec::<String>::new());
                    assert_eq!(from_msgpack(&upgraded.unwrap().msgpack), expected, "{type_name}");
                }
                None => says(&problems, "Unknown identity version"),
            }
        }
    }
}

#[tokio::test]
async fn a_move_from_an_unknown_provider_is_refused() {
    let mut served = Served::start().await;
    let id = "0123456789abcdef0123456789abcdef";
    for (provider, version, part) in [
        ("registry.terraform.io/tylerhatton/servicenow", 0, None),
        (
            "registry.terraform.io/tylerhatton/servicenow",
            3,
            Some("schema version 3"),
        ),
        (
            "registry.terraform.io/somebody/servicenow",
            0,
            Some("cannot become servicenow_integration_user"),
        ),
    ] {
        let request = wire::move_resource_state::Request {
            source_provider_address: provider.to_owned(),
            source_type_name: "servicenow_user".to_owned(),
            source_schema_version: version,
            source_state: Some(raw(&json!({"id": id, "user_name": "jane", "email": ""}))),
            target_type_name: USER.to_owned(),
            ..Default::default()
        };
        let answer = served.client.move_resource_state(request).await.unwrap().into_inner();
        match part {
            Some(part) => says(&texts(&answer.diagnostics), part),
            None => {
                assert_eq!(texts(&answer.diagnostics), Vec::<String>::new());
                let identity = answer.target_identity.and_then(|identity| identity.identity_data);
                assert_eq!(from_msgpack(&identity.unwrap().msgpack), json!({"sys_id": id}));
                let state = from_msgpack(&answer.target_state.unwrap().msgpack);
                assert_eq!((&state["id"], &state["user_name"]), (&json!(id), &json!("jane")));
                assert_eq!(state["email"], Json::Null);
            }
        }
    }
}

/// A token that lives half a minute: renewed before its end, and revoked on close only where that was asked for.
#[tokio::test]
async fn an_access_token_is_opened_renewed_and_closed() {
    let simulator = simulator().await;
    let instance = simulator.instance();
    let property = "glide.oauth.inbound.client.credential.grant_type.enabled";
    instance.put("sys_properties", &[("name", property), ("value", "true")]);
    let user = instance.put("sys_user", &[("user_name", "automation"), ("last_name", "Automation")]);
    let client = [
        ("name", "automation"),
        ("type", "client"),
        ("client_id", "automation-client"),
        ("client_secret", "automation-secret"),
        ("user", user.as_str()),
        ("inbound_grant_type", "client_credential"),
        ("access_token_lifespan", "1000"),
    ];
    instance.put("oauth_entity", &client);
    let account = json!({
        "client_id": "automation-client", "client_secret": "automation-secret", "grant_type": "client_credentials",
    });
    let mut served = Served::configured(&simulator, account).await;

    for revoke in [false, true] {
        let opened = served
            .open("servicenow_access_token", json!({"revoke_on_close": revoke}), false)
            .await;
        assert_eq!(texts(&opened.diagnostics), Vec::<String>::new());
        let token = from_msgpack(&opened.result.unwrap().msgpack)["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let now = jiff::Timestamp::now().as_second();
        let renew_at = opened.renew_at.unwrap().seconds - now;
        assert!(
            (900..=940).contains(&renew_at),
            "a minute before the end, not in {renew_at} s"
        );

        let request = wire::renew_ephemeral_resource::Request {
            type_name: "servicenow_access_token".to_owned(),
            private: opened.private.clone(),
        };
        let renewed = served
            .client
            .renew_ephemeral_resource(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(texts(&renewed.diagnostics), Vec::<String>::new());
        assert!(renewed.renew_at.is_some());

        let request = wire::close_ephemeral_resource::Request {
            type_name: "servicenow_access_token".to_owned(),
            private: opened.private,
        };
        let closed = served
            .client
            .close_ephemeral_resource(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(texts(&closed.diagnostics), Vec::<String>::new());
        let tokens = instance.records("oauth_credential");
        assert_eq!(tokens.iter().any(|record| record["token"] == token), !revoke);
    }
}
