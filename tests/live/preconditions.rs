//! What must hold before anything is made.

use std::collections::BTreeSet;

use jiff::Timestamp;
use servicenow_provider::servicenow::tables::{oauth_entity, sys_user, sys_user_has_role};
use servicenow_provider::servicenow::{Query, Sample, Session, TableError, UnexpectedResponse};
use tokio_util::sync::CancellationToken;

use crate::app_registrations::Directory;
use crate::context::{EVERY_RUN, RunContext};
use crate::probes::with_causes;
use crate::progress::Screen;
use crate::settings::Settings;
use crate::{entra, stories, sweep};

/// What is known of the account once it is in.
pub(crate) struct Account {
    /// As whom it is written down.
    pub(crate) name: String,
    /// None where they cannot be read.
    pub(crate) roles: Option<BTreeSet<String>>,
}

/// The address, and whether the run may touch it. Sends nothing.
pub(crate) fn host(settings: &Settings) -> Result<String, String> {
    let Some(host) = settings.host() else {
        return Err("SERVICENOW_INSTANCE_URL is not set. Set it to the address of a developer instance.".to_owned());
    };
    match settings.get("LIVE_INSTANCE") {
        Some(repeated) if repeated.trim().eq_ignore_ascii_case(&host) => {}
        Some(repeated) => {
            return Err(format!(
                "LIVE_INSTANCE is {repeated:?} and the instance is {host:?}. Set LIVE_INSTANCE={host} if that is the one \
                 that you mean."
            ));
        }
        None => {
            return Err(format!(
                "This creates and removes records on {host}. If you mean that, say so with LIVE_INSTANCE={host}."
            ));
        }
    }
    if !is_for_development(&host) && !production_is_meant(settings) {
        return Err(format!(
            "{host} does not look like a developer instance: its name has no word that ends with \"dev\". Use one, or set LIVE_PRODUCTION=yes."
        ));
    }
    Ok(host)
}

/// Whether `LIVE_ALSO` and `LIVE_ONLY` name stories that there are. Sends nothing.
pub(crate) fn names_are_known(settings: &Settings) -> Result<(), String> {
    let short = |name: &'static str| name.trim_start_matches("servicenow_");
    for (variable, list, more) in [
        ("LIVE_ALSO", settings.also(), entra::NAME),
        ("LIVE_ONLY", settings.only(), "none"),
    ] {
        let known: BTreeSet<&str> = stories::names().map(short).chain([more]).collect();
        let unknown = list.iter().find(|name| !known.contains(*name));
        if let Some(unknown) = unknown {
            let known: Vec<&str> = known.into_iter().collect();
            return Err(format!(
                "{variable} has {unknown:?}, and no story is called so. There are: {}.",
                known.join(", ")
            ));
        }
    }
    Ok(())
}

