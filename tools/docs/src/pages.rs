//! The reference pages, from the schemas alone: one page for each thing a configuration can say, in the layout that
//! Terraform's registry reads.
//!
//! Pure: examples come in as text, pages go out as text, so that a test can compare them with what is on disk.

mod schema; // The section "Schema" of a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use servicenow_provider::plugin::provider::{Need, Provider, Signature};
use servicenow_provider::plugin::schema::{IdentitySchema, Schema};
use servicenow_provider::plugin::ty::Type;

/// Settings of all reference pages.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    /// The provider's name, which begins the names of most of its types.
    pub(crate) provider: &'a str,
    /// What stands between the provider's description and its example. Markdown.
    pub(crate) introduction: &'a str,
    /// The group in the registry's menu that a type belongs to.
    pub(crate) subcategory: fn(&str) -> &'static str,
    /// The files below `examples/`, by their path from there.
    pub(crate) examples: &'a BTreeMap<String, String>,
}

/// The kind of a reference page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PageKind {
    Provider,
    Resource,
    DataSource,
    EphemeralResource,
    Action,
    /// A resource that can be listed.
    ListResource,
    Function,
}

#[derive(Debug)]
pub(crate) struct Page {
    /// Its path below `docs/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The example files that it shows, by their path below `examples/`.
    pub(crate) examples: Vec<String>,
    /// What it lacks: examples, descriptions, rights.
    pub(crate) problems: Vec<String>,
}

impl PageKind {
    /// Its folder, below `docs/` as well as below `examples/`.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            PageKind::Provider => "provider",
            PageKind::Resource => "resources",
            PageKind::DataSource => "data-sources",
            PageKind::EphemeralResource => "ephemeral-resources",
            PageKind::Action => "actions",
            PageKind::ListResource => "list-resources",
            PageKind::Function => "functions",
        }
    }

    fn title(self) -> &'static str {
        match self {
            PageKind::Provider => "Provider",
            PageKind::Resource => "Resource",
            PageKind::DataSource => "Data Source",
            PageKind::EphemeralResource => "Ephemeral Resource",
            PageKind::Action => "Action",
            PageKind::ListResource => "List Resource",
            PageKind::Function => "Function",
        }
    }

    /// How the files of its examples begin and end.
    fn example(self) -> (&'static str, &'static str) {
        match self {
            PageKind::Provider => ("provider", ".tf"),
            PageKind::Resource => ("resource", ".tf"),
            PageKind::DataSource => ("data-source", ".tf"),
            PageKind::EphemeralResource => ("ephemeral-resource", ".tf"),
            PageKind::Action => ("action", ".tf"),
            PageKind::ListResource => ("list-resource", ".tfquery.hcl"),
            PageKind::Function => ("function", ".tf"),
        }
    }

    /// The Terraform that knows this kind of thing, where the provider works with older ones too.
    fn since(self) -> Option<&'static str> {
        match self {
            PageKind::Provider
            | PageKind::Resource
            | PageKind::DataSource
            | PageKind::Function
            | PageKind::EphemeralResource => None,
            PageKind::Action | PageKind::ListResource => Some("1.14"),
        }
    }
}

