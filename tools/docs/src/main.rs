//! `make docs` writes the reference pages from the schemas; `scripts/docs.sh --check` compares them with what is there,
//! and looks after everything that a reader can stumble over: links, commands, front matter.

mod blocks; // Blocks of code in pages.
mod commands; // Commands that pages name.
mod folder; // Pages on disk.
mod layout; // What the registry expects of the folder `docs/`.
mod links; // Links between pages.
mod pages; // The reference pages, from the schemas.
mod pins; // Versions in configurations.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use pages::{Page, Site};
use servicenow_provider::provider::{Environment, Servicenow};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] => write(&root),
        ["--check"] => check(&root),
        _ => {
            eprintln!("Usage: reference-docs [--check]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            for problem in &problems {
                eprintln!("error: {problem}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the pages, and removes those of things that are no more.
fn write(root: &Path) -> Result<Vec<String>> {
    let (pages, problems) = pages(root)?;
    for page in &pages {
        folder::write(root, &format!("docs/{}", page.path), &page.text)?;
    }
    for path in layout::left_over(root, &pages)? {
        folder::remove(root, &path)?;
    }
    folder::write(root, FACTS, &facts(root)?)?;
    eprintln!("    {} pages", pages.len() + 1);
    Ok(problems)
}

/// Compares the pages with what is on disk, and checks every other page as well.
fn check(root: &Path) -> Result<Vec<String>> {
    let (pages, mut problems) = pages(root)?;
    for page in &pages {
        let path = format!("docs/{}", page.path);
        if folder::read(root, &path).ok().as_deref() != Some(page.text.as_str()) {
            problems.push(format!("{path} is out of date. Write it again with: make docs"));
        }
    }
    if folder::read(root, FACTS).ok() != Some(facts(root)?) {
        problems.push(format!("{FACTS} is out of date. Write it again with: make docs"));
    }
    for path in layout::left_over(root, &pages)? {
        problems.push(format!(
            "{path} is about nothing that the provider has. Remove it with: make docs"
        ));
    }
    problems.extend(layout::problems(root)?);
    let written = folder::markdown(root)?;
    problems.extend(links::problems(root, &written));
    problems.extend(commands::problems(root, &written)?);
    problems.extend(blocks::problems(root, &written)?);
    problems.extend(pins::problems(root, &written)?);
    eprintln!("    {} pages from schemas, {} pages in all", pages.len(), written.len());
    Ok(problems)
}

/// The page of the facts, with the files that refer to them.
fn facts(root: &Path) -> Result<String> {
    Ok(project_facts::page(
        &project_facts::all(),
        &project_facts::references(root)?,
    ))
}

const FACTS: &str = "docs/facts.md";

/// The pages, and what is wrong with the schemas and examples behind them.
fn pages(root: &Path) -> Result<(Vec<Page>, Vec<String>)> {
    let examples = folder::examples(root)?;
    let site = Site {
        provider: "servicenow",
        introduction: include_str!("../introduction.md.part"),
        subcategory: |name| {
            if name.starts_with("m365_") {
                "Microsoft 365"
            } else {
                "ServiceNow"
            }
        },
        examples: &examples,
    };
    let provider = Servicenow {
        environment: Environment::of_process(),
    };
    let pages = pages::pages(&provider, &site);
    let mut problems: Vec<String> = pages.iter().flat_map(|page| page.problems.clone()).collect();
    for path in examples.keys() {
        if !pages.iter().any(|page| page.examples.contains(path)) {
            problems.push(format!(
                "examples/{path} is shown on no page: the provider has nothing of that name"
            ));
        }
    }
    Ok((pages, problems))
}
