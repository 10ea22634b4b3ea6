//! What the documentation, the examples and the modules show is what happens.

mod any_table;
mod examples;
mod microsoft_guide;
mod modules;
mod pages;
mod readmes;
mod sign_in_page;
mod with_azuread;
mod workflows;
