//! The harness itself: a check that cannot fail is decoration. Works with what Terraform brings along.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::harness::{Workspace, for_each_terraform, in_turn};

const SECRET: &str = r#"s3cr3t"with<quotes>"#;

#[tokio::test]
async fn apply_leaves_state_and_an_empty_plan() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::without_provider(
            terraform,
            r#"
                resource "terraform_data" "one" {
                  input = { list = ["a", "b"] }
                }
                resource "terraform_data" "many" {
                  for_each = toset(["x"])
                }
            "#,
        );

        workspace.terraform("apply").await.succeeds().says("2 added, 0 changed");

        workspace
            .state("terraform_data.one")
            .has("input.value.list.1", "b")
            .lacks("triggers_replace")
            .is_not_tainted();
        assert_eq!(
            workspace.addresses(),
            [r#"terraform_data.many["x"]"#, "terraform_data.one"]
        );
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        assert!(workspace.addresses().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_plan_tells_actions_and_replace_paths() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::without_provider(terraform, &data("first", "1"));
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&data("second", "1"));
        workspace.plan().await.does("terraform_data.one", &["update"]);
        workspace.configure(&data("first", "2"));
        let plan = workspace.plan().await;

        assert_eq!(plan.changes().len(), 1);
        plan.does("terraform_data.one", &["delete", "create"])
            .replaces_because_of("terraform_data.one", &["triggers_replace"]);
    })
    .await;
}

#[tokio::test]
async fn a_failed_create_is_tainted_and_told() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::without_provider(
            terraform,
            r#"
                resource "terraform_data" "one" {
                  provisioner "local-exec" {
                    command = "exit 7"
                  }
                }
            "#,
        );

        let apply = workspace.terraform("apply").await;

        apply.fails_saying("Error running command 'exit 7': exit status 7. Output:");
        workspace.state("terraform_data.one").is_tainted();
    })
    .await;
}

#[tokio::test]
async fn leaks_are_found_in_state_plan_file_and_output() {
    for_each_terraform(async |terraform| {
        let mut workspace = Workspace::without_provider(
            terraform,
            r#"
                variable "secret" {}
                resource "terraform_data" "one" {
                  input = base64encode("user:${var.secret}")
                }
            "#,
        );
        workspace.set("TF_VAR_secret", SECRET);
        workspace.plan().await;
        workspace.terraform("apply").await.succeeds();

        let leaks = workspace.leaks(&[SECRET]);

        for place in [
            "plan.bin:tfplan holds",
            "terraform.tfstate holds",
            "the output of terraform apply holds",
        ] {
            assert!(
                leaks.iter().any(|leak| leak.starts_with(place)),
                "{place} is not in {leaks:#?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_leaks_from_an_ephemeral_variable() {
    for_each_terraform(async |terraform| {
        let mut workspace = Workspace::without_provider(
            terraform,
            r#"
                variable "secret" {
                  ephemeral = true
                }
                resource "terraform_data" "one" {}
            "#,
        );
        workspace.set("TF_VAR_secret", SECRET);

        workspace.plan().await;
        workspace.terraform("apply plan.bin").await.succeeds();

        workspace.leaks_nothing_of(&[SECRET]);
    })
    .await;
}

#[tokio::test]
async fn a_command_can_be_interrupted_in_the_middle() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::without_provider(
            terraform,
            r#"
                resource "terraform_data" "slow" {
                  provisioner "local-exec" {
                    command = "trap '' INT; exec sleep 100" # Like a provider, it leaves Ctrl-C to terraform.
                  }
                }
            "#,
        );

        let apply = workspace.start(&["apply"]);
        apply.prints("Provisioning with 'local-exec'").await;
        apply.interrupt();
        let apply = workspace.finish(apply).await;

        apply.fails_saying("Interrupt received");
        workspace.state("terraform_data.slow").is_tainted();
    })
    .await;
}

/// Each check that a test relies on fails when what it checks is not so.
#[tokio::test]
async fn checks_can_fail() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::without_provider(terraform, &data("first", "1"));
        let apply = async || workspace.terraform("apply").await;
        apply().await.succeeds();
        let state = || workspace.state("terraform_data.one");

        check_fails(apply().await, |run| _ = run.fails_saying("anything"));
        check_fails(apply().await, |run| _ = run.says("words that terraform does not say"));
        check_fails(apply().await, |run| _ = run.does_not_say("Apply complete!"));
        check_fails(workspace.terraform("apply -no-such-option").await, |run| {
            _ = run.succeeds();
        });
        check_fails(state(), |state| _ = state.has("input.value", "second"));
        check_fails(state(), |state| _ = state.has("no_such_attribute", "first"));
        check_fails(state(), |state| _ = state.is_tainted());
        check_fails((), |()| drop(workspace.state("terraform_data.other")));
        check_fails((), |()| workspace.leaks_nothing_of(&["terraform_data"]));
        check_fails(workspace.plan().await, |plan| {
            _ = plan.does("terraform_data.one", &["update"])
        });
    })
    .await;
}

#[test]
fn terraforms_share_the_tests_and_each_test_can_run_with_every_one() {
    let first = |all: &[u8]| {
        let tests = (0..100).map(|number| format!("resources::test_{number}"));
        let first = tests.map(|name| *in_turn(all, &name).next().unwrap());
        first.collect::<Vec<_>>()
    };

    for all in [&[1, 2][..], &[1, 2, 3]] {
        for one in all {
            let share = first(all).iter().filter(|first| *first == one).count();
            assert!(
                share >= 100 / all.len() - 10,
                "{one} of {all:?} has {share} tests of 100"
            );
        }
        assert_eq!(first(all), first(all), "a test stays with its Terraform");
    }
    let mut turn: Vec<u8> = in_turn(&[1, 2, 3], "a test").copied().collect();
    turn.sort_unstable();
    assert_eq!(turn, [1, 2, 3]);
}

#[track_caller]
fn check_fails<T>(subject: T, check: impl FnOnce(T)) {
    assert!(
        catch_unwind(AssertUnwindSafe(|| check(subject))).is_err(),
        "the check should have failed"
    );
}

fn data(input: &str, trigger: &str) -> String {
    format!("resource \"terraform_data\" \"one\" {{\n  input = {input:?}\n  triggers_replace = {trigger:?}\n}}\n")
}
