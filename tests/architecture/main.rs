//! The boundaries that docs/architecture.md states, as far as a reader of the sources can see them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says where it ends"
)]

mod diagnostic_summaries; // Which diagnostics the page about troubleshooting explains.
mod facts; // What is taken for true of the clouds.
mod module_imports; // Which file imports which.
mod source_lines; // Sources as text.
mod source_tokens; // Sources as tokens.
mod unmasked_words; // The words of the messages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use servicenow_provider::plugin::Attribute;
use servicenow_provider::plugin::schema::AttributeKind;
use servicenow_provider::{actions, data_sources, ephemeral_resources, resources};

use module_imports::Imports;

/// Everything that turns a configuration into calls of the clients.
const ABOVE_THE_CLIENTS: [&str; 12] = [
    "access_report",
    "access_rules_text",
    "actions",
    "clients",
    "connection_diagnostics",
    "data_sources",
    "ephemeral_resources",
    "functions",
    "inbound_check",
    "readiness",
    "records",
    "resources",
];

/// No file of `folder`, nor the file beside it, mentions one of `words` outside comments and tests.
#[track_caller]
fn never(folder: &str, words: &[&str]) {
    let mut seen = Vec::new();
    for file in module(folder) {
        for (number, line) in source_lines::lines_of_code(&file) {
            seen.extend(
                words
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{number}: {word}", file.display())),
            );
        }
    }
    assert!(seen.is_empty(), "{folder} should not know of:\n{}", seen.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sources of a module: of the folder, and the file of the same name.
fn module(folder: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let mut found = Vec::new();
    if folder.is_dir() {
        found.extend(sources(&folder));
    }
    let file = folder.with_extension("rs");
    if file.is_file() {
        found.push(file);
    }
    assert!(!found.is_empty(), "{} has no sources", folder.display());
    found
}

/// The sources in a folder, without tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                found.extend(sources(&path));
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_framework_knows_nothing_of_what_is_managed() {
    let above = [
        "crate::servicenow",
        "crate::microsoft",
        "crate::resources",
        "crate::provider",
        "crate::http",
    ];
    never("src/plugin", &above);
    never("src/plugin", &["oauth_", "sys_id", "entra", "azure"]);
}

#[test]
fn the_wire_knows_nothing_of_what_is_sent() {
    never(
        "src/http",
        &[
            "crate::servicenow",
            "crate::microsoft",
            "crate::resources",
            "crate::provider",
            "crate::plugin",
        ],
    );
}

#[test]
fn clients_see_no_terraform_value() {
    let above = ["crate::plugin", "crate::resources", "crate::provider"];
    never("src/servicenow", &above);
    never("src/microsoft", &above);
    never("src/servicenow", &["crate::microsoft"]);
    never("src/microsoft", &["crate::servicenow"]);
}

#[test]
fn nothing_above_the_clients_builds_a_url_names_a_header_or_sees_protobuf() {
    for folder in ABOVE_THE_CLIENTS {
        let folder = format!("src/{folder}");
        never(
            &folder,
            &[
                "/api/now",
                "reqwest",
                "proto::",
                "HeaderName",
                "sysparm_",
                "Request::new",
            ],
        );
    }
}

#[test]
fn wire_names_stand_in_the_tables_and_nowhere_else() {
    let mut names: BTreeSet<String> = module("src/servicenow/tables")
        .iter()
        .flat_map(|file| source_lines::declared_wire_names(file))
        .collect();
    assert!(names.contains("sys_user") && names.contains("locked_out"), "{names:?}");
    // An attribute of the same name is Terraform's word.
    for attribute in attribute_names() {
        names.remove(&attribute);
    }
    let mut seen = Vec::new();
    for file in ABOVE_THE_CLIENTS
        .iter()
        .flat_map(|folder| module(&format!("src/{folder}")))
    {
        for (number, line) in source_lines::lines_of_code(&file) {
            for literal in source_lines::literals(&line) {
                if names.contains(literal) && !OTHER_MEANINGS.contains(&literal) {
                    seen.push(format!("{}:{number}: {literal:?}", file.display()));
                }
            }
        }
    }
    assert!(
        seen.is_empty(),
        "use the constants of src/servicenow/tables:\n{}",
        seen.join("\n")
    );
}

/// Texts that are equal to a wire name by chance.
const OTHER_MEANINGS: [&str; 6] = [
    // What messages call such a record.
    "application",
    "group",
    // The attribute of an identity.
    "sys_id",
    // A parameter of OAuth's token requests.
    "grant_type",
    // A check of `servicenow_integration_readiness`.
    "oidc_configuration",
    // An attribute of another provider's user, whose state can be taken over.
    "user_password",
];

/// The names of all attributes of the provider, nested ones included.
fn attribute_names() -> BTreeSet<String> {
    let schemas = [
        resources::all().iter().map(|it| it.schema()).collect::<Vec<_>>(),
        data_sources::all().iter().map(|it| it.schema()).collect(),
        ephemeral_resources::all().iter().map(|it| it.schema()).collect(),
        actions::all().iter().map(|it| it.schema()).collect(),
    ];
    let mut names = BTreeSet::new();
    for schema in schemas.iter().flatten() {
        add_names(&schema.attributes, &mut names);
    }
    names
}

fn add_names(attributes: &[Attribute], names: &mut BTreeSet<String>) {
    for attribute in attributes {
        names.insert(attribute.name.to_owned());
        if let AttributeKind::Nested(_, inner) = &attribute.kind {
            add_names(inner, names);
        }
    }
}

#[test]
fn the_folder_of_the_resources_holds_a_file_for_each_type_and_nothing_else() {
    let types: Vec<&str> = resources::all().iter().map(|it| it.type_name()).collect();
    let mut files = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(root().join("src/resources")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            folders.insert(name);
        } else {
            files.insert(name);
        }
    }
    for file in &files {
        let of_file: Vec<_> = types
            .iter()
            .filter(|name| name.split_once('_').is_some_and(|(_, rest)| rest == file))
            .collect();
        assert_eq!(of_file.len(), 1, "src/resources/{file}.rs is the file of {of_file:?}");
    }
    assert_eq!(files.len(), types.len(), "{files:?} for {types:?}");
    assert!(folders.is_subset(&files), "{folders:?} for {files:?}");
}

/// From the top: what a module imports of the crate stands below it.
const LAYERS: [&[&str]; 11] = [
    &["provider"],
    &["actions", "data_sources", "ephemeral_resources", "functions"],
    &["access_report"],
    &["access_rules_text", "inbound_check", "readiness", "resources"],
    &["records"],
    &["connection_diagnostics"],
    &["clients"],
    &["microsoft", "servicenow"],
    &["plugin"],
    &["http"],
    &["text_equality", "suggest", "sync"],
];

#[test]
fn imports_point_down() {
    let layer = |module: &String| {
        let layer = LAYERS.iter().position(|layer| layer.contains(&module.as_str()));
        layer.unwrap_or_else(|| panic!("src/{module} has no place in LAYERS"))
    };
    let mut up = Vec::new();
    for (file, targets) in &Imports::of_crate(&root().join("src")).of {
        // The crate's own file lists its modules. Tests of several modules may see all of them.
        let Some(module) = file.first().filter(|module| *module != "fuzz") else {
            continue;
        };
        for target in targets.iter().filter_map(|target| target.first()) {
            if target != module && layer(target) <= layer(module) {
                up.push(format!("src/{}.rs imports {target}", file.join("/")));
            }
        }
    }
    assert!(up.is_empty(), "{up:#?}");
}

#[test]
fn no_files_import_each_other_in_a_ring_of_more_than_three() {
    for crate_root in ["src", "simulator/src"] {
        let mut rings = Imports::of_crate(&root().join(crate_root)).rings();
        rings.retain(|ring| ring.len() > 3);
        assert!(rings.is_empty(), "{crate_root}: {rings:#?}");
    }
}

#[test]
fn no_folder_imports_a_folder_that_imports_it() {
    for crate_root in ["src", "simulator/src"] {
        let rings = Imports::of_crate(&root().join(crate_root)).folder_rings();
        assert!(rings.is_empty(), "{crate_root}: {rings:#?}");
    }
}

#[test]
fn no_two_resources_hold_the_same_six_lines() {
    const RUN: usize = 6;
    let files = [module("src/resources"), module("src/data_sources")].concat();
    let mut seen: BTreeMap<Vec<String>, (PathBuf, usize)> = BTreeMap::new();
    let mut repeated = Vec::new();
    for file in files {
        let lines = source_lines::statements(&file);
        for run in lines.windows(RUN) {
            let number = run[0].0;
            let run: Vec<String> = run.iter().map(|(_, line)| line.clone()).collect();
            match seen.get(&run) {
                Some((other, at)) if *other != file => {
                    repeated.push(format!("{}:{number} is {}:{at}", file.display(), other.display()));
                }
                Some(_) => {}
                None => {
                    seen.insert(run, (file.clone(), number));
                }
            }
        }
    }
    assert!(repeated.is_empty(), "{}", repeated.join("\n"));
}

#[test]
fn the_simulator_shares_no_code_with_the_provider() {
    never("simulator/src", &["servicenow_provider"]);
    let manifest = fs::read_to_string(root().join("simulator/Cargo.toml")).unwrap();
    assert!(!manifest.contains("terraform-provider-servicenow"), "{manifest}");
}
