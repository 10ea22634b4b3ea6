//! A plan as `terraform show -json` tells it.

use serde_json::Value;

pub(crate) struct Plan {
    pub(super) json: Value,
}

impl Plan {
    /// Every address that changes, with what happens to it: `["create"]`, `["update"]`, `["delete", "create"]`, ...
    pub(crate) fn changes(&self) -> Vec<(String, Vec<String>)> {
        let changes = self.json["resource_changes"].as_array().into_iter().flatten();
        let with_actions = changes.map(|change| (text(&change["address"]), actions(change)));
        with_actions.filter(|(_, actions)| actions != &["no-op"]).collect()
    }

    /// Checks what happens to `address`: `does("x.y", &["update"])`. `&["no-op"]` for nothing.
    #[track_caller]
    pub(crate) fn does(&self, address: &str, expected: &[&str]) -> &Self {
        let change = self.change(address);
        assert_eq!(
            actions(change),
            expected,
            "the plan for {address}\n{:#}",
            change["change"]
        );
        self
    }

    /// Checks which attributes force the replacement of `address`: `replaces_because_of("x.y", &["client_id"])`.
    #[track_caller]
    pub(crate) fn replaces_because_of(&self, address: &str, expected: &[&str]) -> &Self {
        let change = self.change(address);
        let mut paths: Vec<String> = change["change"]["replace_paths"]
            .as_array()
            .into_iter()
            .flatten()
            .map(dotted)
            .collect();
        paths.sort();
        assert_eq!(
            paths, expected,
            "the replace paths of {address}\n{:#}",
            change["change"]
        );
        assert!(
            actions(change).contains(&"delete".to_owned()),
            "{address} is not replaced\n{:#}",
            change["change"]
        );
        self
    }

    /// Checks that `address` is changed in place, in these top-level attributes and no others.
    #[track_caller]
    pub(crate) fn updates_only(&self, address: &str, expected: &[&str]) -> &Self {
        self.does(address, &["update"]);
        let change = &self.change(address)["change"];
        let before = change["before"].as_object().cloned().unwrap_or_default();
        let after = change["after"].as_object().cloned().unwrap_or_default();
        let unknown = change["after_unknown"].as_object().cloned().unwrap_or_default();
        let names = before.keys().chain(after.keys()).chain(unknown.keys());
        let mut changed: Vec<&str> = names
            .filter(|name| {
                let is_unknown = unknown.get(*name).is_some_and(|it| *it == Value::Bool(true));
                is_unknown || before.get(*name).unwrap_or(&Value::Null) != after.get(*name).unwrap_or(&Value::Null)
            })
            .map(String::as_str)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(changed, expected, "what changes of {address}\n{change:#}");
        self
    }

    /// One resource's `change`: `actions`, `before`, `after`, `after_unknown`, `before_sensitive`, ...
    #[track_caller]
    pub(crate) fn change(&self, address: &str) -> &Value {
        let mut changes = self.json["resource_changes"].as_array().into_iter().flatten();
        changes.find(|change| change["address"] == address).unwrap_or_else(|| {
            panic!("the plan has nothing on {address}, only {:?}", self.changes());
        })
    }
}

fn actions(change: &Value) -> Vec<String> {
    change["change"]["actions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect()
}

fn dotted(path: &Value) -> String {
    let parts = path.as_array().into_iter().flatten();
    let parts: Vec<String> = parts
        .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
        .collect();
    parts.join(".")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
