//! The run's own applications in the tenant: what they show, and their removal.

use std::fs::OpenOptions;
use std::io::Write as _;

use servicenow_simulator::Simulator;
use servicenow_simulator::instance::Release;
use servicenow_simulator::microsoft::directory::TokenVersion;

use super::{ended, is_live, is_not_private, is_refused, nothing_is_left, settings, simulator, swept, verdict_of};
use crate::report::Verdict;
use crate::settings::Settings;
use crate::terraform;

/// The variables that let azuread work on the simulated tenant. None where there is no azuread, which is then said.
fn with_azuread(simulator: &Simulator) -> Option<[(&'static str, String); 4]> {
    let process = Settings::of_process();
    let Ok(_) = terraform::azuread(&process) else {
        skipped("live::self_test: the story of the run's own applications");
        return None;
    };
    let mirror = process.get("AZUREAD_MIRROR").unwrap_or_default().to_owned();
    Some([
        ("LIVE_ALSO", "entra".to_owned()),
        ("AZUREAD_MIRROR", mirror),
        ("ARM_METADATA_HOSTNAME", simulator.urls().metadata_host.clone()),
        ("ARM_USE_CLI", "false".to_owned()),
    ])
}

/// Says it where `make test` collects such lines.
fn skipped(what: &str) {
    let line = format!("no azuread provider: {what}\n");
    eprint!("{line}");
    if let Some(file) = Settings::of_process().get("TERRAFORM_SKIPS") {
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        // One write, so that lines of tests that run at one time do not mix.
        file.write_all(line.as_bytes()).unwrap();
    }
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_of_the_run_show_what_tokens_say_and_are_gone_afterwards() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let Some(also) = with_azuread(&simulator) else { return };
    let before = simulator.instance().fingerprint();
    let registrations = || simulator.directory().with(|tenant| tenant.applications.len());
    let registered = registrations();
    let more = [borrowed(&also), vec![("LIVE_ONLY", "none")]].concat();

    let (ended, screen, folder) = ended(&settings(&simulator, &more)).await;

    assert!(ended.is_passed(), "{}\n{}", ended.line(), screen.text());
    assert!(screen.text().contains("passed   entra"), "{}", screen.text());
    for fact in [
        "token-version-follows-the-audience",
        "client-id-is-the-audience",
        "claim-names-the-user",
    ] {
        assert_eq!(verdict_of(&ended, fact), Verdict::Confirmed, "{fact}");
    }
    nothing_is_left(&simulator, &before);
    assert_eq!(registrations(), registered);
    for name in ["report.md", "report.json"] {
        is_not_private(&simulator, &folder.path().join(name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_that_a_killed_run_left_are_refused_shown_and_removed_by_prefix_and_owner() {
    if is_live() {
        return;
    }
    let simulator = simulator(Release::Zurich).await;
    let named = |name: &str, is_own: bool| {
        let registered = simulator.directory().register(name, TokenVersion::V1);
        simulator.directory().with(|tenant| {
            let mut owners = tenant
                .service_principals
                .values()
                .filter(|it| it.app_id == simulator.client_id());
            let own = owners.next().unwrap().object_id.clone();
            let application = tenant.applications.get_mut(&registered.object_id).unwrap();
            application.owners = is_own.then_some(own).into_iter().collect();
        });
    };
    named("tfacc_000000_caller", true);
    named("tfacc_000000_theirs", false);
    // Enough for a run that ends before it starts the provider.
    let mirror = tempfile::tempdir().unwrap();
    let versions = mirror.path().join("registry.terraform.io/hashicorp/azuread");
    std::fs::create_dir_all(versions.join("3.0.0").join(terraform::platform())).unwrap();
    let mirror = mirror.path().display().to_string();
    let metadata = simulator.urls().metadata_host.clone();
    let tenant = [
        ("LIVE_ALSO", "entra"),
        ("AZUREAD_MIRROR", mirror.as_str()),
        ("ARM_METADATA_HOSTNAME", metadata.as_str()),
    ];
    is_refused(
        &simulator,
        &tenant,
        "left application registrations in the tenant, or another run is going on: tfacc_000000_caller",
    )
    .await;

    let names = || {
        let mut names = simulator.directory().with(|tenant| {
            let names = tenant.applications.values().map(|it| it.display_name().to_owned());
            names.filter(|name| name.starts_with("tfacc_")).collect::<Vec<_>>()
        });
        names.sort();
        names
    };
    for (how, left) in [
        ("show", ["tfacc_000000_caller", "tfacc_000000_theirs"].as_slice()),
        ("remove", &["tfacc_000000_theirs"]),
    ] {
        let (swept, screen) = swept(&simulator, how, &tenant).await;
        swept.unwrap();
        for line in [
            "to remove: application registration tfacc_000000_caller",
            "owned by somebody else: application registration tfacc_000000_theirs",
        ] {
            assert!(screen.text().contains(line), "{}", screen.text());
        }
        assert_eq!(names(), left);
    }

    // Without a right in the tenant, the story is skipped and says which.
    simulator.directory().with(|tenant| tenant.role_assignments.clear());
    let more = [tenant.as_slice(), &[("LIVE_ONLY", "none")]].concat();
    let (ended, screen, _folder) = ended(&settings(&simulator, &more)).await;
    assert!(ended.is_passed(), "{}\n{}", ended.line(), screen.text());
    let words = "skipped  entra: The application ARM_CLIENT_ID would need the permission Application.ReadWrite.OwnedBy";
    assert!(screen.text().contains(words), "{}", screen.text());
    assert_eq!(verdict_of(&ended, "client-id-is-the-audience"), Verdict::Open);
}
