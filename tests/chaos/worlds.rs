//! Random configurations, and what must exist on the instance when they are applied.

use std::collections::BTreeMap;

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use servicenow_provider::plugin::{Object, Value};
use servicenow_simulator::Simulator;

use super::core::Block;

/// A configuration that can change.
pub(crate) struct World {
    random: StdRng,
    users: Vec<User>,
    entities: Vec<Entity>,
    oidc: Vec<Oidc>,
    secrets: Vec<String>,
}

struct User {
    user_name: String,
    title: Option<String>,
    roles: Vec<&'static str>,
    groups: Vec<&'static str>,
    password: Option<String>,
}

struct Entity {
    name: String,
    client_id: String,
    comments: Option<String>,
    secret: String,
    version: u32,
}

struct Oidc {
    name: String,
    client_id: String,
    tenant: String,
    claim: &'static str,
    scopes: Vec<&'static str>,
}

/// Roles without contained ones, so that the platform adds no rows of its own.
const ROLES: [&str; 3] = ["knowledge", "catalog_admin", "user_criteria_admin"];
const GROUP: &str = "chaos group";

impl World {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut secrets = Vec::new();
        let mut secret = |random: &mut StdRng| {
            let secret = format!("marker-{:016x}", random.next_u64());
            secrets.push(secret.clone());
            secret
        };
        let users = (0..random.random_range(1..4))
            .map(|number| User {
                user_name: format!("robot-{number}"),
                title: maybe(&mut random, || "Robot".to_owned()),
                roles: some(&mut random, &ROLES),
                groups: some(&mut random, &[GROUP]),
                password: if random.random_bool(0.3) {
                    Some(secret(&mut random))
                } else {
                    None
                },
            })
            .collect();
        let entities = (0..random.random_range(0..3))
            .map(|number| Entity {
                name: format!("outbound {number}"),
                client_id: format!("{number}1111111-2222-3333-4444-555555555555"),
                comments: maybe(&mut random, || "first".to_owned()),
                secret: secret(&mut random),
                version: 1,
            })
            .collect();
        let oidc = (0..random.random_range(0..3))
            .map(|number| Oidc {
                name: format!("inbound {number}"),
                client_id: format!("{number}9999999-2222-3333-4444-555555555555"),
                tenant: format!("tenant-{number}.example"),
                claim: "appid",
                scopes: some(&mut random, &["useraccount"]),
            })
            .collect();
        Self {
            random,
            users,
            entities,
            oidc,
            secrets,
        }
    }

    /// What the world takes for granted.
    pub(crate) fn prepare(&self, simulator: &Simulator) {
        simulator.instance().put("sys_user_group", &[("name", GROUP)]);
    }

    /// Changes in place, replacements, removals and additions.
    pub(crate) fn change(&mut self) {
        let random = &mut self.random;
        for user in &mut self.users {
            user.title = maybe(random, || "Changed".to_owned());
            user.roles = some(random, &ROLES);
            user.groups = some(random, &[GROUP]);
        }
        for entity in &mut self.entities {
            entity.comments = maybe(random, || "second".to_owned());
            if random.random_bool(0.5) {
                entity.version += 1;
            }
            if random.random_bool(0.3) {
                entity.client_id = entity.client_id.replace("2222", "7777");
            }
        }
        for oidc in &mut self.oidc {
            oidc.claim = if random.random_bool(0.5) { "sub" } else { "appid" };
            oidc.scopes = some(random, &["useraccount"]);
        }
        if random.random_bool(0.3) {
            self.users.pop();
        }
        if random.random_bool(0.3) {
            self.oidc.pop();
        }
    }

    /// Nothing is declared any more.
    pub(crate) fn clear(&mut self) {
        self.users.clear();
        self.entities.clear();
        self.oidc.clear();
    }

    pub(crate) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut add = |type_name, number: usize, config| {
            blocks.push(Block {
                type_name,
                name: format!("n{number}"),
                config,
            });
        };
        for (number, user) in self.users.iter().enumerate() {
            let config = Object::new()
                .with("user_name", user.user_name.as_str())
                .with("title", user.title.clone())
                .with("roles", list(&user.roles))
                .with("groups", list(&user.groups))
                .with("password_wo", user.password.clone());
            add("servicenow_integration_user", number, config);
        }
        for (number, entity) in self.entities.iter().enumerate() {
            let config = Object::new()
                .with("name", entity.name.as_str())
                .with("client_id", entity.client_id.as_str())
                .with("comments", entity.comments.clone())
                .with(
                    "token_url",
                    "https://login.microsoftonline.com/contoso.com/oauth2/token",
                )
                .with("client_secret_wo", entity.secret.as_str())
                .with("client_secret_wo_version", entity.version.to_string());
            add("servicenow_oauth_entity", number, config);
        }
        for (number, oidc) in self.oidc.iter().enumerate() {
            let url = format!(
                "https://login.microsoftonline.com/{}/.well-known/openid-configuration",
                oidc.tenant
            );
            let configuration = Object::new()
                .with("name", format!("{} configuration", oidc.name))
                .with("metadata_url", url)
                .with("user_claim", oidc.claim);
            let config = Object::new()
                .with("name", oidc.name.as_str())
                .with("client_id", oidc.client_id.as_str())
                .with("auth_scopes", list(&oidc.scopes))
                .with("configuration", configuration);
            add("servicenow_oidc_provider", number, config);
        }
        blocks
    }

    /// What must have been made, as text that names no sys_id.
    pub(crate) fn expected(&self) -> Vec<String> {
        let mut expected = Vec::new();
        for user in &self.users {
            expected.push(format!(
                "sys_user {} title={}",
                user.user_name,
                user.title.as_deref().unwrap_or_default()
            ));
            expected.extend(
                user.roles
                    .iter()
                    .map(|role| format!("sys_user_has_role {} {role}", user.user_name)),
            );
            expected.extend(
                user.groups
                    .iter()
                    .map(|group| format!("sys_user_grmember {} {group}", user.user_name)),
            );
        }
        for entity in &self.entities {
            let comments = entity.comments.as_deref().unwrap_or_default();
            expected.push(format!(
                "oauth_entity {} {} comments={comments} secret={}",
                entity.name, entity.client_id, entity.secret
            ));
            expected.push(format!("oauth_entity_profile of {} default=true", entity.name));
        }
        for oidc in &self.oidc {
            expected.push(format!(
                "oauth_oidc_entity {} {} by {} configuration",
                oidc.name, oidc.client_id, oidc.name
            ));
            expected.push(format!(
                "oidc_provider_configuration {} configuration claim={}",
                oidc.name, oidc.claim
            ));
            expected.push(format!("oauth_entity_profile of {} default=true", oidc.name));
            let scopes = oidc
                .scopes
                .iter()
                .map(|scope| format!("auth scope {scope} of {}", oidc.name));
            expected.extend(scopes);
        }
        expected.sort();
        expected
    }

    pub(crate) fn describe(&self) -> String {
        self.expected()
            .join("; ")
            .split("secret=")
            .map(|part| part.to_owned())
            .collect::<Vec<_>>()
            .join("secret:")
    }
}

