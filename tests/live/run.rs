//! The order of a run: what must hold, what will be touched, probes, stories, cleaning up, report.

use std::collections::BTreeMap;
use std::path::Path;

use servicenow_provider::servicenow::Deleted;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app_registrations::Directory;
use crate::context::{EVERY_RUN, Made, RunContext};
use crate::probes::{self, Seen};
use crate::progress::Screen;
use crate::recorder::Recorder;
use crate::report::{Checked, Private, Report, Verdict};
use crate::settings::Settings;
use crate::stories::{NEEDS_CONFIGURATIONS, NEEDS_GRANTS, Selection, WITHOUT};
use crate::sweep::{self as leftovers, Found};
use crate::table_settings::Kept;
use crate::{entra, preconditions, stories, terraform};

/// How a run ended.
pub(crate) enum Ended {
    /// Before anything was made, and why.
    Refused(String),
    Reported(Report),
}

impl Ended {
    pub(crate) fn is_passed(&self) -> bool {
        matches!(self, Self::Reported(report) if report.is_passed())
    }

    /// The verdict.
    pub(crate) fn line(&self) -> String {
        let report = match self {
            Self::Refused(why) => return format!("FAILED before anything was made. {why}"),
            Self::Reported(report) => report,
        };
        let count = |verdict| report.facts.iter().filter(|checked| checked.verdict == verdict).count();
        let counts = format!(
            "{} facts confirmed, {} learned, {} tolerated, {} open; {} stories passed in {:.0} s. The report is in \
             target/live/report.md",
            count(Verdict::Confirmed),
            count(Verdict::Learned),
            count(Verdict::Tolerated),
            count(Verdict::Open),
            report
                .stories
                .iter()
                .filter(|told| matches!(told.verdict, stories::Verdict::Passed))
                .count(),
            report.seconds
        );
        if report.is_passed() {
            return format!("PASSED. {counts}");
        }
        let mut faults: Vec<String> = report
            .refuted()
            .map(|checked| {
                let files: Vec<&str> = checked.files.iter().map(String::as_str).collect();
                format!(
                    "  The fact {} is refuted: {} It is relied on by {}.",
                    checked.fact.id,
                    checked.seen,
                    files.join(", ")
                )
            })
            .collect();
        faults.extend(
            report
                .failed()
                .map(|told| format!("  The story of {} failed.", told.story)),
        );
        faults.extend(
            report
                .left
                .iter()
                .map(|left| format!("  Not removed: {left}. Look there, or try: make sweep")),
        );
        if report.is_interrupted {
            faults.push("  The run was interrupted.".to_owned());
        }
        format!("FAILED.\n{}\n  {counts}", faults.join("\n"))
    }
}

