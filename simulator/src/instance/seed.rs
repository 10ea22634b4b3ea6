//! The records that an instance ships with.

use crate::instance::ids::stable_id;
use crate::instance::options::Options;
use crate::instance::schema::{Kind, Schema, system_columns};
use crate::instance::store::Record;
use crate::instance::table_roles::{self, AdminOverrides};
use crate::instance::write_context::Platform;

/// Fills an empty instance.
pub(super) fn fill(platform: &mut Platform<'_>, options: &Options) {
    let mut seed = Seed { platform };
    seed.applications(options);
    seed.dictionary();
    seed.roles(options);
    seed.access_rules(options);
    seed.groups();
    seed.settings(options);
    seed.providers(options);
    seed.administrator(options);
    seed.people();
}

struct Seed<'a, 'b> {
    platform: &'a mut Platform<'b>,
}

impl Seed<'_, '_> {
    fn add(&mut self, table: &'static str, values: &[(&str, &str)]) -> String {
        let values: Record = values
            .iter()
            .map(|(column, text)| ((*column).to_owned(), (*text).to_owned()))
            .collect();
        // Tables of later releases are not there; their rows then neither.
        if self.platform.schema.table(table).is_none() {
            return String::new();
        }
        self.platform
            .insert(table, &values)
            .ok()
            .and_then(|record| record.get("sys_id").cloned())
            .unwrap_or_default()
    }

    fn applications(&mut self, options: &Options) {
        self.add(
            "sys_scope",
            &[
                ("sys_id", "global"),
                ("scope", "global"),
                ("name", "Global"),
                ("active", "true"),
            ],
        );
        if options.application_installed {
            self.add(
                "sys_store_app",
                &[
                    ("scope", APP_SCOPE),
                    ("source", APP_SCOPE),
                    ("name", "Microsoft 365 support integration"),
                    ("version", "1.0.11"),
                    ("latest_version", "2.1.1"),
                    ("update_available", "true"),
                    ("vendor", "Microsoft Corporation"),
                    ("active", "true"),
                ],
            );
        }
        for (id, name) in PLUGINS {
            self.add(
                "v_plugin",
                &[
                    ("id", id),
                    ("name", name),
                    ("active", "active"),
                    ("version", "1.0.0"),
                    ("state", "active"),
                ],
            );
        }
    }

    fn dictionary(&mut self) {
        let schema: &Schema = self.platform.schema;
        for table in schema.tables() {
            let parent = table.parent.map(|parent| stable_id(&format!("table {parent}")));
            self.add(
                "sys_db_object",
                &[
                    ("sys_id", &stable_id(&format!("table {}", table.name))),
                    ("name", table.name),
                    ("label", table.label),
                    ("super_class", parent.as_deref().unwrap_or("")),
                ],
            );
            // The row of the table itself, and those of the columns that every table has, where it extends none.
            self.add(
                "sys_dictionary",
                &[
                    ("sys_id", &stable_id(&format!("{}.", table.name))),
                    ("name", table.name),
                    ("column_label", table.label),
                    ("internal_type", "collection"),
                ],
            );
            let system = system_columns();
            let system = system.iter().filter(|_| table.parent.is_none());
            for column in system.chain(table.own_columns()) {
                let target = column.kind.target().or(column.names).unwrap_or_default();
                let max_length = if target.is_empty() { column.max_length } else { 32 };
                self.add(
                    "sys_dictionary",
                    &[
                        ("sys_id", &stable_id(&format!("{}.{}", table.name, column.name))),
                        ("name", table.name),
                        ("element", column.name),
                        ("column_label", column.label),
                        ("internal_type", column.internal_type()),
                        ("mandatory", &column.mandatory.to_string()),
                        ("read_only", &(column.computed || column.read_only).to_string()),
                        ("virtual", &column.calculated.to_string()),
                        ("unique", &column.unique.to_string()),
                        ("display", &(column.name == table.display).to_string()),
                        ("default_value", column.default),
                        ("reference", target),
                        ("reference_key", column.names.map_or("", |_| "name")),
                        ("max_length", &max_length.to_string()),
                        ("choice", if column.kind.is_choice() { "1" } else { "0" }),
                    ],
                );
                let Kind::Choice(choices) = column.kind else {
                    continue;
                };
                for (sequence, (wire, label)) in choices.iter().enumerate() {
                    self.add(
                        "sys_choice",
                        &[
                            ("name", table.name),
                            ("element", column.name),
                            ("value", wire),
                            ("label", label),
                            ("sequence", &sequence.to_string()),
                        ],
                    );
                }
            }
        }
    }

