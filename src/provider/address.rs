//! Addresses in the provider block and in the environment: what is wrong with one, and which one was meant.

use crate::http::HttpError;
use crate::plugin::{Diagnostic, Validator, diagnostics};
use crate::provider::arguments::Argument;

/// Checks an address in the provider block.
pub(super) fn check(parse: fn(&str) -> Result<(), HttpError>) -> Validator {
    Validator::text("An absolute `https` URL.", move |text| {
        parse(text).map_err(|error| diagnostics::explain(&error, &error.remedy()).replace("\n\n", " "))
    })
}

/// An address that cannot be used. One of the environment has no place in the configuration, so its variable is named.
pub(super) fn wrong(summary: &str, argument: &Argument, name: &str, error: &HttpError) -> Diagnostic {
    let text = diagnostics::explain(error, &format!("{}{}", argument.origin(), error.remedy()));
    Diagnostic::error(summary, text).at_attribute(name)
}
