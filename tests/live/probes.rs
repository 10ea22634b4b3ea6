//! One probe for each fact that can be checked. A probe says what it saw; what that means for the fact is decided by
//! [`crate::report`].
//!
//! A probe relies on nothing that is graded unknown, and touches no record but those of the run. Reading is another thing:
//! properties, plugins and choices are the instance's own.

mod columns; // Which columns a table shows.
mod microsoft; // Entra and the admin center.
mod oauth; // OAuth entities and OIDC providers.
mod people; // Users, groups and roles.
mod platform; // What the instance says of itself.
mod table_api; // The Table API, whatever the table.

use std::time::Duration;

use servicenow_provider::servicenow::{Cell, Refusal, SysId, TableError};
use tokio::time::sleep;

use crate::context::RunContext;

/// What a probe saw.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// What the fact says.
    Holds(String),
    /// Something else.
    Differs(String),
    /// Nothing that decides it, and what it would need.
    Open(String),
}

/// What became of a probe.
pub(crate) type Probed = Result<Seen, TableError>;

impl Seen {
    pub(crate) fn of(holds: bool, what: impl Into<String>) -> Self {
        if holds {
            Self::Holds(what.into())
        } else {
            Self::Differs(what.into())
        }
    }
}

/// Whether a reference names this record, in whatever spelling of its key.
fn refers_to(cell: Cell<&str>, sys_id: &SysId) -> bool {
    cell.value().and_then(|text| SysId::parse(text).ok()).as_ref() == Some(sys_id)
}

/// A cell for a reader.
fn shown(cell: &Cell<&str>) -> String {
    match cell {
        Cell::Hidden => "not shown".to_owned(),
        Cell::Empty => "empty".to_owned(),
        Cell::Value(text) => format!("{text:?}"),
    }
}

/// Runs a probe by its name.
///
/// # Panics
/// When there is no such probe, which a test excludes.
pub(crate) async fn run(name: &str, context: &RunContext) -> Seen {
    let once = async || match name.split_once(':') {
        Some(("columns", table)) => Box::pin(columns::probe(table, context)).await,
        _ => Box::pin(by_name(name, context)).await,
    };
    let mut probed = once().await;
    if probed.as_ref().is_err_and(is_transient) {
        sleep(PAUSE).await;
        probed = once().await;
    }
    match probed {
        Err(error) if is_transient(&error) => {
            Seen::Open(format!("No response that tells it: {}.", with_causes(&error)))
        }
        Ok(seen) => seen,
        Err(TableError::Refused {
            reason: Refusal::Acl { .. },
            table,
            verb,
        }) => Seen::Open(format!(
            "The account may not {verb} records of {table}. It would need {}.",
            table.role()
        )),
        Err(TableError::Hidden { table, .. }) => Seen::Open(format!(
            "The account does not see all records of {table}. It would need {}.",
            table.role()
        )),
        Err(TableError::NoSuchTable { table }) => Seen::Open(format!("The instance has no table {table}.")),
        Err(error @ TableError::Cancelled { .. }) => Seen::Open(format!("Interrupted: {error}.")),
        Err(error) => Seen::Differs(with_causes(&error)),
    }
}

/// Whether an error says nothing of the instance but that something failed just then.
fn is_transient(error: &TableError) -> bool {
    matches!(
        error,
        TableError::Unavailable { .. }
            | TableError::RateLimited { .. }
            | TableError::TransactionCancelled { .. }
            | TableError::Uncertain { .. }
            | TableError::NotTheApi { .. }
            | TableError::UnusableAnswer { .. }
            | TableError::Unauthenticated { .. }
            | TableError::SignIn { .. }
    )
}

const PAUSE: Duration = Duration::from_secs(2);

/// An error and what it comes from.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

macro_rules! probes {
    ($($module:ident { $($name:literal => $function:ident,)* })*) => {
        async fn by_name(name: &str, context: &RunContext) -> Probed {
            match name {
                // Boxed: in one future all of them would not fit on the stack of a thread.
                $($($name => Box::pin($module::$function(context)).await,)*)*
                _ => panic!("no probe is called {name}"),
            }
        }

        /// The names of all probes but those of columns.
        const NAMES: &[&str] = &[$($($name,)*)*];
    };
}