/// A run, with its report in `folder`.
pub(crate) async fn all(settings: &Settings, screen: &Screen, cancel: &CancellationToken, folder: &Path) -> Ended {
    let begun = Instant::now();
    // Whoever sends the folder sends one run.
    for name in ["report.md", "report.json"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let _ = std::fs::remove_dir_all(folder.join("recordings"));
    let prepared = Box::pin(prepare(settings, screen, cancel, folder)).await;
    let Prepared {
        host,
        mut context,
        recorder,
        account,
        no_applications,
        mut selection,
    } = match prepared {
        Ok(prepared) => prepared,
        Err(why) => return Ended::Refused(why),
    };
    let private = Private::new(
        &host,
        &account,
        &context.prefix,
        settings.secrets().map(str::to_owned),
        settings.names().map(str::to_owned),
    );
    let release = probes::release(&context).await;
    let plugins = probes::installed_plugins(&context).await;
    screen.say(&format!("Release: {}.", release.as_deref().unwrap_or("not shown")));
    if !cancel.is_cancelled() {
        // The facts that it shows are looked at with the others.
        let outcome = Box::pin(entra::run(&context, settings, cancel, no_applications)).await;
        if settings.also().contains(entra::NAME) {
            screen.say(&stories::line(&outcome.told));
        }
        context.entra = Some(outcome);
    }
    let facts = Box::pin(check_facts(&context, screen, cancel)).await;
    if let Some(recorder) = &recorder {
        let about = "What a run looks at before its stories: the account, and the probes of the facts.";
        let written = recorder.write(folder, "facts", about, &private);
        written.unwrap_or_else(|error| screen.say(&format!("The recording cannot be written: {error}")));
    }
    screen.say("\nStories:");
    // The rest would fail for a reason that is known by now.
    for (id, stories) in [
        ("role-grants-over-rest", NEEDS_GRANTS),
        ("oidc-configuration-create", NEEDS_CONFIGURATIONS),
    ] {
        let outcome = facts.iter().find(|outcome| outcome.checked.fact.id == id);
        if let Some(outcome) = outcome.filter(|outcome| outcome.is_refused) {
            let why = format!("It relies on {id}, which did not hold: {}", outcome.checked.seen);
            selection.without(stories, &why, screen);
        }
    }
    let mut stories = if cancel.is_cancelled() {
        Vec::new()
    } else {
        Box::pin(selection.tell(&context, screen, cancel, (folder, &private))).await
    };
    stories.extend(context.entra.iter().map(|outcome| outcome.told.clone()));
    stories.extend(WITHOUT.iter().map(|(story, why)| stories::Told {
        story,
        verdict: stories::Verdict::Skipped((*why).to_owned()),
        seconds: 0.0,
    }));
    let left = Box::pin(clean_up(&context, screen)).await;
    let report = Report {
        release,
        plugins,
        facts: facts.into_iter().map(|outcome| outcome.checked).collect(),
        stories,
        left,
        is_interrupted: cancel.is_cancelled(),
        seconds: begun.elapsed().as_secs_f64(),
    };
    if let Err(error) = report.write(folder, &private) {
        screen.say(&format!("The report cannot be written: {error}"));
    }
    Ended::Reported(report)
}

/// What a run begins with.
struct Prepared {
    host: String,
    context: RunContext,
    /// Of what is sent for the facts; each story has its own.
    recorder: Option<Recorder>,
    account: String,
    /// Why the run makes no application registrations.
    no_applications: Option<String>,
    selection: Selection,
}

/// Everything that must hold before anything is made.
async fn prepare(
    settings: &Settings,
    screen: &Screen,
    cancel: &CancellationToken,
    folder: &Path,
) -> Result<Prepared, String> {
    let host = preconditions::host(settings)?;
    preconditions::names_are_known(settings)?;
    terraform::is_there(settings)?;
    let mut context = preconditions::context(settings, cancel)?;
    let recorder = Recorder::start(settings, &context.instance).await?;
    if let Some(recorder) = &recorder {
        let instance = context.instance;
        context = preconditions::context(&recorder.in_front(settings), cancel)?;
        context.instance = instance;
        screen
            .say("Recording: the exchanges with the Table API go to target/live/recordings, without anything private.");
    }
    screen.say(&format!(
        "Instance: {host}. Names of this run begin with {}.",
        context.prefix
    ));
    let account = preconditions::account(&context, screen).await?;
    if Kept::of_killed_run(&context, folder).is_some() {
        return Err(
            "A killed run may have left the settings of a table changed. Put them back with: make sweep".to_owned(),
        );
    }
    preconditions::nothing_is_left(&context, &account.name, screen).await?;
    let no_applications = preconditions::nothing_is_left_in_the_tenant(&context).await?;
    context.roles = account.roles;
    let selection = Selection::of(&context);
    screen.say(TOUCHED);
    if no_applications.is_none() {
        screen.say(entra::TOUCHED);
    }
    screen.say(&format!("Stories: {}.", selection.names().join(", ")));
    for told in selection.skipped() {
        if let stories::Verdict::Skipped(why) = &told.verdict {
            screen.say(&format!("Skipped: {}. {why}", told.story));
        }
    }
    Ok(Prepared {
        host,
        context,
        recorder,
        account: account.name,
        no_applications,
        selection,
    })
}

const TOUCHED: &str = "\
It makes, changes and removes records of its own, whose names begin like that: users, groups, roles, what links them, OAuth
entities with their profiles, OIDC configurations, and system properties. Of everything else it reads properties, plugins,
choices and columns, and writes nothing. The stories that LIVE_ALSO names touch what they are called by as well.";

/// A fact, and whether its probe saw something else or nothing.
struct Outcome {
    checked: Checked,
    is_refused: bool,
}

async fn check_facts(context: &RunContext, screen: &Screen, cancel: &CancellationToken) -> Vec<Outcome> {
    let references = project_facts::references(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_or_default();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut outcomes = Vec::new();
    screen.say("\nFacts:");
    for fact in project_facts::all() {
        let Some(probe) = &fact.probe else { continue };
        if cancel.is_cancelled() {
            break;
        }
        let begun = Instant::now();
        if !seen.contains_key(probe) {
            seen.insert(probe.clone(), probes::run(probe, context).await);
        }
        let files = references.get(&fact.id).cloned().unwrap_or_default();
        let checked = Checked::new(&fact, &seen[probe], files, begun.elapsed().as_secs_f64());
        screen.say(&format!(
            "  {:<18} {}: {}",
            checked.verdict.name(),
            fact.id,
            checked.seen
        ));
        outcomes.push(Outcome {
            is_refused: !matches!(seen[probe], Seen::Holds(_)),
            checked,
        });
    }
    outcomes
}

/// Removes what the run made, whatever became of it. Gives what is left.
async fn clean_up(context: &RunContext, screen: &Screen) -> Vec<String> {
    let session = context.lasting_session();
    let in_tenant = clean_up_tenant(context, screen).await;
    let mut unseen = Vec::new();
    let mut not_yet = Vec::new();
    for Made {
        table,
        sys_id,
        was_seen,
    } in context.take_made()
    {
        match session.delete(table, &sys_id).await {
            Ok(Deleted::Removed) => {}
            // It was never seen, so it may be hidden and not gone.
            Ok(Deleted::WasGone) if !was_seen => unseen.push(format!("{table} {sys_id}: {UNSEEN}")),
            Ok(Deleted::WasGone) => {}
            Err(_) => not_yet.push((table, sys_id)),
        }
    }
    let mut refused = BTreeMap::new();
    // Once more for what could not go before something else went. A last look tells what the instance has really removed.
    let mut round = 0;
    loop {
        let found = match leftovers::find(&session, &context.prefix, "").await {
            Ok(found) => found,
            Err(error) => {
                let left = vec![format!("what begins with {}: {error}", context.prefix)];
                return [left, unseen, in_tenant].concat();
            }
        };
        // The prefix is this run's alone: whoever is said to have made them, they are its records. Those of the platform go with
        // the others, or afterwards.
        let all = || found.own.iter().chain(&found.of_others);
        let now: Vec<&Found> = all().filter(|it| round > 0 || !it.is_platforms()).collect();
        if round == 2 || all().next().is_none() {
            for (table, sys_id) in &not_yet {
                // By its name it may have been found and removed since.
                if session.delete(*table, sys_id).await.is_err() && all().all(|it| it.sys_id != *sys_id) {
                    unseen.push(format!("{table} {sys_id}: {UNSEEN}"));
                }
            }
            return [
                leftovers::still_there(all(), &refused),
                unseen,
                found.unseen(),
                in_tenant,
            ]
            .concat();
        }
        screen.say(&format!("Removing {} records of this run.", now.len()));
        refused.extend(leftovers::remove(&session, now).await);
        round += 1;
    }
}

const UNSEEN: &str = "the run has made it, and cannot see whether it is gone";

/// The same for application registrations, where the run may have made some.
async fn clean_up_tenant(context: &RunContext, screen: &Screen) -> Vec<String> {
    let has_run = context.entra.as_ref().is_some_and(|outcome| outcome.has_run);
    if !has_run {
        return Vec::new();
    }
    let outcome = async {
        let directory = Directory::open(context).await?;
        let found = directory.find(&context.prefix).await?;
        let mut left = Vec::new();
        for it in &found {
            screen.say(&format!("Removing the application registration {}.", it.name));
            if let Err(error) = directory.remove(it).await {
                left.push(format!("the application registration {}: {error}", it.name));
            }
        }
        Ok::<_, String>(left)
    };
    outcome.await.unwrap_or_else(|error| {
        vec![format!(
            "application registrations that begin with {}: {error}",
            context.prefix
        )]
    })
}

/// Removes what any run of this account left, after showing it.
pub(crate) async fn sweep(settings: &Settings, screen: &Screen, folder: &Path) -> Result<String, String> {
    let host = preconditions::host(settings)?;
    preconditions::names_are_known(settings)?;
    let context = preconditions::context(settings, &CancellationToken::new())?;
    // Where neither the configuration nor a response names the account, finding it out would create a group.
    let shows_only = settings.get("LIVE_SWEEP") == Some("show");
    let account = if shows_only {
        preconditions::signed_in(&context, screen).await?;
        context.session.account().unwrap_or_default()
    } else {
        preconditions::account(&context, screen).await?.name
    };
    let found = leftovers::find(&context.session, EVERY_RUN, &account).await;
    let found = found.map_err(|error| error.to_string())?;
    let in_tenant = sweep_tenant(&context, screen, shows_only).await;
    for it in &found.own {
        screen.say(&format!("  to remove: {} {}", it.table, it.name));
    }
    for table in &found.refused {
        screen.say(&format!("  not looked at, the account may not read it: {table}"));
    }
    for it in found.of_others.iter().filter(|it| !it.is_platforms()) {
        let by = match it.made_by.as_deref() {
            Some(by) if account.is_empty() => format!("to remove, if {by} is the account"),
            Some(_) => "left alone, made by somebody else".to_owned(),
            None => "left alone, the instance does not show who made it".to_owned(),
        };
        screen.say(&format!("  {by}: {} {}", it.table, it.name));
    }
    let put_back = match Kept::of_killed_run(&context, folder) {
        Some(_) if shows_only => {
            screen.say("  to put back: the settings of a table that a killed run may have changed");
            Ok(Vec::new())
        }
        Some(kept) => kept.put_back_of_story(&context).await,
        None => Ok(Vec::new()),
    };
    for line in put_back.iter().flatten() {
        screen.say(&format!("  put back: {line}"));
    }
    if shows_only {
        let own = found.own.len();
        in_tenant?;
        return Ok(if account.is_empty() {
            let others = found.of_others.iter().filter(|it| it.made_by.is_some()).count();
            format!("up to {} records would be removed from {host}", own + others)
        } else {
            format!("{own} records would be removed from {host}")
        });
    }
    let refused = leftovers::remove(&context.session, &found.own).await;
    let again = leftovers::find(&context.session, EVERY_RUN, &account).await;
    let again = again.map_err(|error| error.to_string())?;
    let left: Vec<String> = leftovers::still_there(&again.own, &refused)
        .into_iter()
        .chain(again.unseen())
        .chain(put_back.err())
        .chain(in_tenant.err())
        .collect();
    if left.is_empty() {
        Ok(format!("{} records were removed from {host}", found.own.len()))
    } else {
        Err(format!("Not removed:\n  {}", left.join("\n  ")))
    }
}

/// The same for application registrations, where `LIVE_ALSO` names the story that makes them.
async fn sweep_tenant(context: &RunContext, screen: &Screen, shows_only: bool) -> Result<(), String> {
    if !context.settings.also().contains(entra::NAME) {
        return Ok(());
    }
    let failed = |error: String| format!("application registrations of the tenant: {error}");
    let directory = Directory::open(context).await.map_err(failed)?;
    let (own, others) = directory.find_own(EVERY_RUN).await.map_err(failed)?;
    for it in &own {
        screen.say(&format!("  to remove: application registration {}", it.name));
    }
    for it in others {
        screen.say(&format!(
            "  left alone, owned by somebody else: application registration {}",
            it.name
        ));
    }
    if shows_only {
        return Ok(());
    }
    let mut left = Vec::new();
    for it in own {
        if let Err(error) = directory.remove(&it).await {
            left.push(format!("application registration {}: {error}", it.name));
        }
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(left.join("\n  "))
    }
}
