//! The account that Terraform uses: whether it gets in, what it may do, and where its new records would go.

use std::collections::BTreeSet;

use crate::readiness::finding::{Finding, Status};
use crate::readiness::wanted::Wanted;
use crate::records::{application_scope, diagnostics, user_roles};
use crate::servicenow::tables::{
    ip_access, oauth_entity, oauth_entity_profile, oauth_oidc_entity, oidc_provider_configuration, sys_db_object,
    sys_scope, sys_scope_privilege, sys_user, sys_user_has_role, sys_user_preference, sys_user_role,
};
use crate::servicenow::{Query, Sample, Session, SysId, Table, TableError};

const APPLICATION: &str = "account_application";

/// A table that the integration writes to, or only reads.
struct Right {
    name: &'static str,
    table: Table,
    need: Need,
    /// Roles besides `admin` that usually may write.
    writers: &'static [&'static str],
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Need {
    /// Every variant of the guide writes it.
    Always,
    /// Written by an optional step only.
    Perhaps,
    /// It is only read.
    Reading,
}

const RIGHTS: [Right; 10] = [
    Right {
        name: "rights_oauth_entity",
        table: oauth_entity::TABLE,
        need: Need::Always,
        writers: &["oauth_admin", "mi_admin"],
    },
    Right {
        name: "rights_oauth_entity_profile",
        table: oauth_entity_profile::TABLE,
        need: Need::Always,
        writers: &["oauth_admin", "mi_admin"],
    },
    Right {
        name: "rights_oauth_oidc_entity",
        table: oauth_oidc_entity::TABLE,
        need: Need::Always,
        writers: &["oauth_admin"],
    },
    Right {
        name: "rights_oidc_provider_configuration",
        table: oidc_provider_configuration::TABLE,
        need: Need::Always,
        writers: &["oauth_admin"],
    },
    Right {
        name: "rights_sys_user",
        table: sys_user::TABLE,
        need: Need::Always,
        writers: &["user_admin"],
    },
    Right {
        name: "rights_sys_user_role",
        table: sys_user_role::TABLE,
        need: Need::Reading,
        writers: &[],
    },
    Right {
        name: "rights_sys_user_has_role",
        table: sys_user_has_role::TABLE,
        need: Need::Always,
        writers: &["user_admin"],
    },
    Right {
        name: "rights_sys_db_object",
        table: sys_db_object::TABLE,
        need: Need::Perhaps,
        writers: &[],
    },
    Right {
        name: "rights_sys_scope_privilege",
        table: sys_scope_privilege::TABLE,
        need: Need::Perhaps,
        writers: &[],
    },
    Right {
        name: "rights_ip_access",
        table: ip_access::TABLE,
        need: Need::Perhaps,
        writers: &[],
    },
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    RIGHTS.iter().map(|right| right.name).chain([APPLICATION])
}

/// Whether the instance responds and accepts the sign-in. A refusal to read the table counts as a response.
pub(super) async fn sign_in(session: &Session, wanted: &Wanted) -> Finding {
    const NAME: &str = "sign_in";
    match session.sample(sys_user::TABLE).await {
        Ok(_) | Err(TableError::Refused { .. } | TableError::Hidden { .. }) => Finding::pass(
            NAME,
            match &wanted.account {
                Some(account) => format!("The instance accepts the sign-in of {account}."),
                None => "The instance accepts the sign-in.".to_owned(),
            },
        ),
        Err(error) => Finding::fail(NAME, diagnostics::explain(&error, ""), error.remedy()),
    }
}

pub(super) async fn check(session: &Session, wanted: &Wanted) -> Vec<Finding> {
    let account = find(session, wanted).await;
    let roles = match &account {
        Ok(Some(user)) => user_roles::active(session, user).await.ok(),
        Ok(None) | Err(_) => None,
    };
    let rights = RIGHTS.iter().map(|right| may(session, right, roles.as_ref()));
    let mut findings = futures_util::future::join_all(rights).await;
    findings.push(current_application(session, account).await);
    findings
}

async fn find(session: &Session, wanted: &Wanted) -> Result<Option<SysId>, TableError> {
    match &wanted.account {
        Some(account) => session.users().find(account).await,
        None => Ok(None),
    }
}

