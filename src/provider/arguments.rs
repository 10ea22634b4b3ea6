//! One argument at a time: the configuration, else the environment.

use crate::plugin::{Diagnostic, Object, Value};
use crate::provider::environment::{Environment, Variables};

/// Where a value came from. Several sign-in methods in the configuration contradict each other; a variable that happens to
/// be set does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    Configuration,
    Environment,
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) text: String,
    pub(super) source: Source,
    /// The environment variable that it came from, if it did.
    pub(super) variable: Option<String>,
}

impl Argument {
    /// Where the value comes from, as the beginning of a remedy; empty for the configuration, where the message stands.
    pub(super) fn origin(&self) -> String {
        let variable = self.variable.as_ref();
        variable.map_or_else(String::new, |variable| {
            format!("The value comes from the environment variable {variable}. ")
        })
    }

    /// A warning where a value of the environment ends in a line break. A secret of the configuration is told by its schema.
    pub(super) fn line_break(&self) -> Option<Diagnostic> {
        let variable = self.variable.as_ref()?;
        self.text.ends_with(['\n', '\r']).then(|| {
            let detail = "The line break is part of the value, probably unintentionally: it comes with the file that the \
                          variable was filled from. Set the variable without it.";
            Diagnostic::warning(format!("{variable} ends in a line break"), detail)
        })
    }
}

/// The arguments of one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'a> {
    block: &'a Object,
    environment: Environment,
    variables: Variables,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(block: &'a Object, environment: Environment, variables: Variables) -> Self {
        Self {
            block,
            environment,
            variables,
        }
    }

    /// The environment variables of an argument, the preferred one first.
    pub(super) fn variables(&self, name: &str) -> &'static [&'static str] {
        let known = self.variables.iter().find(|(known, _)| *known == name);
        known.map_or(&[], |(_, variables)| variables)
    }

    /// A variable of the environment that stands for no argument.
    pub(super) fn of_environment(&self, variables: &[&str]) -> Option<String> {
        self.environment.first(variables)
    }

    /// What to do about an argument that cannot be used, with the variable that it comes from.
    pub(super) fn remedy(&self, name: &str, remedy: &str) -> String {
        let origin = self.text(name).map(|given| given.origin());
        format!("{}{remedy}", origin.unwrap_or_default())
    }

    /// A text. Empty counts as absent, as in a variable that is set to nothing.
    pub(super) fn text(&self, name: &str) -> Option<Argument> {
        let configured = self.block.text(name).filter(|text| !text.trim().is_empty());
        match configured {
            Some(text) => Some(Argument {
                text: text.to_owned(),
                source: Source::Configuration,
                variable: None,
            }),
            None => self
                .environment
                .first_of(self.variables(name))
                .map(|(variable, text)| Argument {
                    text,
                    source: Source::Environment,
                    variable: Some(variable.to_owned()),
                }),
        }
    }

    /// A Boolean of the block.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.block.flag(name)
    }

    /// A Boolean of the environment, spelled as the `azuread` provider takes it.
    ///
    /// # Errors
    /// When the variable has another value.
    pub(super) fn flag_of_environment(&self, name: &str) -> Result<Option<bool>, Diagnostic> {
        let Some((variable, text)) = self.environment.first_of(self.variables(name)) else {
            return Ok(None);
        };
        match text.trim() {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Ok(Some(true)),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => Ok(Some(false)),
            other => {
                let detail =
                    format!("The environment variable {variable} is {other:?}. Set it to true or false, or remove it.");
                Err(Diagnostic::error(
                    format!("{variable} is neither true nor false"),
                    detail,
                ))
            }
        }
    }

    /// A whole number; the environment has none of these.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.block.integer(name)
    }

    /// The names of arguments whose value is not known yet.
    pub(super) fn unknown(&self) -> Vec<&'a str> {
        self.block
            .iter()
            .filter(|(_, value)| matches!(value, Value::Unknown))
            .map(|(name, _)| name.as_str())
            .collect()
    }
}