/// The provider block for a simulator.
pub(crate) fn provider(simulator: &Simulator) -> Object {
    Object::new()
        .with("instance_url", simulator.urls().instance.as_str())
        .with("username", simulator.username())
        .with("password", simulator.password())
        .with("max_retries", 3)
}

/// All records that a world can concern, by sys_id, as text that names no sys_id.
pub(crate) fn records(simulator: &Simulator) -> BTreeMap<String, String> {
    let instance = simulator.instance();
    let name_of = |table: &str, sys_id: &str, column: &str| {
        let record = instance.record(table, sys_id);
        record
            .and_then(|record| record.get(column).cloned())
            .unwrap_or_else(|| format!("nobody ({sys_id})"))
    };
    let mut found = BTreeMap::new();
    let tables = [
        "sys_user",
        "sys_user_has_role",
        "sys_user_grmember",
        "oauth_entity",
        "oauth_oidc_entity",
        "oauth_entity_profile",
        "oidc_provider_configuration",
        "oauth_entity_auth_scope_mapping",
    ];
    for table in tables {
        for record in instance.records(table) {
            let cell = |column: &str| record.get(column).cloned().unwrap_or_default();
            let text = match table {
                "sys_user" => format!("sys_user {} title={}", cell("user_name"), cell("title")),
                "sys_user_has_role" if cell("inherited") == "true" => continue,
                "sys_user_has_role" => format!(
                    "sys_user_has_role {} {}",
                    name_of("sys_user", &cell("user"), "user_name"),
                    name_of("sys_user_role", &cell("role"), "name")
                ),
                "sys_user_grmember" => format!(
                    "sys_user_grmember {} {}",
                    name_of("sys_user", &cell("user"), "user_name"),
                    name_of("sys_user_group", &cell("group"), "name")
                ),
                "oauth_entity" if cell("sys_class_name") != "oauth_entity" => continue,
                "oauth_entity" => format!(
                    "oauth_entity {} {} comments={} secret={}",
                    cell("name"),
                    cell("client_id"),
                    cell("comments"),
                    cell("client_secret")
                ),
                "oauth_oidc_entity" => format!(
                    "oauth_oidc_entity {} {} by {}",
                    cell("name"),
                    cell("client_id"),
                    name_of(
                        "oidc_provider_configuration",
                        &cell("oidc_provider_configuration"),
                        "name"
                    )
                ),
                "oauth_entity_profile" => format!(
                    "oauth_entity_profile of {} default={}",
                    name_of("oauth_entity", &cell("oauth_entity"), "name"),
                    cell("default")
                ),
                "oidc_provider_configuration" => {
                    format!(
                        "oidc_provider_configuration {} claim={}",
                        cell("name"),
                        cell("user_claim")
                    )
                }
                _ => format!(
                    "auth scope {} of {}",
                    name_of("sys_auth_scope", &cell("auth_scope"), "name"),
                    name_of("oauth_entity", &cell("oauth_entity"), "name")
                ),
            };
            found.insert(format!("{table}/{}", cell("sys_id")), text);
        }
    }
    found
}

/// What is there now and was not before, sorted.
pub(crate) fn made(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let mut made: Vec<String> = now
        .iter()
        .filter(|(key, _)| !before.contains_key(*key))
        .map(|(_, text)| text.clone())
        .collect();
    made.extend(
        before
            .iter()
            .filter(|(key, _)| !now.contains_key(*key))
            .map(|(_, text)| format!("LOST {text}")),
    );
    made.sort();
    made
}

fn maybe(random: &mut StdRng, value: impl FnOnce() -> String) -> Option<String> {
    random.random_bool(0.5).then(value)
}

fn some(random: &mut StdRng, from: &[&'static str]) -> Vec<&'static str> {
    from.iter().copied().filter(|_| random.random_bool(0.5)).collect()
}

fn list(names: &[&'static str]) -> Value {
    if names.is_empty() {
        Value::Null
    } else {
        Value::from(names.to_vec())
    }
}