probes! {
    table_api {
        "values-are-text" => values_are_text,
        "references-are-bare-ids" => references_are_bare_ids,
        "date-times-are-utc" => date_times_are_utc,
        "date-header-tells-the-clock" => date_header_tells_the_clock,
        "insert-returns-the-record" => insert_returns_the_record,
        "update-changes-only-what-is-sent" => update_changes_only_what_is_sent,
        "empty-text-clears" => empty_text_clears,
        "equal-values-leave-the-count" => equal_values_leave_the_count,
        "unknown-columns-are-ignored" => unknown_columns_are_ignored,
        "unknown-columns-are-left-out" => unknown_columns_are_left_out,
        "absent-record-is-404" => absent_record_is_404,
        "absent-table-is-400" => absent_table_is_400,
        "delete-removes-once" => delete_removes_once,
        "lists-are-counted" => lists_are_counted,
        "pages-are-complete" => pages_are_complete,
        "queries-find-by-equality" => queries_find_by_equality,
        "equality-and-case" => equality_and_case,
        "words-of-401" => words_of_401,
        "reads-follow-writes" => reads_follow_writes,
        "texts-are-kept" => texts_are_kept,
        "texts-are-cut" => texts_are_cut,
        "ids-are-lower-case" => ids_are_lower_case,
    }
    people {
        "duplicates-are-refused" => duplicates_are_refused,
        "identity-type-from-zurich" => identity_type,
        "roles-of-everybody" => roles_of_everybody,
        "role-containment" => role_containment,
        "contained-roles-are-inherited" => contained_roles_are_inherited,
        "role-grants-over-rest" => role_grants_over_rest,
        "script-writers-group" => script_writers_group,
        "group-names-are-not-unique" => group_names_are_not_unique,
        "memberships" => memberships,
        "group-roles" => group_roles,
        "cascade-of-deletes" => cascade_of_deletes,
    }
    oauth {
        "explicit-scope-is-kept" => explicit_scope_is_kept,
        "oauth-entity-type-is-kept" => type_is_kept,
        "oauth-entity-type-defaults-to-client" => type_defaults_to_client,
        "oauth-entity-choices" => choices_are_taken,
        "oauth-entity-newer-columns" => newer_columns,
        "secrets-are-not-read-back" => secrets_are_not_read_back,
        "secret-form-on-read" => secret_form_on_read,
        "default-profile-over-rest" => default_profile,
        "inbound-scopes" => inbound_scopes,
        "oidc-configuration-create" => configuration_create,
        "metadata-url-is-unique" => metadata_url_is_unique,
        "jti-verification-by-default" => jti_verification_by_default,
        "oidc-entity-is-an-oauth-entity" => provider_is_an_entity,
        "oidc-entity-type-over-rest" => provider_type,
    }
    platform {
        "release-in-properties" => release_in_properties,
        "plugins-can-be-read" => plugins_can_be_read,
        "oauth-property" => oauth_property,
        "client-credentials-property" => client_credentials_property,
        "choices-can-be-read" => choices_can_be_read,
        "dictionary-can-be-read" => dictionary_can_be_read,
        "address-rule-types" => address_rule_types,
        "address-rule-directions" => address_rule_directions,
    }
    microsoft {
        "claims-of-application-tokens" => claims_of_application_tokens,
        "error-codes-of-entra" => error_codes_of_entra,
        "support-api-read" => support_api_read,
        "token-version-follows-the-audience" => token_versions,
        "new-secrets-take-seconds" => new_secrets,
        "client-id-is-the-audience" => audience_is_checked,
        "claim-names-the-user" => user_is_checked,
    }
}

pub(crate) use platform::{installed_plugins, is_production, release};

/// The probes that are there.
pub(crate) fn names() -> impl Iterator<Item = String> {
    let columns = columns::tables().map(|table| format!("columns:{}", table.name()));
    NAMES.iter().map(|name| (*name).to_owned()).chain(columns)
}
