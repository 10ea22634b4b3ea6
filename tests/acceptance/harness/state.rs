//! One resource of the state file.

use serde_json::Value;

/// One instance of a resource or data source in the state file. Checks can be chained.
pub(crate) struct ResourceState {
    address: String,
    instance: Value,
}

impl ResourceState {
    /// Every instance of a state file, in its order.
    pub(super) fn all_of(state: &Value) -> Vec<Self> {
        let resources = state["resources"].as_array().into_iter().flatten();
        resources.flat_map(instances_of).collect()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Checks one attribute. `path` goes into objects and lists: `configuration.name`, `roles.0`.
    #[track_caller]
    pub(crate) fn has(&self, path: &str, expected: impl Into<Value>) -> &Self {
        let expected = expected.into();
        assert_eq!(
            *self.attribute(path),
            expected,
            "{}.{path}\n{:#}",
            self.address,
            self.instance["attributes"]
        );
        self
    }

    /// The attribute exists and is null.
    #[track_caller]
    pub(crate) fn lacks(&self, path: &str) -> &Self {
        self.has(path, Value::Null)
    }

    #[track_caller]
    pub(crate) fn is_tainted(&self) -> &Self {
        assert_eq!(self.instance["status"], "tainted", "{} should be tainted", self.address);
        self
    }

    #[track_caller]
    pub(crate) fn is_not_tainted(&self) -> &Self {
        assert_eq!(
            self.instance["status"],
            Value::Null,
            "{} should not be tainted",
            self.address
        );
        self
    }

    #[track_caller]
    pub(crate) fn attribute(&self, path: &str) -> &Value {
        let mut value = &self.instance["attributes"];
        for part in path.split('.') {
            let next = match part.parse::<usize>() {
                Ok(index) => value.get(index),
                Err(_) => value.get(part),
            };
            value = next.unwrap_or_else(|| {
                panic!("{} has no {path} (looked for {part:?} in {value:#})", self.address);
            });
        }
        value
    }

    /// A text attribute that is not null, such as `id`.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        let value = self.attribute(path);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{}.{path} should be text, not {value}", self.address))
            .to_owned()
    }

    /// What identifies the resource to an import, null where Terraform (before 1.12) keeps none.
    pub(crate) fn identity(&self) -> &Value {
        &self.instance["identity"]
    }
}

fn instances_of(resource: &Value) -> impl Iterator<Item = ResourceState> {
    let text = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
    let module = resource["module"]
        .as_str()
        .map(|module| format!("{module}."))
        .unwrap_or_default();
    let data = if resource["mode"] == "data" { "data." } else { "" };
    let address = format!("{module}{data}{}.{}", text("type"), text("name"));
    resource["instances"]
        .as_array()
        .into_iter()
        .flatten()
        .map(move |instance| ResourceState {
            address: instance
                .get("index_key")
                .map_or_else(|| address.clone(), |key| format!("{address}[{key}]")),
            instance: instance.clone(),
        })
}
