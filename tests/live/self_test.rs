//! The kit against the simulator: what it finds, what it refuses, and that nothing is left. Not run against an instance.

mod applications; // The run's own applications in the tenant.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{self, Release};
use servicenow_simulator::{Options, Simulator};
use tempfile::TempDir;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::progress::Screen;
use crate::report::Verdict;
use crate::run::{self, Ended};
use crate::settings::Settings;
use crate::table_settings::Kept;
use crate::{preconditions, probes, stories};

const ACCOUNT: &str = "tess.terraform";

/// An instance whose administrator has a name that must not be in the report.
async fn simulator(release: Release) -> Simulator {
    let instance = instance::Options {
        admin_user: ACCOUNT.to_owned(),
        release,
        ..instance::Options::default()
    };
    let options = Options {
        instance,
        ..Options::default()
    };
    Simulator::start(options).await.unwrap()
}

/// The environment of a run on it, with more variables or others.
fn settings(simulator: &Simulator, more: &[(&str, &str)]) -> Settings {
    let urls = simulator.urls();
    let ca = simulator.ca_certificate().display().to_string();
    let tenant = simulator.tenant_id();
    let variables = [
        ("TF_ACC", "1"),
        ("SERVICENOW_INSTANCE_URL", urls.instance.as_str()),
        ("SERVICENOW_USERNAME", simulator.username()),
        ("SERVICENOW_PASSWORD", simulator.password()),
        ("SERVICENOW_CA_CERTIFICATE_PATH", &ca),
        ("SSL_CERT_FILE", &ca),
        ("LIVE_INSTANCE", "127.0.0.1"),
        ("ARM_TENANT_ID", &tenant),
        ("ARM_CLIENT_ID", simulator.client_id()),
        ("ARM_CLIENT_SECRET", simulator.client_secret()),
        ("M365_REFRESH_TOKEN", simulator.refresh_token()),
        ("M365_LOGIN_URL", &urls.login),
        ("M365_ADMIN_URL", &urls.admin),
    ];
    let path = std::env::vars().filter(|(name, _)| name == "PATH");
    let given = variables.iter().chain(more);
    Settings::of(path.chain(given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))))
}

/// A run with a hidden screen; its folder holds the report.
async fn ended(settings: &Settings) -> (Ended, Screen, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let screen = Screen::hidden();
    let ended = run::all(settings, &screen, &CancellationToken::new(), folder.path()).await;
    (ended, screen, folder)
}

/// What a sweep removes, or shows, and what it says.
async fn swept(simulator: &Simulator, how: &str, more: &[(&str, &str)]) -> (Result<String, String>, Screen) {
    let folder = tempfile::tempdir().unwrap();
    let screen = Screen::hidden();
    let settings = settings(simulator, &[more, &[("LIVE_SWEEP", how)]].concat());
    let swept = run::sweep(&settings, &screen, folder.path()).await;
    (swept, screen)
}

/// An account with these roles, by the variables of its sign-in.
fn account(simulator: &Simulator, roles: &[&str]) -> [(&'static str, &'static str); 2] {
    let instance = simulator.instance();
    let cells = [
        ("user_name", "robot.live"),
        ("last_name", "Robot"),
        ("user_password", "robot-password"),
    ];
    let user = instance.put("sys_user", &cells);
    for role in roles {
        let role = instance.find("sys_user_role", "name", role).remove(0);
        instance.put("sys_user_has_role", &[("user", &user), ("role", &role["sys_id"])]);
    }
    [
        ("SERVICENOW_USERNAME", "robot.live"),
        ("SERVICENOW_PASSWORD", "robot-password"),
    ]
}

/// Whether this process runs against an instance, which then is no place for these tests.
fn is_live() -> bool {
    Settings::of_process().is_opted_in()
}

fn verdict_of(ended: &Ended, id: &str) -> Verdict {
    let Ended::Reported(report) = ended else {
        panic!("{}", ended.line());
    };
    let checked = report.facts.iter().find(|checked| checked.fact.id == id);
    checked.unwrap_or_else(|| panic!("{id} was not looked at")).verdict
}

fn refuted(ended: &Ended) -> Vec<&str> {
    let Ended::Reported(report) = ended else {
        panic!("{}", ended.line());
    };
    report.refuted().map(|checked| checked.fact.id.as_str()).collect()
}

