//! Acceptance tests: the real `terraform` binary, real HCL, real gRPC, against the simulator.
//!
//! One binary, so that it links once; the list of its modules below is its table of contents. Each test arranges HCL in
//! a [`harness::Workspace`], acts with a terraform command, and asserts on state, plan and simulator. Run one with
//! `cargo test --test acceptance a_part_of_its_name`; `TERRAFORM_BINARIES=terraform` in front limits it to one version.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where, and the workspace tells the story"
)]

#[allow(
    dead_code,
    reason = "helpers for tests to come: one stays although its only test was removed"
)]
mod harness;

mod access_report; // What the integration user can read, and access rules as text.
mod data_sources; // Each data source that looks for one record.
mod docs; // What the documentation, the examples and the modules show.
mod faults; // Servers, processes and disks that fail, and instances that differ.
mod harness_tests; // The helpers of these tests.
mod inbound_check; // The check whether Microsoft can call the instance.
mod installation; // The provider as Terraform installs and starts it.
mod invalid_configuration; // What is refused before anything is written.
mod logging; // What the log holds, and what requests say of the run.
mod private_state; // What Terraform does with what a provider keeps beside the state.
mod readiness; // The data source `servicenow_integration_readiness`.
mod resources; // Each resource type, from creation to removal.
mod secrets; // Where secrets may be, and where they are never found.
mod sign_in; // Every sign-in method, and whom the provider trusts.
mod state_migration; // From the provider tylerhatton/servicenow.
mod terraform_features; // Functions, ephemeral values, unknown values.
mod terraform_query; // `terraform query`.
