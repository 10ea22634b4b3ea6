//! Each resource type, from creation to removal: a file per type, and what several types share.

mod cross_scope_privilege;
mod group;
mod integration_user;
mod ip_access_rule;
mod name_sets; // Roles, groups and auth scopes, which several types list by name.
mod normalization; // What means the same.
mod oauth_entity;
mod oidc_configuration;
mod oidc_provider;
mod ownership; // What existed before Terraform.
mod record;
mod role;
mod support_repository;
mod support_settings;
mod table_access;
mod user_role;
