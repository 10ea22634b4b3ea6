//! What was on the instance before, and is nobody's business here: people, groups, grants, registry entries, providers,
//! rules and privileges, some of which look like those of a scenario. It stays as it is to the last column.

use std::collections::BTreeMap;

use servicenow_simulator::Simulator;
use servicenow_simulator::instance::Record;

use super::scenarios;

/// All records that were there, by table and `sys_id`, without those that a scenario may configure.
pub(crate) struct UnmanagedRecords(BTreeMap<(&'static str, String), Record>);

impl UnmanagedRecords {
    /// Makes the look-alikes, and remembers everything that is there.
    pub(crate) fn make(simulator: &Simulator) -> Self {
        people(simulator);
        registry(simulator);
        platform(simulator);
        Self(records(simulator))
    }

    /// What is no longer as it was.
    pub(crate) fn changed(&self, simulator: &Simulator) -> Vec<String> {
        let now = records(simulator);
        let changed = self.0.iter().filter_map(|(key @ (table, sys_id), before)| {
            let Some(after) = now.get(key) else {
                return Some(format!("{table} {sys_id} is gone: {before:?}"));
            };
            let columns: Vec<String> = before
                .iter()
                .filter(|(column, text)| after.get(*column) != Some(*text))
                .map(|(column, text)| format!("{column}: {text:?} became {:?}", after.get(column)))
                .collect();
            (!columns.is_empty()).then(|| format!("{table} {sys_id} changed: {}", columns.join(", ")))
        });
        changed.collect()
    }
}

fn records(simulator: &Simulator) -> BTreeMap<(&'static str, String), Record> {
    let instance = simulator.instance();
    let mut records = BTreeMap::new();
    for table in instance.tables() {
        // Tokens come and go with every sign-in.
        if table == "oauth_credential" {
            continue;
        }
        for record in instance.records(table) {
            let class = record.get("sys_class_name").filter(|class| !class.is_empty());
            let is_of_table = class.is_none_or(|class| class == table);
            if is_of_table && !scenarios::may_configure(table, &record) {
                records.insert((table, record["sys_id"].clone()), record);
            }
        }
    }
    records
}

fn people(simulator: &Simulator) {
    let instance = simulator.instance();
    let id = |table: &str, name: &str| instance.find(table, "name", name).remove(0)["sys_id"].clone();
    let group = instance.put("sys_user_group", &[("name", "another chaos group")]);
    for name in ["robot-00", "robot-", "another person-0"] {
        let user = instance.put(
            "sys_user",
            &[
                ("user_name", name),
                ("title", "Robot"),
                ("email", "robot-0@example.com"),
                ("user_password", "foreign"),
            ],
        );
        for role in ["knowledge", "itil", "soap"] {
            let role = id("sys_user_role", role);
            instance.put("sys_user_has_role", &[("user", &user), ("role", &role)]);
        }
        for group in [&group, &id("sys_user_group", "chaos group")] {
            instance.put("sys_user_grmember", &[("user", &user), ("group", group)]);
        }
    }
    let twin = instance.put(
        "sys_user_group",
        &[("name", "chaos group 00"), ("description", "A group")],
    );
    let soap = id("sys_user_role", "soap");
    instance.put("sys_group_has_role", &[("group", &twin), ("role", &soap)]);
    let outer = instance.put("sys_user_role", &[("name", "chaos_role_00"), ("description", "A role")]);
    for inner in ["chaos inner", "knowledge"] {
        let inner = id("sys_user_role", inner);
        instance.put("sys_user_role_contains", &[("role", &outer), ("contains", &inner)]);
    }
    let person = instance.find("sys_user", "user_name", "person-0").remove(0)["sys_id"].clone();
    let role = id("sys_user_role", "catalog");
    instance.put("sys_user_has_role", &[("user", &person), ("role", &role)]);
}

fn registry(simulator: &Simulator) {
    let instance = simulator.instance();
    instance.put(
        "oauth_entity",
        &[
            ("name", "outbound 0"),
            ("type", "oauth_provider"),
            ("client_id", "00000000-2222-3333-abcd-555555555555"),
            ("client_secret", "foreign"),
            ("comments", "first"),
        ],
    );
    let configuration = instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "inbound 0 configuration"),
            (
                "oidc_url",
                "https://login.microsoftonline.com/tenant-00.example/.well-known/openid-configuration",
            ),
            ("user_claim", "appid"),
            ("user_field", "user_name"),
        ],
    );
    let provider = instance.put(
        "oauth_oidc_entity",
        &[
            ("name", "inbound 0"),
            ("client_id", "00000000-2222-3333-abcd-666666666666"),
            ("oidc_provider_configuration", &configuration),
        ],
    );
    let scope = instance.find("sys_auth_scope", "name", "useraccount").remove(0);
    instance.put(
        "oauth_entity_auth_scope_mapping",
        &[("oauth_entity", &provider), ("auth_scope", &scope["sys_id"])],
    );
}

fn platform(simulator: &Simulator) {
    let instance = simulator.instance();
    let application = instance.find("sys_scope", "scope", "x_mioms_m365_assis").remove(0)["sys_id"].clone();
    for (source, target, operation) in [
        (application.as_str(), "oauth_entity", "create"),
        ("global", "oauth_entity", "read"),
        (application.as_str(), "kb_knowledge", "read"),
    ] {
        let values = [
            ("source_scope", source),
            ("target_scope", "global"),
            ("target_name", target),
            ("target_type", "sys_db_object"),
            ("operation", operation),
            ("status", "requested"),
        ];
        instance.put("sys_scope_privilege", &values);
    }
    for (start, end) in [("203.0.113.0", "203.0.113.6"), ("203.0.113.90", "203.0.113.95")] {
        let values = [
            ("type", "allow"),
            ("direction", "0"),
            ("range_start", start),
            ("range_end", end),
            ("description", "first"),
        ];
        instance.put("ip_access", &values);
    }
}
