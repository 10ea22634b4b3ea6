//! The command line. A host starts the plugin without any argument.

use std::ffi::OsString;

/// What to do, by the command line.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Invocation {
    /// Started by a host, or by mistake: the magic cookie tells which.
    Plugin,
    /// Serve until Ctrl-C, for a host that is told where to find us.
    Debug,
    Version,
    Help,
    /// An argument that does not exist.
    Unknown(String),
}

impl Invocation {
    /// Reads the arguments after the program's name. One dash serves as well as two, as Go plugins have it.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut invocation = Self::Plugin;
        for argument in arguments {
            let argument = argument.to_string_lossy().into_owned();
            invocation = match argument.as_str() {
                "--debug" | "-debug" => Self::Debug,
                "--version" | "-version" | "-V" => return Self::Version,
                "--help" | "-help" | "-h" => return Self::Help,
                _ => return Self::Unknown(argument),
            };
        }
        invocation
    }
}

/// The text of `--help`.
pub(super) fn help(name: &str, version: &str) -> String {
    format!(
        "terraform-provider-{name} {version}\n\
         \n\
         A Terraform provider. Terraform starts it; started manually, it has only these options:\n\
         \n\
         \x20 --debug    serve without TLS until Ctrl-C and print TF_REATTACH_PROVIDERS\n\
         \x20 --version  print the version\n\
         \x20 --help     print this text\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], expected: Invocation) {
        assert_eq!(Invocation::parse(arguments.iter().map(OsString::from)), expected);
    }

    #[test]
    fn arguments_take_one_dash_or_two() {
        check(&[], Invocation::Plugin);
        check(&["--debug"], Invocation::Debug);
        check(&["-debug"], Invocation::Debug);
        check(&["--debug", "--version"], Invocation::Version);
        check(&["-h"], Invocation::Help);
        check(&["--debug", "plan"], Invocation::Unknown("plan".to_owned()));
    }
}