/// Every page of a provider, in a stable order.
pub(crate) fn pages<P: Provider>(provider: &P, site: &Site<'_>) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut rights = Vec::new();
    for resource in provider.resources() {
        let name = resource.type_name();
        let needs = resource.needs();
        let schema = resource.schema();
        let mut page = Draft::of_schema(site, PageKind::Resource, name, &schema, &needs);
        page.import(name, resource.identity().as_ref(), resource.list_schema().is_some());
        pages.push(page.finish());
        if let Some(schema) = resource.list_schema() {
            pages.push(Draft::of_schema(site, PageKind::ListResource, name, &schema, &needs).finish());
        }
        rights.push((PageKind::Resource, name, needs));
    }
    for source in provider.data_sources() {
        let (name, needs) = (source.type_name(), source.needs());
        pages.push(Draft::of_schema(site, PageKind::DataSource, name, &source.schema(), &needs).finish());
        rights.push((PageKind::DataSource, name, needs));
    }
    for ephemeral in provider.ephemeral_resources() {
        let (name, needs) = (ephemeral.type_name(), ephemeral.needs());
        pages.push(Draft::of_schema(site, PageKind::EphemeralResource, name, &ephemeral.schema(), &needs).finish());
        rights.push((PageKind::EphemeralResource, name, needs));
    }
    for action in provider.actions() {
        let (name, needs) = (action.type_name(), action.needs());
        pages.push(Draft::of_schema(site, PageKind::Action, name, &action.schema(), &needs).finish());
        rights.push((PageKind::Action, name, needs));
    }
    for function in provider.functions() {
        pages.push(function_page(site, function.name(), &function.signature()));
    }
    pages.push(index(site, &provider.schema(), &rights));
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

/// The page of the provider itself.
fn index(site: &Site<'_>, schema: &Schema, rights: &[(PageKind, &str, Vec<Need>)]) -> Page {
    let mut draft = Draft::new(site, PageKind::Provider, site.provider, &schema.description);
    draft.text.push_str(site.introduction.trim());
    draft.text.push_str("\n\n");
    draft.examples("Example Usage");
    draft.schema(schema);
    draft.text.push_str(
        "\n## Rights\n\nWhat an account needs, by resource. Each page repeats its part.\n\n| | for | \
                         needs |\n|---|---|---|\n",
    );
    for (kind, name, needs) in rights {
        let link = format!("[`{name}`]({}/{}.md)", kind.folder(), site.page_name(name));
        let link = if *kind == PageKind::Resource {
            link
        } else {
            format!("{link} ({})", kind.title().to_lowercase())
        };
        for (position, need) in needs.iter().enumerate() {
            let link = if position == 0 { link.as_str() } else { "" };
            let _ = writeln!(draft.text, "| {link} | {} | {} |", need.purpose, need.right);
        }
    }
    draft.finish()
}

fn function_page(site: &Site<'_>, name: &str, signature: &Signature) -> Page {
    let mut draft = Draft::new(site, PageKind::Function, name, signature.summary);
    draft.text.push_str(signature.description.trim());
    draft.text.push_str("\n\n");
    draft.examples("Example Usage");
    let parameters: Vec<_> = signature
        .parameters
        .iter()
        .map(|parameter| format!("{} {}", parameter.name, schema::hcl_type(&parameter.ty)))
        .collect();
    let _ = write!(
        draft.text,
        "## Signature\n\n```text\n{name}({}) {}\n```\n\n## Arguments\n\n",
        parameters.join(", "),
        schema::hcl_type(&signature.returns)
    );
    for (position, parameter) in signature.parameters.iter().enumerate() {
        let ty: &Type = &parameter.ty;
        let _ = writeln!(
            draft.text,
            "{}. `{}` ({}) {}",
            position + 1,
            parameter.name,
            schema::type_name(ty),
            parameter.description
        );
    }
    draft.finish()
}

impl Site<'_> {
    /// The name of a page: the type's without the provider's.
    fn page_name<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(self.provider)
            .and_then(|rest| rest.strip_prefix('_'))
            .unwrap_or(name)
    }
}

/// A page that is being written.
struct Draft<'a> {
    site: &'a Site<'a>,
    kind: PageKind,
    name: &'a str,
    text: String,
    shown: Vec<String>,
    problems: Vec<String>,
}

impl<'a> Draft<'a> {
    /// Front matter, title and description.
    fn new(site: &'a Site<'a>, kind: PageKind, name: &'a str, description: &str) -> Self {
        let provider = site.provider;
        let (title, heading, subcategory) = if kind == PageKind::Provider {
            (format!("{name} Provider"), format!("{name} Provider"), "")
        } else if kind == PageKind::Function {
            (format!("{name} function - {provider}"), format!("function: {name}"), "")
        } else {
            let kind = kind.title();
            let subcategory = (site.subcategory)(name);
            (
                format!("{name} {kind} - {provider}"),
                format!("{name} ({kind})"),
                subcategory,
            )
        };
        let mut problems = Vec::new();
        if description.trim().is_empty() {
            problems.push(format!("{name} has no description"));
        }
        let summary = description.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = format!(
            "---\npage_title: \"{title}\"\nsubcategory: \"{subcategory}\"\ndescription: |-\n  {summary}\n---\n\n<!-- \
             Generated by `make docs` from the schema and from examples/: edit those instead. -->\n\n# \
             {heading}\n\n{description}\n\n"
        );
        Self {
            site,
            kind,
            name,
            text,
            shown: Vec::new(),
            problems,
        }
    }

