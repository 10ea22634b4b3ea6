//! Sources as text: lines, literals, and the names of tables and columns.

use std::fs;
use std::path::Path;

/// The lines of a file that are neither comment nor test, with their numbers.
pub(crate) fn lines_of_code(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(file).unwrap();
    (1..)
        .zip(before_tests(&text).lines())
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number, line.to_owned()))
        .collect()
}

/// A file's text up to its test module. A function or a file that is for tests only may stand anywhere before it.
fn before_tests(text: &str) -> &str {
    let is_module = |after: &str| {
        let line = after.trim_start().lines().next().unwrap_or_default();
        line.starts_with("mod ") && line.ends_with('{')
    };
    let mut attributes = text.match_indices("#[cfg(test)]");
    let end = attributes.find(|(at, attribute)| is_module(&text[at + attribute.len()..]));
    end.map_or(text, |(at, _)| &text[..at])
}

/// The lines of a file that say something of their own: no imports, no signatures, which a trait dictates, and no lines
/// of nothing but brackets.
pub(crate) fn statements(file: &Path) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    // What ends the declaration that is being left out.
    let mut end = None;
    for (number, line) in lines_of_code(file) {
        let line = line.trim();
        if end.is_none() {
            let first = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let first = first.trim_start_matches("pub(super) ").trim_start_matches("async ");
            end = match first {
                _ if first.starts_with("use ") => Some(';'),
                _ if first.starts_with("fn ") => Some('{'),
                _ => None,
            };
            if end.is_none() && line.contains(char::is_alphanumeric) {
                kept.push((number, line.to_owned()));
            }
        }
        if end.is_some_and(|end| line.ends_with(end)) {
            end = None;
        }
    }
    kept
}

/// The texts in quotation marks in a line.
pub(crate) fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

/// The names of tables and columns that a file of `src/servicenow/tables` declares.
pub(crate) fn declared_wire_names(file: &Path) -> Vec<String> {
    let code: Vec<String> = lines_of_code(file).into_iter().map(|(_, line)| line).collect();
    let code = code.join("\n");
    // A line of `columns!`: `NAME = "name" Text;`, not a constant for a value.
    let columns = code
        .lines()
        .filter(|line| line.contains(" = \"") && !line.contains(": &str"));
    let constants = ["Table::new(", "Column::new("]
        .into_iter()
        .flat_map(|call| code.split(call).skip(1))
        .filter(|arguments| arguments.trim_start().starts_with('"'));
    let declared = columns.chain(constants).filter_map(|text| literals(text).next());
    declared.map(str::to_owned).collect()
}
