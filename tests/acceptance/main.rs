//! Acceptance tests: the real `terraform` binary, real HCL, real gRPC, against the simulator.
//!
//! One binary with a module per behaviour, so that it links once. Each test arranges HCL in a [`support::Workspace`],
//! acts with a terraform command, and asserts on state, plan and simulator. Run one with
//! `cargo test --test acceptance a_part_of_its_name`; `TERRAFORM_BINARIES=terraform` in front limits it to one version.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where, and the workspace tells the story"
)]

#[allow(dead_code, reason = "a vocabulary: a word stays although its only test went away")]
mod support;

mod at_once;
mod bad_input;
mod composed;
mod cross_scope_privilege;
mod data_sources;
mod disk_full;
mod documentation;
mod examples;
mod failures;
mod harness;
mod inbound_check;
mod installation;
mod instances;
mod integration_user;
mod ip_access_rule;
mod killed;
mod leaks;
mod logs;
mod mid_run;
mod modules;
mod moving_in;
mod newer_terraform;
mod oauth_entity;
mod oidc_provider;
mod private_data;
mod query;
mod readiness;
mod secrets;
mod sign_in_microsoft;
mod sign_in_servicenow;
mod support_repository;
mod support_settings;
mod table_access;
mod tls;
mod user_role;
mod whole_guide;
