//! The commands that a page shows, as its reader runs them.

use super::{Run, Workspace};

/// A shell in a workspace. What one block of a page exports is there for the next, as in the reader's terminal.
pub(crate) struct Console<'a> {
    workspace: &'a Workspace,
    exports: Vec<String>,
}

impl<'a> Console<'a> {
    pub(crate) fn new(workspace: &'a Workspace) -> Self {
        Self {
            workspace,
            exports: Vec::new(),
        }
    }

    /// Runs commands one after the other, up to the first that fails.
    pub(crate) async fn run(&mut self, commands: &[String]) -> Run {
        let script = [self.exports.as_slice(), commands].concat().join("\n");
        let exports = commands.iter().filter(|command| command.starts_with("export "));
        self.exports.extend(exports.cloned());
        self.workspace.bash(&script).await
    }
}

/// The commands of each block of a console in a page. A command that goes on in the next line is one.
pub(crate) fn blocks(page: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut open: Option<Vec<String>> = None;
    for line in page.lines() {
        let line = line.trim();
        match (open.take(), line.strip_prefix("```")) {
            (None, Some("console")) => open = Some(Vec::new()),
            (Some(commands), Some(_)) => blocks.push(commands),
            (Some(mut commands), None) => {
                match (line.strip_prefix("$ "), commands.last_mut()) {
                    (Some(command), _) => commands.push(command.to_owned()),
                    (None, Some(last)) if last.ends_with('\\') => {
                        last.pop();
                        last.push_str(line);
                    }
                    (None, _) => {}
                }
                open = Some(commands);
            }
            (None, _) => {}
        }
    }
    blocks
}

/// A command with each `...` replaced by the value for the name before it: `NAME=...`, `name = "..."`.
pub(crate) fn filled(command: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let mut pieces = command.split("...");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let before = text.trim_end_matches(['"', '\'', ' ', '=']);
        let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next();
        let name = name.unwrap_or_default();
        let value = values.iter().find(|(known, _)| *known == name);
        let (_, value) = value.ok_or_else(|| format!("it is not known what to fill in for {name:?} in: {command}"))?;
        text.push_str(value);
        text.push_str(piece);
    }
    Ok(text)
}

mod tests {
    use super::{blocks, filled};

    #[test]
    fn commands_are_found_with_their_further_lines() {
        let page = "a\n\n```console\n$ one \\\n    two\nanswer\n$ three\n```\n```text\n$ no\n```\n   ```console\n   $ four\n   ```\n";
        assert_eq!(blocks(page), [vec!["one two", "three"], vec!["four"]]);
    }

    #[test]
    fn every_gap_has_to_be_known() {
        let values = [("A", "1"), ("b", "2")];
        assert_eq!(
            filled("export A=... X='{ b = \"...\" }'", &values),
            Ok("export A=1 X='{ b = \"2\" }'".to_owned())
        );
        assert!(filled("export A=... C=...", &values).unwrap_err().contains("\"C\""));
    }
}