/// Records that are there now and were not, or the other way round.
#[track_caller]
fn nothing_is_left(simulator: &Simulator, before: &str) {
    let now = simulator.instance().fingerprint();
    let (before, now): (BTreeSet<_>, BTreeSet<_>) = (before.lines().collect(), now.lines().collect());
    let differences: Vec<_> = before.symmetric_difference(&now).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_passes_tells_nothing_private_and_leaves_nothing() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let before = simulator.instance().fingerprint();
    let also = (
        "LIVE_ALSO",
        "table_access,ip_access_rule,cross_scope_privilege,connection,custom_table",
    );

    let (ended, screen, folder) = ended(&settings(&simulator, &[also])).await;

    assert!(ended.is_passed(), "{}\n{}", ended.line(), screen.text());
    nothing_is_left(&simulator, &before);
    let Ended::Reported(report) = &ended else {
        unreachable!("it passed");
    };
    let passed = report
        .stories
        .iter()
        .filter(|told| matches!(told.verdict, stories::Verdict::Passed));
    assert_eq!(passed.count(), 13, "{}", screen.text());
    assert_eq!(verdict_of(&ended, "claims-of-application-tokens"), Verdict::Confirmed);
    for name in ["report.md", "report.json"] {
        is_not_private(&simulator, &folder.path().join(name));
    }
}

fn is_not_private(simulator: &Simulator, file: &Path) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("duplicates-are-refused"), "{text}");
    names_nobody(simulator, file, &text);
    assert_eq!(sys_ids(&text).next(), None, "{}", file.display());
}

/// The words of a text that could be keys of records.
fn sys_ids(text: &str) -> impl Iterator<Item = &str> {
    let is_hexadecimal = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_hexadecimal)
}

