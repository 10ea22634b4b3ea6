//! Links between pages: each must lead to a file of the project, and to a heading that it has.

use std::collections::BTreeSet;
use std::path::Path;

use crate::folder::Written;
use crate::layout::outside_code;

/// The project's address. The registry shows only what is in `docs/`: pages there link to the rest by this address.
const REPOSITORY: &str = "https://github.com/servicenow-m365/terraform-provider-servicenow/";

/// Links that lead nowhere.
pub(crate) fn problems(root: &Path, pages: &[Written]) -> Vec<String> {
    let mut problems = Vec::new();
    for page in pages {
        for target in targets(&page.text) {
            if let Some(problem) = problem(root, pages, page, &target) {
                problems.push(format!("{}: the link to {target} {problem}", page.path));
            }
        }
    }
    problems
}

fn problem(root: &Path, pages: &[Written], page: &Written, target: &str) -> Option<String> {
    let own = target
        .strip_prefix(REPOSITORY)
        .and_then(|rest| rest.strip_prefix("blob/main/").or(rest.strip_prefix("tree/main/")));
    if own.is_none() && (target.contains("://") || target.starts_with("mailto:")) {
        return None;
    }
    let (path, anchor) = match own.unwrap_or(target).split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (own.unwrap_or(target), None),
    };
    let path = match own {
        Some(_) => path.trim_end_matches('/').to_owned(),
        None if path.is_empty() => page.path.clone(),
        None => match resolve(&page.path, path) {
            Some(path) => path,
            None => return Some("leaves the project".to_owned()),
        },
    };
    if !root.join(&path).exists() {
        return Some("leads to no file".to_owned());
    }
    if own.is_none() && is_shown(&page.path) && !is_shown(&path) {
        return Some(format!(
            "leads out of what the registry shows; write {REPOSITORY}blob/main/{path}"
        ));
    }
    let anchor = anchor?;
    let text = pages
        .iter()
        .find(|page| page.path == path)
        .map(|page| page.text.as_str());
    match text {
        Some(text) if anchors(text).contains(anchor) => None,
        _ => Some("leads to no heading of that page".to_owned()),
    }
}

/// Whether the registry shows a page.
fn is_shown(path: &str) -> bool {
    path.strip_prefix("docs/")
        .is_some_and(|rest| rest == "index.md" || (rest.contains('/') && !rest.starts_with("decisions/")))
}

/// A relative path, from the root of the project.
fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What the links of a page lead to, reference definitions included.
fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in outside_code(text) {
        let prose = without_code(line);
        let mut rest = prose.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, after)) = after.split_once(')') else {
                break;
            };
            targets.push(target.to_owned());
            rest = after;
        }
        if let Some(target) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            targets.push(target.1.to_owned());
        }
    }
    targets
}

/// A line without its inline code.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The anchors of a page: of its headings, as GitHub and the registry make them, and explicit ones.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in outside_code(text) {
        if let Some(heading) = line.strip_prefix('#') {
            let slug: String = heading
                .trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter_map(|c| match c {
                    ' ' => Some('-'),
                    '-' | '_' => Some(c),
                    c if c.is_alphanumeric() => Some(c),
                    _ => None,
                })
                .collect();
            anchors.insert(slug);
        }
        if let Some((_, rest)) = line.split_once("<a id=\"")
            && let Some((id, _)) = rest.split_once('"')
        {
            anchors.insert(id.to_owned());
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_code_is_not() {
        let text = "A [b](c.md), `[no](x)` and [d](e.md#f).\n```\n[no](y)\n```\n[g]: h.md\n";
        assert_eq!(targets(text), ["c.md", "e.md#f", "h.md"]);
    }

    #[test]
    fn a_path_is_resolved_from_its_page() {
        assert_eq!(
            resolve("docs/guides/a.md", "../index.md").as_deref(),
            Some("docs/index.md")
        );
        assert_eq!(resolve("README.md", "../x.md"), None);
    }

    #[test]
    fn a_link_must_lead_somewhere() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let page = |text: &str| Written {
            path: "README.md".to_owned(),
            text: text.to_owned(),
        };
        let found = |text: &str| problems(&root, &[page(text)]).len();

        assert_eq!(
            found("# A b: `c`\n[x](LICENSE) [y](#a-b-c) [z](https://example.com/nowhere)\n"),
            0
        );
        assert_eq!(found("[x](LICENCE)\n"), 1);
        assert_eq!(found("[x](#a)\n"), 1);
        assert_eq!(found(&format!("[x]({REPOSITORY}blob/main/LICENCE)\n")), 1);
    }
}
