//! When a secret is sent. It is never read back, and an update that does not touch it never clears it.

use crate::http::{Secret, secret};
use crate::plugin::{Object, Value};

/// The names of a secret's three attributes: in the state, write-only, and the version of the latter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretNames {
    plain: &'static str,
    write_only: &'static str,
    version: &'static str,
}

impl SecretNames {
    pub(crate) const fn new([plain, write_only, version]: [&'static str; 3]) -> Self {
        Self {
            plain,
            write_only,
            version,
        }
    }

    pub(crate) const fn all(self) -> [&'static str; 3] {
        [self.plain, self.write_only, self.version]
    }

    /// Whether the configuration gives the secret, known or not.
    pub(crate) fn is_configured(self, config: &Object) -> bool {
        [self.plain, self.write_only]
            .iter()
            .any(|name| !config.at(name).is_blank())
    }

    /// The secret that the configuration gives, if it gives one.
    pub(crate) fn configured(self, config: &Object) -> Option<Secret> {
        let write_only = config.at(self.write_only);
        let write_only = write_only.as_str().filter(|_| !write_only.is_blank());
        let text = config.text(self.plain).or(write_only)?;
        let secret = Secret::from(text);
        secret::register(&secret);
        Some(secret)
    }

    /// The secret, if this update has to send it: its value in the state or its version changed.
    pub(crate) fn changed(self, prior: &Object, planned: &Object, config: &Object) -> Option<Secret> {
        let is_changed = |name| prior.at(name) != planned.at(name);
        if is_changed(self.plain) || is_changed(self.version) {
            self.configured(config)
        } else {
            None
        }
    }

    /// Whether a read after an import leaves these attributes as they are: nothing is known of them.
    pub(crate) fn forget(self, state: &mut Object) {
        for name in self.all() {
            state.set(name, Value::Null);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: SecretNames = SecretNames::new(["key", "key_wo", "key_wo_version"]);

    #[track_caller]
    fn check(prior: &[(&str, &str)], config: &[(&str, &str)], expected: Option<&str>) {
        let object = |parts: &[(&str, &str)]| parts.iter().map(|(name, value)| (*name, *value)).collect::<Object>();
        let config = object(config);
        let planned = config.clone().with("key_wo", Value::Null);
        let sent = NAMES.changed(&object(prior), &planned, &config);
        assert_eq!(sent.as_ref().map(Secret::expose), expected);
    }

    #[test]
    fn a_secret_is_sent_when_it_or_its_version_changes() {
        check(&[("key", "a")], &[("key", "a")], None);
        check(&[("key", "a")], &[("key", "b")], Some("b"));
        check(
            &[("key_wo_version", "1")],
            &[("key_wo", "b"), ("key_wo_version", "1")],
            None,
        );
        check(
            &[("key_wo_version", "1")],
            &[("key_wo", "b"), ("key_wo_version", "2")],
            Some("b"),
        );
        check(&[], &[("key_wo", "b")], None);
        check(&[("key", "a")], &[("key_wo", "a")], Some("a"));
        check(&[("key", "a")], &[], None);
        // A new version of nothing sends nothing, and clears nothing.
        check(&[("key_wo_version", "1")], &[("key_wo_version", "2")], None);
        check(
            &[("key_wo_version", "1")],
            &[("key_wo", ""), ("key_wo_version", "2")],
            None,
        );
    }
}