fn names_nobody(simulator: &Simulator, file: &Path, text: &str) {
    for private in [
        "127.0.0.1",
        ACCOUNT,
        simulator.password(),
        simulator.client_secret(),
        simulator.client_id(),
        simulator.refresh_token(),
        &simulator.tenant_id(),
    ] {
        let line = text.lines().find(|line| line.contains(private));
        assert_eq!(line, None, "{} has {private}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_has_what_terraform_sent_and_nothing_private() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    // What somebody made whom the run does not know.
    for table in ["oauth_entity", "sys_user_group", "sys_user_role"] {
        let fields = [
            ("name", "Contoso payroll"),
            ("sys_created_by", "ada.contoso"),
            ("description", "Contoso's"),
        ];
        simulator.instance().put(table, &fields);
    }
    let before = simulator.instance().fingerprint();
    let more = [("RECORD", "1"), ("LIVE_ONLY", "group,oauth_entity,record")];

    let (ended, screen, folder) = ended(&settings(&simulator, &more)).await;

    assert!(ended.is_passed(), "{}\n{}", ended.line(), screen.text());
    nothing_is_left(&simulator, &before);
    let recordings = project_recordings::all(&folder.path().join("recordings")).unwrap();
    let names: Vec<_> = recordings
        .iter()
        .map(|(path, _)| path.file_stem().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "facts",
            "servicenow_group",
            "servicenow_oauth_entity",
            "servicenow_record"
        ]
    );
    for (path, recording) in &recordings {
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let sent = recording.exchanges.iter().filter(|it| it.request.method == method);
            assert!(sent.count() > 0, "{} has no {method}", path.display());
        }
        let text = std::fs::read_to_string(path).unwrap();
        names_nobody(&simulator, path, &text);
        assert!(!text.to_lowercase().contains("contoso"), "{}: {text}", path.display());
        for id in sys_ids(&text) {
            assert!(id.starts_with("00000000000000000000"), "{} has {id}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_an_instance_refutes_is_named_with_the_files_that_rely_on_it() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    simulator.instance().switches(|modes| {
        modes.configuration_create_refused = true;
        modes.grants_need_elevation = true;
        modes
            .write_denied
            .insert(("oauth_entity".to_owned(), "type".to_owned()));
    });
    let before = simulator.instance().fingerprint();
    let only = ("LIVE_ONLY", "oidc_provider,user_role");

    let (ended, screen, _folder) = ended(&settings(&simulator, &[only])).await;

    assert_eq!(
        refuted(&ended),
        ["oauth-entity-type-is-kept", "oidc-configuration-create"],
        "{}",
        screen.text()
    );
    let line = ended.line();
    for part in ["oidc-configuration-create", "src/servicenow/tables/oidc.rs"] {
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(verdict_of(&ended, "role-grants-over-rest"), Verdict::Learned);
    assert!(
        !screen.text().contains("FAILED"),
        "stories that cannot pass are skipped\n{}",
        screen.text()
    );
    nothing_is_left(&simulator, &before);
}

/// An account, a release, and what the facts and stories of a run come to.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_may_not_do_is_skipped_and_named() {
    if is_live() {
        return;
    }
    for (roles, release, create, skipped) in [
        (
            ["user_admin", "oauth_admin"].as_slice(),
            Release::Zurich,
            Verdict::Open,
            ["servicenow_role", "servicenow_oidc_provider"].as_slice(),
        ),
        (
            &["user_admin", "oauth_admin"],
            Release::Australia,
            Verdict::Confirmed,
            &["servicenow_role"],
        ),
        (
            &["oauth_admin"],
            Release::Zurich,
            Verdict::Open,
            &[
                "servicenow_role",
                "servicenow_integration_user",
                "servicenow_oidc_provider",
            ],
        ),
    ] {
        let simulator = simulator(release).await;
        let robot = account(&simulator, roles);
        let before = simulator.instance().fingerprint();
        let only = ("LIVE_ONLY", "integration_user,role,oauth_entity,oidc_provider");

        let (ended, screen, _folder) = ended(&settings(&simulator, &[robot.as_slice(), &[only]].concat())).await;

        let what = format!("{roles:?}, {release:?}\n{}\n{}", ended.line(), screen.text());
        assert!(ended.is_passed(), "{what}");
        assert_eq!(verdict_of(&ended, "oidc-configuration-create"), create, "{what}");
        assert!(screen.text().contains("passed   servicenow_oauth_entity"), "{what}");
        for story in skipped {
            let named = format!("kipped  {story}: ");
            let before_it = format!("Skipped: {story}. ");
            assert!(
                screen.text().contains(&named) || screen.text().contains(&before_it),
                "{story} in {what}"
            );
        }
        nothing_is_left(&simulator, &before);
    }
}

/// What an instance can do, and the facts that it refutes. Nothing is left in any of them.
#[tokio::test(flavor = "multi_thread")]
async fn each_habit_refutes_its_own_facts_and_leaves_nothing() {
    if is_live() {
        return;
    }
    type Habit = (&'static str, fn(&mut instance::Switches), &'static [&'static str]);
    let habits: &[Habit] = &[
        ("trims", |modes| modes.quirks.trims = true, &[]),
        ("cuts", |modes| modes.quirks.truncates = true, &[]),
        ("ignores case", |modes| modes.quirks.ignores_case = true, &[]),
        (
            "writes ids in capitals",
            |modes| modes.quirks.id_case = instance::IdCase::Upper,
            &[],
        ),
        (
            "line feeds",
            |modes| modes.quirks.line_endings = instance::LineEndings::Lf,
            &[],
        ),
        ("answers lists from before", |modes| modes.quirks.lists_lag = 1, &[]),
        ("shared addresses", |modes| modes.unique_oidc_url = false, &[]),
        ("legacy roles", |modes| modes.legacy_role_rows = true, &[]),
        ("nothing cascades", |modes| modes.cascade = false, &[]),
        (
            "the older 401",
            |modes| modes.unauthorized = instance::Unauthorized::Older,
            &[],
        ),
        ("headers are asked for", |modes| modes.headers_required = true, &[]),
        (
            "drops the type",
            |modes| {
                modes
                    .write_denied
                    .insert(("oauth_entity".to_owned(), "type".to_owned()));
            },
            &["oauth-entity-type-is-kept"],
        ),
        (
            "hides the title",
            |modes| {
                modes.read_denied.insert(("sys_user".to_owned(), "title".to_owned()));
            },
            &[],
        ),
        ("time zone", |modes| modes.time_zone_offset = 11, &[]),
    ];
    let runs = habits.iter().map(|(habit, set, expected)| async move {
        let simulator = simulator(Release::Zurich).await;
        simulator.instance().switches(set);
        let before = simulator.instance().fingerprint();

        let (ended, screen, _folder) = ended(&settings(&simulator, &[("LIVE_ONLY", "none")])).await;

        assert_eq!(refuted(&ended), *expected, "{habit}\n{}", screen.text());
        nothing_is_left(&simulator, &before);
    });
    stream::iter(runs).buffer_unordered(3).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_release_passes_with_what_it_lacks_named() {
    if is_live() {
        return;
    }
    for release in [
        Release::Xanadu,
        Release::Yokohama,
        Release::Zurich,
        Release::Australia,
        Release::Brazil,
    ] {
        let simulator = simulator(release).await;
        let before = simulator.instance().fingerprint();
        // Each of them has a run with all stories: that of Zurich is another test.
        let stories = match release {
            Release::Zurich => "none",
            _ => "integration_user,group,oauth_entity,oidc_provider,oidc_configuration",
        };

        let (ended, screen, _folder) = ended(&settings(&simulator, &[("LIVE_ONLY", stories)])).await;

        assert!(ended.is_passed(), "{release:?}\n{}\n{}", ended.line(), screen.text());
        let newer = verdict_of(&ended, "oauth-entity-newer-columns");
        let expected = match release {
            Release::Xanadu | Release::Yokohama => Verdict::Tolerated,
            _ => Verdict::Confirmed,
        };
        assert_eq!(newer, expected, "{release:?}");
        nothing_is_left(&simulator, &before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_table_that_a_killed_run_left_changed_are_put_back() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let instance = simulator.instance();
    let table = instance.find("sys_db_object", "name", "oauth_entity").remove(0)["sys_id"].clone();
    instance.change(
        "sys_db_object",
        &table,
        &[("access", "package_private"), ("read_access", "false")],
    );
    let before = instance.fingerprint();
    let folder = tempfile::tempdir().unwrap();
    let settings_now = || {
        let row = instance.find("sys_db_object", "name", "oauth_entity").remove(0);
        (row["access"].clone(), row["read_access"].clone())
    };
    let also = settings(&simulator, &[("LIVE_ONLY", "none"), ("LIVE_ALSO", "table_access")]);
    let cancel = CancellationToken::new();
    // A run that is killed in its story leaves these two behind.
    let context = preconditions::context(&also, &cancel).unwrap();
    Kept::now(&context, folder.path()).await.unwrap();
    instance.change(
        "sys_db_object",
        &table,
        &[("access", "public"), ("read_access", "true")],
    );

    let screen = Screen::hidden();
    let refused = run::all(&also, &screen, &cancel, folder.path()).await;
    assert!(refused.line().contains("settings of a table"), "{}", refused.line());
    let screen = Screen::hidden();
    let sweeping = settings(&simulator, &[("LIVE_SWEEP", "remove")]);
    run::sweep(&sweeping, &screen, folder.path()).await.unwrap();

    assert_eq!(
        settings_now(),
        ("package_private".to_owned(), "false".to_owned()),
        "{}",
        screen.text()
    );
    nothing_is_left(&simulator, &before);
    let (passed, screen) = (run::all(&also, &screen, &cancel, folder.path()).await, screen);
    assert!(passed.is_passed(), "{}\n{}", passed.line(), screen.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_name_is_found_out_after_what_is_left_was_looked_for() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let instance = simulator.instance();
    let admin = instance.find("sys_user", "user_name", ACCOUNT).remove(0)["sys_id"].clone();
    instance.put(
        "api_key",
        &[("name", "live"), ("user", &admin), ("token", "key-of-the-run")],
    );
    let key = [
        ("SERVICENOW_USERNAME", ""),
        ("SERVICENOW_PASSWORD", ""),
        ("SERVICENOW_API_KEY", "key-of-the-run"),
        ("LIVE_ONLY", "none"),
    ];
    let left = instance.put("sys_user_group", &[("name", "tfacc_000000_group")]);
    is_refused(&simulator, &key, "An earlier run has left 1 records").await;
    swept(&simulator, "remove", &key).await.0.unwrap();
    assert!(instance.find("sys_user_group", "sys_id", &left).is_empty());
    let before = instance.fingerprint();

    let (passed, screen, _folder) = ended(&settings(&simulator, &key)).await;

    assert!(passed.is_passed(), "{}\n{}", passed.line(), screen.text());
    assert!(
        screen
            .text()
            .contains("to see under which name the instance records the account"),
        "{}",
        screen.text()
    );
    nothing_is_left(&simulator, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_names_what_it_cannot_see() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let instance = simulator.instance();
    instance.put("sys_user_group", &[("name", "tfacc_000000_group")]);
    instance.quirks(|quirks| {
        quirks.hidden_tables.insert("sys_user_group".to_owned());
    });

    let (removed, _) = swept(&simulator, "remove", &[]).await;

    let why = removed.unwrap_err();
    assert!(
        why.contains("sys_user_group: records that are hidden from the account"),
        "{why}"
    );
}

/// A run that cannot see what it has made does not pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_names_what_it_cannot_see() {
    if is_live() {
        return;
    }
    for (is_counted, words) in [
        (
            true,
            "Not removed: sys_user_group: records that are hidden from the account",
        ),
        (false, "the run has made it, and cannot see whether it is gone"),
    ] {
        let simulator = simulator(Release::Zurich).await;
        simulator.instance().quirks(|quirks| {
            let tables = if is_counted {
                &mut quirks.hidden_tables
            } else {
                &mut quirks.uncounted_tables
            };
            tables.insert("sys_user_group".to_owned());
        });

        let (failed, screen, _folder) = ended(&settings(&simulator, &[("LIVE_ONLY", "none")])).await;

        assert!(failed.line().contains(words), "{}\n{}", failed.line(), screen.text());
        assert_eq!(refuted(&failed), Vec::<&str>::new(), "{}", screen.text());
    }
}

/// The run ends before anything is made, with these words.
async fn is_refused(simulator: &Simulator, more: &[(&str, &str)], words: &str) {
    let before = simulator.instance().fingerprint();
    let (ended, screen, _folder) = ended(&settings(simulator, more)).await;
    let Ended::Refused(why) = &ended else {
        panic!(
            "it should be refused with {words:?}: {}\n{}",
            ended.line(),
            screen.text()
        );
    };
    assert!(why.contains(words), "it should say {words:?}: {why}");
    assert!(!why.contains(simulator.password()), "{why}");
    nothing_is_left(simulator, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_touched_or_cannot_be_used_is_refused_before_anything_is_made() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    is_refused(
        &simulator,
        &[("LIVE_INSTANCE", "")],
        "say so with LIVE_INSTANCE=127.0.0.1",
    )
    .await;
    is_refused(&simulator, &[("LIVE_INSTANCE", "dev1")], "LIVE_INSTANCE is \"dev1\"").await;
    is_refused(&simulator, &[("LIVE_ALSO", "group,entre")], "LIVE_ALSO has \"entre\"").await;
    is_refused(&simulator, &[("LIVE_ONLY", "gruop")], "LIVE_ONLY has \"gruop\"").await;
    let production = [
        ("SERVICENOW_INSTANCE_URL", "https://contoso.service-now.com"),
        ("LIVE_INSTANCE", "contoso.service-now.com"),
    ];
    is_refused(&simulator, &production, "no word that ends with \"dev\"").await;
    is_refused(
        &simulator,
        &[("SERVICENOW_PASSWORD", "a wrong password")],
        "does not accept the sign-in",
    )
    .await;

    let instance = simulator.instance();
    let helpless = account(&simulator, &["itil"]);
    is_refused(&simulator, &helpless, "none of the roles that a run needs").await;

    instance.switches(|modes| modes.clock_offset = 900);
    is_refused(&simulator, &[], "The clock of this machine").await;
    instance.switches(|modes| modes.clock_offset = 0);

    instance.faults().every(Matcher::any(), Fault::Hibernation);
    is_refused(&simulator, &[], "hibernating").await;
    instance.faults().clear();

    instance.put(
        "sys_properties",
        &[("name", "glide.installation.production"), ("value", "true")],
    );
    is_refused(&simulator, &[], "in production").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_left_is_refused_shown_and_removed_by_prefix_and_maker() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let instance = simulator.instance();
    let of_another = instance.put("sys_user_group", &[("name", "tfacc_000000_theirs")]);
    instance.change("sys_user_group", &of_another, &[("sys_created_by", "somebody.else")]);
    let before = instance.fingerprint();
    let user = instance.put("sys_user", &[("user_name", "tfacc_000000_user"), ("last_name", "Left")]);
    let group = instance.put("sys_user_group", &[("name", "tfacc_000000_group")]);
    instance.put("sys_user_grmember", &[("user", &user), ("group", &group)]);
    is_refused(&simulator, &[], "An earlier run has left 3 records").await;

    let (shown, _) = swept(&simulator, "show", &[]).await;
    assert_eq!(shown.unwrap(), "3 records would be removed from 127.0.0.1");
    let (removed, screen) = swept(&simulator, "remove", &[]).await;

    assert_eq!(removed.unwrap(), "3 records were removed from 127.0.0.1");
    assert!(
        screen
            .text()
            .contains("made by somebody else: sys_user_group tfacc_000000_theirs")
    );
    nothing_is_left(&simulator, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_renames_or_shows_without_its_maker_is_removed_all_the_same() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    simulator.instance().quirks(|quirks| {
        let role = ("sys_user_role".to_owned(), "name".to_owned());
        quirks.upper_cased.insert(role);
    });
    simulator.instance().switches(|modes| {
        for table in ["sys_user_group", "oauth_entity"] {
            modes
                .read_denied
                .insert((table.to_owned(), "sys_created_by".to_owned()));
        }
        modes
            .read_denied
            .insert(("sys_user_group".to_owned(), "description".to_owned()));
    });
    let before = simulator.instance().fingerprint();

    let (ended, screen, _folder) = ended(&settings(&simulator, &[("LIVE_ONLY", "role,group")])).await;

    assert!(screen.text().contains("FAILED   servicenow_role"), "{}", screen.text());
    let skipped = "skipped  servicenow_group: The account does not see description of sys_user_group";
    assert!(screen.text().contains(skipped), "{}", screen.text());
    assert!(!ended.line().contains("Not removed"), "{}", ended.line());
    nothing_is_left(&simulator, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_only_says_that_it_removes_is_named() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let removed = Fault::Answer {
        status: 204,
        content_type: "application/json".to_owned(),
        body: String::new(),
    };
    let of_groups = Matcher::table("sys_user_group").method(Method::DELETE);
    simulator.instance().faults().every(of_groups, removed);

    let (ended, screen, _folder) = ended(&settings(&simulator, &[("LIVE_ONLY", "none")])).await;

    let line = ended.line();
    assert!(!ended.is_passed(), "{line}\n{}", screen.text());
    assert!(line.contains("Not removed: sys_user_group tfacc_"), "{line}");
    assert!(line.contains("the instance said that it was removed"), "{line}");
    simulator.instance().faults().clear();
    swept(&simulator, "remove", &[]).await.0.unwrap();
    let groups = simulator.instance().records("sys_user_group");
    assert!(groups.iter().all(|group| !group["name"].starts_with("tfacc_")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_fails_once_refutes_nothing() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let before = simulator.instance().fingerprint();
    for table in [
        "sys_user",
        "sys_user_group",
        "sys_user_role",
        "oauth_entity",
        "oidc_provider_configuration",
    ] {
        let inserts = Matcher::table(table).method(Method::POST);
        simulator.instance().faults().next(inserts, Fault::ServerError(503));
    }

    let (ended, screen, _folder) = ended(&settings(&simulator, &[("LIVE_ONLY", "none")])).await;

    assert_eq!(simulator.instance().faults().fired().len(), 5);
    assert!(ended.is_passed(), "{}\n{}", ended.line(), screen.text());
    nothing_is_left(&simulator, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_form_of_values_is_seen_although_the_client_reads_it() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    simulator.instance().quirks(|quirks| quirks.native_values = true);

    let (ended, screen, _folder) = ended(&settings(&simulator, &[("LIVE_ONLY", "none")])).await;

    assert!(ended.is_passed(), "{}\n{}", ended.line(), screen.text());
    for fact in ["references-are-bare-ids", "values-are-text"] {
        assert_eq!(verdict_of(&ended, fact), Verdict::Tolerated, "{}", screen.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_removes_what_it_made() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let before = simulator.instance().fingerprint();
    let cancel = CancellationToken::new();
    let (simulated, token) = (simulator.instance().clone(), cancel.clone());
    let interruption = tokio::spawn(async move {
        let is_of_story = |user: &instance::Record| user["user_name"].ends_with("_story_user");
        while !simulated.records("sys_user").iter().any(is_of_story) {
            sleep(Duration::from_millis(20)).await;
        }
        token.cancel();
    });
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&simulator, &[("LIVE_ONLY", "integration_user")]);

    let ended = run::all(&settings, &Screen::hidden(), &cancel, folder.path()).await;

    interruption.abort();
    assert!(!ended.is_passed());
    assert!(ended.line().contains("The run was interrupted"), "{}", ended.line());
    nothing_is_left(&simulator, &before);
}

#[test]
fn every_probe_is_of_a_fact_and_every_fact_names_a_probe_that_there_is() {
    let named: BTreeSet<String> = project_facts::all().into_iter().filter_map(|fact| fact.probe).collect();
    let there: BTreeSet<String> = probes::names().collect();
    assert_eq!(named, there);
}
