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