    fn roles(&mut self, options: &Options) {
        // Sorts first, and nobody sees it.
        self.add("sys_user_role", &[("sys_id", &"0".repeat(32)), ("name", "maint")]);
        let app_roles = ["x_mioms_m365_assis.administrator", "x_mioms_m365_assis.insights_user"];
        let app_roles = options.application_installed.then_some(app_roles);
        let mut ids = std::collections::BTreeMap::new();
        for name in ROLES.iter().copied().chain(app_roles.into_iter().flatten()) {
            let elevated = (name == "security_admin").to_string();
            let sys_id = key_of(name).map_or_else(|| stable_id(&format!("role {name}")), str::to_owned);
            let values = [
                ("sys_id", sys_id.as_str()),
                ("name", name),
                ("elevated_privilege", &elevated),
            ];
            let id = self.add("sys_user_role", &values);
            ids.insert(name, id);
        }
        for (outer, inner) in CONTAINS {
            if let (Some(outer), Some(inner)) = (ids.get(outer), ids.get(inner)) {
                self.add("sys_user_role_contains", &[("role", outer), ("contains", inner)]);
            }
        }
    }

    /// A rule for each table, about reading. What else the roles allow is not among the records.
    fn access_rules(&mut self, options: &Options) {
        for (name, key) in OPERATIONS {
            self.add("sys_security_operation", &[("sys_id", key), ("name", name)]);
        }
        self.add("sys_security_type", &[("sys_id", "record"), ("name", "record")]);
        let schema: &Schema = self.platform.schema;
        for table in schema.tables() {
            let Some((roles, overrides)) = table_roles::shipped_read_rule(schema, options.release, table.name) else {
                continue;
            };
            let rule = self.add(
                "sys_security_acl",
                &[
                    ("sys_id", &stable_id(&format!("rule {}", table.name))),
                    ("name", table.name),
                    ("operation", "read"),
                    ("type", "record"),
                    ("admin_overrides", &(overrides == AdminOverrides::Yes).to_string()),
                ],
            );
            for role in roles {
                let link = stable_id(&format!("rule {} {role}", table.name));
                let role = self.find("sys_user_role", "name", role);
                let values = [
                    ("sys_id", link.as_str()),
                    ("sys_security_acl", &rule),
                    ("sys_user_role", &role),
                ];
                self.add("sys_security_acl_role", &values);
            }
        }
    }

    fn groups(&mut self) {
        for (name, role) in [
            ("Service Desk", "itil"),
            ("Major Incident Team", "incident_manager"),
            ("Hardware", ""),
        ] {
            let sys_id = key_of(name).unwrap_or_default();
            let group = self.add("sys_user_group", &[("sys_id", sys_id), ("name", name)]);
            let role = self.find("sys_user_role", "name", role);
            if !role.is_empty() {
                self.add("sys_group_has_role", &[("group", &group), ("role", &role)]);
            }
        }
    }

    fn settings(&mut self, options: &Options) {
        let release = format!("{:?}", options.release);
        let tag = format!("glide-{}-07-02-2025__patch3-hotfix1", release.to_lowercase());
        for (name, text) in [
            ("glide.buildname", release.as_str()),
            ("glide.buildtag", &tag),
            ("glide.buildtag.last", &tag),
            ("glide.war", &format!("{tag}.zip")),
            ("com.snc.platform.security.oauth.is.active", "true"),
            ("glide.authenticate.multisso.enabled", "true"),
        ] {
            self.add("sys_properties", &[("name", name), ("value", text)]);
        }
        for name in ["useraccount", "kb_read", "incident_read"] {
            self.add("sys_auth_scope", &[("name", name)]);
        }
        self.add("sys_script_include", &[("name", "OAuthUtil")]);
    }

    fn providers(&mut self, options: &Options) {
        if !options.template_providers {
            return;
        }
        for (name, url, claim) in TEMPLATES {
            self.add(
                "oidc_provider_configuration",
                &[
                    ("name", name),
                    ("oidc_url", url),
                    ("user_claim", claim),
                    ("user_field", "email"),
                ],
            );
        }
    }

    fn administrator(&mut self, options: &Options) {
        let user = self.add(
            "sys_user",
            &[
                ("sys_id", ADMINISTRATOR),
                ("user_name", &options.admin_user),
                ("first_name", "System"),
                ("last_name", "Administrator"),
                ("email", "admin@example.com"),
                ("user_password", &options.admin_password),
            ],
        );
        let role = self.find("sys_user_role", "name", "admin");
        self.add("sys_user_has_role", &[("user", &user), ("role", &role)]);
    }