    /// A page of something that has a schema.
    fn of_schema(site: &'a Site<'a>, kind: PageKind, name: &'a str, schema: &Schema, needs: &[Need]) -> Self {
        let mut draft = Self::new(site, kind, name, &schema.description);
        if let Some(instead) = schema.deprecated {
            let _ = write!(draft.text, "~> **Deprecated.** {instead}\n\n");
        }
        if let Some(version) = kind.since() {
            let _ = write!(draft.text, "-> Needs Terraform {version} or later.\n\n");
        }
        draft.rights(needs);
        draft.examples("Example Usage");
        draft.schema(schema);
        draft
    }

    fn rights(&mut self, needs: &[Need]) {
        if needs.is_empty() {
            self.problems.push(format!(
                "{} ({}) does not say which rights it needs",
                self.name,
                self.kind.title()
            ));
            return;
        }
        self.text
            .push_str("## Rights\n\n| for | the account needs |\n|---|---|\n");
        for need in needs {
            let _ = writeln!(self.text, "| {} | {} |", need.purpose, need.right);
        }
        self.text.push('\n');
    }

    /// The folder of its examples, with a slash at the end.
    fn folder(&self) -> String {
        if self.kind == PageKind::Provider {
            "provider/".to_owned()
        } else {
            format!("{}/{}/", self.kind.folder(), self.name)
        }
    }

    fn examples(&mut self, heading: &str) {
        let folder = self.folder();
        let (start, end) = self.kind.example();
        let files: Vec<_> = self
            .site
            .examples
            .iter()
            .filter(|(path, _)| {
                path.strip_prefix(folder.as_str())
                    .is_some_and(|name| name.starts_with(start) && name.ends_with(end) && !name.contains('/'))
            })
            .collect();
        if files.is_empty() {
            self.problems.push(format!("examples/{folder}{start}{end} is missing"));
            return;
        }
        let _ = write!(self.text, "## {heading}\n\n");
        for (path, text) in files {
            let _ = write!(self.text, "```terraform\n{}\n```\n\n", text.trim_end());
            self.shown.push(path.clone());
        }
    }

    fn schema(&mut self, schema: &Schema) {
        let replaces = self.kind == PageKind::Resource;
        let write_only = match self.kind {
            PageKind::Action => schema::WRITE_ONLY_OF_ACTIONS,
            _ => schema::WRITE_ONLY_ELSEWHERE,
        };
        self.text.push_str(&schema::section(schema, replaces, write_only));
    }

    /// An example of how to import, if its file is there.
    fn import_example(&mut self, file: &str, language: &str) {
        let path = format!("{}{file}", self.folder());
        let Some(text) = self.site.examples.get(&path) else {
            self.problems.push(format!("examples/{path} is missing"));
            return;
        };
        let _ = write!(self.text, "```{language}\n{}\n```\n\n", text.trim_end());
        self.shown.push(path);
    }

    fn import(&mut self, name: &str, identity: Option<&IdentitySchema>, is_listed: bool) {
        self.text.push_str("\n## Import\n\n");
        if is_listed {
            let _ = write!(
                self.text,
                "To find existing objects, use `terraform query`: see [list resource \
                 `{name}`](../list-resources/{}.md).\n\n",
                self.site.page_name(name)
            );
        }
        if let Some(identity) = identity {
            self.text
                .push_str("From Terraform 1.12, an `import` block names the object by its identity:\n\n");
            self.import_example("import-by-identity.tf", "terraform");
            self.text.push_str("### Identity Schema\n\n#### Required\n\n");
            for attribute in &identity.attributes {
                let _ = writeln!(self.text, "- `{}` (String) {}", attribute.name, attribute.description);
            }
            self.text.push('\n');
        }
        self.text
            .push_str("From Terraform 1.5, an `import` block names it by its ID:\n\n");
        self.import_example("import-by-string-id.tf", "terraform");
        self.text.push_str("With any Terraform, the command does:\n\n");
        self.import_example("import.sh", "shell");
    }

    fn finish(self) -> Page {
        let path = if self.kind == PageKind::Provider {
            "index.md".to_owned()
        } else {
            format!("{}/{}.md", self.kind.folder(), self.site.page_name(self.name))
        };
        Page {
            path,
            text: format!("{}\n", self.text.trim_end()),
            examples: self.shown,
            problems: self.problems,
        }
    }
}

#[cfg(test)]
mod tests;
