//! What the registry expects of the folder `docs/`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::folder;
use crate::pages::Page;

/// Folders whose every page comes from a schema.
const GENERATED: &[&str] = &[
    "docs/resources/",
    "docs/data-sources/",
    "docs/ephemeral-resources/",
    "docs/functions/",
    "docs/actions/",
    "docs/list-resources/",
];

/// What else is in `docs/`. The registry shows the guides and leaves the rest alone.
const BY_HAND: &[&str] = &["docs/guides/", "docs/decisions/", "docs/pictures/"];

/// The registry refuses larger pages, and more of them.
const MOST_BYTES: u64 = 500_000;
const MOST_PAGES: usize = 2_000;

/// Pages in a generated folder that no schema stands behind.
pub(crate) fn left_over(root: &Path, pages: &[Page]) -> Result<Vec<String>> {
    let mut files = folder::files(root, "docs")?;
    files.retain(|path| {
        GENERATED.iter().any(|folder| path.starts_with(folder))
            && !pages.iter().any(|page| format!("docs/{}", page.path) == *path)
    });
    Ok(files)
}

/// Pages that the registry would refuse, or show wrongly.
pub(crate) fn problems(root: &Path) -> Result<Vec<String>> {
    let files = folder::files(root, "docs")?;
    let mut problems = Vec::new();
    if files.len() > MOST_PAGES {
        problems.push(format!(
            "docs/ has {} files; the registry takes {MOST_PAGES}",
            files.len()
        ));
    }
    for path in files {
        let in_folder = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
        let is_top = path.matches('/').count() == 1;
        if !is_top && !in_folder(GENERATED) && !in_folder(BY_HAND) {
            problems.push(format!("{path} lies in a folder that the registry does not know"));
        }
        let bytes = fs::metadata(root.join(&path)).with_context(|| path.clone())?.len();
        if bytes > MOST_BYTES {
            problems.push(format!("{path} has {bytes} bytes; the registry takes {MOST_BYTES}"));
        }
        let is_shown = path == "docs/index.md" || path.starts_with("docs/guides/") || in_folder(GENERATED);
        if is_shown {
            problems.extend(front_matter(&path, &folder::read(root, &path)?));
        }
    }
    Ok(problems)
}

/// What the front matter of a page lacks.
fn front_matter(path: &str, text: &str) -> Vec<String> {
    let Some((matter, body)) = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")) else {
        return vec![format!(
            "{path} has no front matter (page_title, subcategory, description)"
        )];
    };
    let mut problems: Vec<_> = ["page_title: \"", "subcategory: \"", "description: |-\n  "]
        .iter()
        .filter(|key| !matter.contains(*key))
        .map(|key| {
            let name = key.split(':').next().unwrap_or_default();
            format!("{path} has no {name} in its front matter")
        })
        .collect();
    let headings = outside_code(body).filter(|line| line.starts_with("# ")).count();
    if headings != 1 {
        problems.push(format!("{path} has {headings} titles; it needs one"));
    }
    problems
}

/// The lines of a page that are not code.
pub(crate) fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        if is_fence {
            is_code = !is_code;
        }
        !is_fence && !is_code
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_asked_for() {
        let good =
            "---\npage_title: \"A\"\nsubcategory: \"\"\ndescription: |-\n  B\n---\n\n# A\n\n```sh\n# no title\n```\n";
        assert_eq!(front_matter("x.md", good), Vec::<String>::new());
        assert_eq!(front_matter("x.md", "# A\n").len(), 1);
        assert_eq!(
            front_matter("x.md", &good.replace("subcategory", "category")),
            ["x.md has no subcategory in its front matter"]
        );
        assert_eq!(
            front_matter("x.md", &good.replace("```", "")),
            ["x.md has 2 titles; it needs one"]
        );
    }
}