    /// Two of the people of the demonstration data that a developer instance has. They have no roles.
    fn people(&mut self) {
        for (user_name, first_name, last_name) in PEOPLE {
            self.add(
                "sys_user",
                &[
                    ("sys_id", key_of(user_name).unwrap_or_default()),
                    ("user_name", user_name),
                    ("first_name", first_name),
                    ("last_name", last_name),
                    ("email", &format!("{user_name}@example.com")),
                ],
            );
        }
    }

    fn find(&self, table: &str, column: &str, text: &str) -> String {
        self.platform
            .rows
            .of_class(table)
            .find(|row| super::store::value(row, column) == text)
            .map(|row| super::store::value(row, "sys_id").to_owned())
            .unwrap_or_default()
    }
}

/// The key of an out-of-box record, where it is known: it is the same on every instance.
fn key_of(name: &str) -> Option<&'static str> {
    let (_, sys_id) = KEYS.iter().find(|(known, _)| *known == name)?;
    Some(sys_id)
}

/// The user `admin` of every instance, by whichever name.
const ADMINISTRATOR: &str = "6816f79cc0a8016401c5a33be04be441";

/// Operations of access rules, with their keys: some have their names as keys.
const OPERATIONS: &[(&str, &str)] = &[
    ("create", "create"),
    ("read", "read"),
    ("write", "write"),
    ("delete", "delete"),
    ("execute", "execute"),
    ("query_range", "e66cf897b7300210240b06dd1e11a9fd"),
    ("report_view", "0997ab83733303005978e4b9cdf6a7b9"),
];

/// Published keys of roles, and of groups and people of the demonstration data.
const KEYS: &[(&str, &str)] = &[
    ("admin", "2831a114c611228501d4ea6c309d626d"),
    ("itil", "282bf1fac6112285017366cb5f867469"),
    ("Service Desk", "d625dccec0a8016700a222a0f7900d06"),
    ("Hardware", "8a5055c9c61122780043563ef53438e3"),
    ("abel.tuter", "62826bf03710200044e0bfc8bcbe5df1"),
    ("beth.anglin", "46d44a23a9fe19810012d100cca80666"),
];

const APP_SCOPE: &str = "x_mioms_m365_assis";

const PEOPLE: &[(&str, &str, &str)] = &[("abel.tuter", "Abel", "Tuter"), ("beth.anglin", "Beth", "Anglin")];

const PLUGINS: &[(&str, &str)] = &[
    ("com.snc.platform.security.oauth", "OAuth 2.0"),
    (
        "com.snc.integration.sso.multi",
        "Integration - Multiple Provider Single Sign-On Installer",
    ),
    ("com.glide.rest.auth.scope", "REST API Auth Scope"),
    ("com.glide.tokenbased_auth", "API Key and HMAC Authentication"),
    ("com.snc.ipauthenticator", "IP Range Based Authentication"),
    (
        "com.glide.role_management.inh_count",
        "Contextual Security: Role Management V2",
    ),
];

const ROLES: &[&str] = &[
    "admin",
    "catalog",
    "catalog_admin",
    "evt_mgmt_integration",
    "incident_manager",
    "itil",
    "knowledge",
    "knowledge_admin",
    "knowledge_manager",
    "mi_admin",
    "oauth_admin",
    "personalize_dictionary",
    "rest_api_explorer",
    "security_admin",
    "sn_hr_core.content_reader",
    "sn_incident_read",
    "sn_incident_write",
    "snc_basic_auth_api_access",
    "snc_internal",
    "snc_platform_rest_api_access",
    "soap",
    "user_admin",
    "user_criteria_admin",
    "view_changer",
    "web_service_admin",
];

const CONTAINS: &[(&str, &str)] = &[
    ("incident_manager", "itil"),
    ("incident_manager", "sn_incident_write"),
    ("itil", "sn_incident_write"),
    ("itil", "snc_platform_rest_api_access"),
    ("itil", "view_changer"),
    ("sn_incident_write", "sn_incident_read"),
    ("knowledge_admin", "knowledge_manager"),
    ("knowledge_manager", "knowledge"),
    ("catalog_admin", "catalog"),
    ("x_mioms_m365_assis.administrator", "x_mioms_m365_assis.insights_user"),
];

const TEMPLATES: &[(&str, &str, &str)] = &[
    (
        "Azure AD",
        "https://login.microsoftonline.com/common/.well-known/openid-configuration",
        "upn",
    ),
    (
        "Google",
        "https://accounts.google.com/.well-known/openid-configuration",
        "email",
    ),
    (
        "Okta",
        "https://example.okta.com/.well-known/openid-configuration",
        "email",
    ),
];