fn is_for_development(host: &str) -> bool {
    let name = host.split('.').next().unwrap_or_default();
    // dev12345, acmedev, acme-dev2, dev-acme: the word, and not the beginning of another one.
    let mut words = name
        .split('-')
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    words.any(|word| word.ends_with("dev")) || host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

fn production_is_meant(settings: &Settings) -> bool {
    settings.get("LIVE_PRODUCTION") == Some("yes")
}

/// The instance, and that the sign-in is accepted. Reads, and makes nothing.
pub(crate) async fn signed_in(context: &RunContext, screen: &Screen) -> Result<(), String> {
    let settings = &context.settings;
    if let Some(variable) = settings.proxy() {
        screen.say(&format!(
            "A proxy is in use ({variable}), unless NO_PROXY excepts the host."
        ));
    }
    responds(&context.session, settings).await?;
    match crate::probes::is_production(context).await {
        Ok(Some(value)) if value.trim().eq_ignore_ascii_case("true") && !production_is_meant(settings) => {
            return Err(
                "The instance says of itself that it is in production (glide.installation.production). Use a developer \
                 instance, or set LIVE_PRODUCTION=yes."
                    .to_owned(),
            );
        }
        Ok(_) => {}
        Err(error) => screen.say(&format!(
            "Whether the instance is in production cannot be seen (glide.installation.production): {}.",
            with_causes(&error)
        )),
    }
    clock(&context.session)
}

/// The account. Reads, and makes nothing but what [`sweep::maker`] needs.
pub(crate) async fn account(context: &RunContext, screen: &Screen) -> Result<Account, String> {
    signed_in(context, screen).await?;
    if context.session.account().is_none() {
        screen.say(&format!(
            "It creates and removes the group {}, to see under which name the instance records the account.",
            context.name("maker")
        ));
    }
    let name = sweep::maker(context).await.map_err(|error| {
        format!(
            "It cannot be seen under which name the instance records the account: {}. Remove the group {} if it is there.",
            with_causes(&error),
            context.name("maker")
        )
    })?;
    let roles = roles(&context.session, &name).await;
    if let Some(roles) = &roles
        && !USEFUL.iter().any(|role| roles.contains(*role))
    {
        return Err(format!(
            "The account has none of the roles that a run needs: {}. Grant it user_admin and oauth_admin at least, or admin.",
            USEFUL.join(", ")
        ));
    }
    if roles.is_none() && is_blind(&context.session).await {
        return Err(format!(
            "The account may read neither its roles nor the OAuth entities, so it has none of the roles that a run needs: {}.",
            USEFUL.join(", ")
        ));
    }
    Ok(Account { name, roles })
}

/// The same for application registrations of the tenant. Gives why the run can make none.
pub(crate) async fn nothing_is_left_in_the_tenant(context: &RunContext) -> Result<Option<String>, String> {
    if let Some(why) = entra::missing(&context.settings) {
        return Ok(Some(why));
    }
    let found = async { Directory::open(context).await?.find_own(EVERY_RUN).await };
    let own = match found.await {
        Ok((own, _)) => own,
        Err(error) => {
            let right = entra::lacks_right(&error).map(str::to_owned);
            return right
                .map(Some)
                .ok_or(format!("Leftovers in the tenant cannot be looked for: {error}."));
        }
    };
    match own.first() {
        None => Ok(None),
        Some(left) => Err(format!(
            "An earlier run has left application registrations in the tenant, or another run is going on: {}. If none is, remove \
             them with: make sweep LIVE_ALSO={}",
            left.name,
            entra::NAME
        )),
    }
}

/// Nothing of an earlier run may be there: it would be counted as this one's.
pub(crate) async fn nothing_is_left(context: &RunContext, account: &str, screen: &Screen) -> Result<(), String> {
    let found = sweep::find(&context.session, EVERY_RUN, account).await;
    let found = found.map_err(|error| format!("Leftovers cannot be looked for: {}.", with_causes(&error)))?;
    for line in found.unseen() {
        screen.say(&format!(
            "What an earlier run may have left is not all to be seen. {line}."
        ));
    }
    if found.own.is_empty() {
        return Ok(());
    }
    let own = found.own.iter();
    let lines: Vec<String> = own.map(|it| format!("  {} {}", it.table, it.name)).collect();
    Err(format!(
        "An earlier run has left {} records, or another run is going on:\n{}\nIf none is, remove them with: make sweep",
        lines.len(),
        lines.join("\n")
    ))
}

/// Whether the account sees nothing of what a run writes.
async fn is_blind(session: &Session) -> bool {
    for table in [oauth_entity::TABLE, sys_user_has_role::TABLE] {
        let sample = session.sample(table).await;
        if !matches!(sample, Err(TableError::Refused { .. }) | Ok(Sample::Hidden { .. })) {
            return false;
        }
    }
    true
}

const USEFUL: [&str; 4] = ["admin", "user_admin", "oauth_admin", "mi_admin"];

async fn responds(session: &Session, settings: &Settings) -> Result<(), String> {
    let Err(error) = session.sample(sys_user::TABLE).await else {
        return Ok(());
    };
    let what = match &error {
        TableError::Refused { .. } | TableError::Hidden { .. } => return Ok(()),
        TableError::Unauthenticated { .. } | TableError::SignIn { .. } => "The instance does not accept the sign-in",
        TableError::NotTheApi {
            response: UnexpectedResponse::Hibernating,
            ..
        } => "The instance is hibernating: wake it on the developer site, and run this again",
        _ if settings.proxy().is_some() => "The instance cannot be used, perhaps because of the proxy",
        _ => "The instance cannot be used",
    };
    Err(format!("{what}. {}. {}", with_causes(&error), error.remedy()))
}

fn clock(session: &Session) -> Result<(), String> {
    let Some(clock) = session.clock() else {
        return Ok(());
    };
    let off = Timestamp::now().duration_since(clock).as_secs();
    if off.abs() < CLOCK_TOLERANCE {
        return Ok(());
    }
    Err(format!(
        "The clock of this machine and that of the instance differ by {} seconds. Set this machine's clock: the run \
         compares times, and tokens are valid for a time only.",
        off.abs()
    ))
}

const CLOCK_TOLERANCE: i64 = 120;

async fn roles(session: &Session, account: &str) -> Option<BTreeSet<String>> {
    let user = session.users().find(account).await.ok()??;
    let query = Query::equals(sys_user_has_role::USER, &user).ok()?;
    let columns = [sys_user_has_role::NAME_OF_ROLE];
    let rows = session.select(sys_user_has_role::TABLE, &query, &columns).await.ok()?;
    let names = rows
        .iter()
        .filter_map(|row| row.text(sys_user_has_role::NAME_OF_ROLE).value());
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}

/// The clients and the names of a run, once the address is confirmed.
pub(crate) fn context(settings: &Settings, cancel: &CancellationToken) -> Result<RunContext, String> {
    let clients = settings.clients()?;
    RunContext::new(settings, clients, cancel)
}