/// Reading shows itself; of writing only the roles tell, since nothing is written here.
async fn may(session: &Session, right: &Right, roles: Option<&BTreeSet<String>>) -> Finding {
    let Right {
        name,
        table,
        need,
        writers,
    } = *right;
    let insufficient = match need {
        Need::Always | Need::Reading => Status::Fail,
        Need::Perhaps => Status::Warn,
    };
    let fitting: Vec<&str> = std::iter::once("admin")
        .chain(writers.iter().copied())
        .filter(|role| roles.is_some_and(|roles| roles.contains(*role)))
        .collect();
    let seen = match session.sample(table).await {
        // Nothing shown and nothing counted, although there are some: they are hidden.
        Ok(Sample::Empty) => session.is_empty(table).await.map(|()| Sample::Empty),
        seen => seen,
    };
    let reads = match seen {
        Ok(Sample::Rows) => format!("The account may read {table}"),
        Ok(Sample::Empty) if fitting.is_empty() => {
            return Finding::unknown(
                name,
                format!("There is no record in {table}, so nothing shows whether the account may read it."),
                format!(
                    "Grant the account {}, or check again once there is a record.",
                    table.role()
                ),
            );
        }
        Ok(Sample::Empty) => format!("There is no record in {table} yet"),
        Ok(Sample::Hidden { count }) => {
            let detail =
                format!("The instance counts records in {table} ({count}) and shows none of them to the account.");
            return Finding::new(
                name,
                insufficient,
                detail,
                format!("Grant the account {}.", table.role()),
            );
        }
        Err(error @ (TableError::Refused { .. } | TableError::NoSuchTable { .. } | TableError::Hidden { .. })) => {
            return Finding::new(name, insufficient, diagnostics::explain(&error, ""), error.remedy());
        }
        Err(error) => return Finding::unreadable(name, &error),
    };
    if need == Need::Reading {
        return Finding::pass(name, format!("{reads}."));
    }
    if roles.is_none() {
        let detail = format!("{reads}. Its roles are not known, so whether it may write shows only in a write.");
        return Finding::pass(name, detail);
    }
    if fitting.is_empty() {
        return Finding::warn(
            name,
            format!("{reads}, but the account has no role that usually allows writing it."),
            format!("Grant the account {}.", table.role()),
        );
    }
    let detail = format!(
        "{reads}, and the account has a role that usually allows writing it: {}.",
        fitting.join(", ")
    );
    Finding::pass(name, detail)
}

/// Application files without a scope of their own go to the account's current application.
async fn current_application(session: &Session, account: Result<Option<SysId>, TableError>) -> Finding {
    let user = match account {
        Ok(Some(user)) => user,
        Ok(None) => {
            return Finding::unknown(
                APPLICATION,
                "The account's user is not known.",
                "Set `account` to its user name.",
            );
        }
        Err(error) => return Finding::unreadable(APPLICATION, &error),
    };
    let query = Query::equals(sys_user_preference::USER, &user).and_then(|query| {
        Ok(query.and(Query::equals(
            sys_user_preference::NAME,
            sys_user_preference::CURRENT_APPLICATION,
        )?))
    });
    let query = match query {
        Ok(query) => query,
        Err(error) => return Finding::unknown(APPLICATION, diagnostics::explain(&error, ""), error.remedy()),
    };
    let found = session
        .select(sys_user_preference::TABLE, &query, &[sys_user_preference::VALUE])
        .await;
    let rows = match found {
        Ok(rows) => rows,
        Err(error) => return Finding::unreadable(APPLICATION, &error),
    };
    let other = rows
        .iter()
        .filter_map(|row| row.text(sys_user_preference::VALUE).value())
        .find(|value| !sys_scope::is_global(value));
    let Some(other) = other else {
        return Finding::pass(APPLICATION, "The account's current application is Global.");
    };
    let name = application_scope::APPLICATION
        .name_of(session, other)
        .await
        .unwrap_or_else(|_| other.to_owned());
    if sys_scope::is_global(&name) {
        return Finding::pass(APPLICATION, "The account's current application is Global.");
    }
    Finding::warn(
        APPLICATION,
        format!(
            "The account's current application is {name}. This provider sends the application with every record, but an \
             instance may refuse or ignore that."
        ),
        "Sign in as the account and switch to Global (Settings > Developer > Applications), or delete its preference \
         apps.current_app.",
    )
}
