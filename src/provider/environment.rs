//! The process environment: read here and nowhere else, so that every variable can be found in one place.

use std::env;

/// Reads environment variables. Empty ones count as absent.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    lookup: fn(&str) -> Option<String>,
}

impl Environment {
    /// The environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        Self {
            lookup: |name| env::var(name).ok(),
        }
    }

    /// An environment without any variable.
    pub fn empty() -> Self {
        Self { lookup: |_| None }
    }

    /// An environment that a test makes up.
    pub fn of(lookup: fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The first of these variables that is set.
    pub fn first(&self, names: &[&str]) -> Option<String> {
        self.first_of(names).map(|(_, value)| value)
    }

    /// The first of these variables that is set, by its name.
    pub(super) fn first_of<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|name| {
            let value = (self.lookup)(name).filter(|value| !value.trim().is_empty())?;
            Some((*name, value))
        })
    }
}
