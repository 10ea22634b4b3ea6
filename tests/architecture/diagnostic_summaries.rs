//! The summaries of all diagnostics, read from the sources, and the page that explains them.
//!
//! A summary has to be recognisable where its diagnostic is made: a literal or `format!`, a constant, a `let` with one of
//! these, a tuple's part, or a parameter whose callers pass one of these. Anything else is a failure, so that none escapes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::source_tokens::{self, Kind, Token, closing, split};

/// Where diagnostics are defined. Only here are they made without [`MAKERS`].
const DEFINITION: &str = "src/plugin/diagnostics.rs";
/// The functions of `Diagnostic` whose first argument is the summary.
const MAKERS: [&str; 2] = ["error", "warning"];
const PAGE: &str = "docs/guides/troubleshooting.md";
/// The row that explains how to read the messages of failed requests, whose words come from where the request was made.
const FAMILY: &str = "Could not …";

/// Summaries of the family that have rows of their own, as the page has them.
const ROWS_OF_THEIR_OWN: [(&str, &[&str]); 2] = [
    ("Could not reach …", &["Could not reach https://…"]),
    (
        "Could not sign in to …",
        &["Could not sign in to ServiceNow", "Could not sign in to Microsoft 365"],
    ),
];

/// Summaries that need no row, and why.
const WITHOUT_A_ROW: [(&str, &str); 4] = [
    (
        "A value has the wrong type",
        "Terraform converts every value to the schema's type before it sends it",
    ),
    (
        "Deprecated argument",
        "no argument is deprecated now, and the message has what to use instead",
    ),
    (
        "Invalid table",
        "the argument's own check refuses such a name before: \"Invalid value for table\"",
    ),
    (
        "Unknown … type",
        "Terraform compares the types with the provider's schema before it asks for one",
    ),
];

/// A row with more cells than its table's head loses the last ones where it is shown.
#[test]
fn every_row_of_the_page_has_as_many_cells_as_its_head() {
    let page = fs::read_to_string(super::root().join(PAGE)).unwrap();
    let mut columns = None;
    let mut rows = 0;
    for line in page.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let cells = line.trim().trim_matches('|').split('|').count();
        assert_eq!(*columns.get_or_insert(cells), cells, "{line}");
        rows += 1;
    }
    assert!(rows > 100, "tables are found no more");
}

/// What a TLS connection can fail with is said under one title.
#[test]
fn every_tls_problem_is_on_the_page_about_troubleshooting() {
    let page = fs::read_to_string(super::root().join(PAGE)).unwrap();
    let source = fs::read_to_string(super::root().join("src/http/error.rs")).unwrap();
    let problems = source.split("pub enum TlsProblem {").nth(1).unwrap();
    let problems = problems.split("\n}").next().unwrap();
    let said: Vec<&str> = problems
        .split("#[error(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(said.len() > 7, "problems are found no more: {said:?}");
    for text in said {
        assert!(page.contains(text), "{text:?} is not on {PAGE}");
    }
}

#[test]
fn every_summary_is_on_the_page_about_troubleshooting() {
    let sources: Vec<Source> = super::sources(&super::root().join("src"))
        .iter()
        .map(|file| Source::read(file))
        .collect();
    let (summaries, unrecognised) = collect(&sources);
    assert!(
        unrecognised.is_empty(),
        "the summary of each diagnostic has to be recognisable by tests/architecture/diagnostic_summaries.rs. Write it as a literal or \
         format! where the diagnostic is made, or teach the test the form:\n{}",
        unrecognised.join("\n")
    );
    let distinct: BTreeSet<&str> = summaries.iter().map(|summary| summary.text.as_str()).collect();
    assert!(distinct.len() > 60, "summaries are found no more: {distinct:#?}");

    let rows = messages(&fs::read_to_string(super::root().join(PAGE)).unwrap());
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for summary in summaries
        .iter()
        .filter(|summary| !WITHOUT_A_ROW.iter().any(|(text, _)| *text == summary.text))
    {
        for text in lacking(&summary.text, &rows) {
            let place = format!("{}:{}", summary.file, summary.line);
            missing.entry(text).or_default().insert(place);
        }
    }
    let missing: Vec<String> = missing
        .into_iter()
        .map(|(text, places)| format!("`{text}` of {}", Vec::from_iter(places).join(", ")))
        .collect();
    assert!(
        missing.is_empty(),
        "add a row to {PAGE} for each of these, with the message in backticks in its first column (… for what varies), or add \
         it to WITHOUT_A_ROW in tests/architecture/diagnostic_summaries.rs with the reason:\n{}",
        missing.join("\n")
    );

    for (text, _) in WITHOUT_A_ROW {
        assert!(
            distinct.contains(text),
            "no diagnostic has the summary {text:?}: remove it here"
        );
        assert!(lacking(text, &rows) == [text], "{text:?} has a row: remove it here");
    }
    for (text, _) in ROWS_OF_THEIR_OWN {
        assert!(
            distinct.contains(text),
            "no diagnostic has the summary {text:?}: remove it here"
        );
    }
}

/// What the page lacks to explain a summary.
fn lacking(summary: &str, rows: &[String]) -> Vec<String> {
    let own = ROWS_OF_THEIR_OWN.iter().find(|(text, _)| *text == summary);
    let wanted = own.map_or(vec![summary], |(_, rows)| rows.to_vec());
    let is_explained = |text: &str| {
        let mut usable = rows.iter().filter(|row| own.is_none() || *row != FAMILY);
        usable.any(|row| covers(row, text))
    };
    let lacking = wanted.into_iter().filter(|text| !is_explained(text));
    lacking.map(str::to_owned).collect()
}

/// The messages of a page: what is in backticks in the first column of the tables whose first column is `message`.
fn messages(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_of_messages = None;
    for line in page.lines() {
        let Some(row) = line.strip_prefix('|') else {
            is_of_messages = None;
            continue;
        };
        let first = row.split('|').next().unwrap_or_default();
        if *is_of_messages.get_or_insert(first.trim() == "message") {
            found.extend(first.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// Whether the words of a row are those of the summary. Its `…` stands for one or two words, so that a row does not explain
/// what nobody thought of; that of the family stands for any.
fn covers(row: &str, summary: &str) -> bool {
    let most = if row == FAMILY { usize::MAX } else { 2 };
    row.contains(char::is_alphabetic) && matches(row, summary, most)
}

fn matches(row: &str, text: &str, most: usize) -> bool {
    let Some((first, rest)) = row.split_once('…') else {
        return row == text;
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let mut ends = ends.filter(|end| text[..*end].split(' ').count() <= most);
    ends.any(|end| matches(rest, &text[end..], most))
}

/// A file below the root, as tokens.
struct Source {
    file: String,
    tokens: Vec<Token>,
}

impl Source {
    fn read(path: &Path) -> Source {
        let file = path.strip_prefix(super::root()).unwrap().to_string_lossy().into_owned();
        Source::of(&file, &fs::read_to_string(path).unwrap())
    }

    fn of(file: &str, text: &str) -> Source {
        let tokens = source_tokens::tokens(text);
        Source {
            file: file.to_owned(),
            tokens,
        }
    }

    /// The name by which other files call this module.
    fn module(&self) -> String {
        PathBuf::from(&self.file)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    fn is_definition(&self) -> bool {
        self.file == DEFINITION
    }

    fn is_word(&self, at: Option<usize>, word: &str) -> bool {
        self.get(at).is_some_and(|token| token.is_word(word))
    }

    fn is_mark(&self, at: Option<usize>, mark: char) -> bool {
        self.get(at).is_some_and(|token| token.is_mark(mark))
    }

    fn get(&self, at: Option<usize>) -> Option<&Token> {
        self.tokens.get(at?)
    }

    /// Whether the marks before `at` are these.
    fn follows(&self, at: usize, marks: &str) -> bool {
        let mut before = marks.chars().rev().zip(1..);
        before.all(|(mark, back)| self.is_mark(at.checked_sub(back), mark))
    }

    /// Fails if something may change or hide a variable between two places: nothing mentions it there otherwise.
    fn is_untouched(&self, name: &str, from: usize, to: usize) -> Result<(), String> {
        let between = self.tokens.get(from..to).unwrap_or_default();
        if between.iter().any(|token| token.is_word(name)) {
            return Err(format!("{name} may have changed before it becomes the summary"));
        }
        Ok(())
    }

    /// The arguments of the call whose bracket is at `open`.
    fn arguments(&self, open: usize) -> Vec<&[Token]> {
        let inside = &self.tokens[open + 1..closing(&self.tokens, open)];
        split(inside, ',')
    }
}

/// With `…` for what varies.
#[derive(Debug)]
struct Summary {
    text: String,
    file: String,
    line: usize,
}

/// All summaries of the sources, and the places where one cannot be told.
fn collect(sources: &[Source]) -> (Vec<Summary>, Vec<String>) {
    let mut summaries = Vec::new();
    let mut unrecognised = Vec::new();
    for source in sources {
        for at in 0..source.tokens.len() {
            let found = made_at(sources, source, at).unwrap_or_else(|| written_at(sources, source, at));
            let line = source.tokens[at].line;
            let file = source.file.clone();
            match found {
                Ok(texts) => summaries.extend(texts.into_iter().map(|text| Summary {
                    text,
                    file: file.clone(),
                    line,
                })),
                Err(why) => unrecognised.push(format!("{file}:{line}: {why}")),
            }
        }
    }
    (summaries, unrecognised)
}

type Found = Result<Vec<String>, String>;

/// The summaries of the diagnostic that the word at `at` makes; `None` if it is about something else.
fn made_at(sources: &[Source], source: &Source, at: usize) -> Option<Found> {
    let word = source.tokens[at].word()?;
    let is_own = word == "Self" && source.is_definition();
    if word != "Diagnostic" && !is_own {
        return None;
    }
    if source.is_mark(Some(at + 1), ':') && source.is_mark(Some(at + 2), ':') {
        let called = source.get(Some(at + 3)).and_then(Token::word).unwrap_or_default();
        if !MAKERS.contains(&called) {
            return (!is_own).then(|| Err(format!("Diagnostic::{called} is not known to take a summary")));
        }
        if !source.is_mark(Some(at + 4), '(') {
            return Some(Err(format!("Diagnostic::{called} is not called where it is named")));
        }
        let arguments = source.arguments(at + 4);
        // The one maker calls the other with its own parameter.
        if is_own && matches!(arguments[0], [only] if only.is_word("summary")) {
            return None;
        }
        return Some(resolve(sources, source, at, arguments[0]));
    }
    if is_own {
        return None;
    }
    if source.is_word(Some(at + 1), "as") {
        return Some(Err("Diagnostic gets another name".to_owned()));
    }
    if source.is_mark(Some(at + 1), ';') && source.is_word(at.checked_sub(3), "type") {
        return Some(Err("Diagnostic gets another name".to_owned()));
    }
    let before = start_of_path(source, at);
    let is_implemented = ["impl", "for"]
        .iter()
        .any(|word| source.is_word(before.checked_sub(1), word));
    if is_implemented && !source.is_definition() {
        return Some(Err(format!("Diagnostic has functions outside of {DEFINITION}")));
    }
    let is_result = source.follows(before, "->") || source.is_word(before.checked_sub(1), "struct") || is_implemented;
    if !source.is_mark(Some(at + 1), '{') || is_result {
        return None;
    }
    let is_wire_form = source.is_word(Some(before), "proto") && source.is_definition();
    let fields = source.arguments(at + 1);
    let has_summary = fields
        .iter()
        .any(|field| field.first().is_some_and(|name| name.is_word("summary")));
    (has_summary && !is_wire_form).then(|| Err("a Diagnostic is made from its parts".to_owned()))
}

/// The first token of the path that ends at `at`.
fn start_of_path(source: &Source, at: usize) -> usize {
    if at >= 3 && source.follows(at, "::") && source.tokens[at - 3].word().is_some() {
        start_of_path(source, at - 3)
    } else {
        at
    }
}

/// The summaries that are written to the field at `at`.
fn written_at(sources: &[Source], source: &Source, at: usize) -> Found {
    if !source.is_word(Some(at), "summary") || !source.follows(at, ".") {
        return Ok(Vec::new());
    }
    let mut start = at;
    while start >= 2 && source.follows(start, ".") && source.tokens[start - 2].word().is_some() {
        start -= 2;
    }
    if source.is_word(start.checked_sub(1), "mut") {
        let is_cloned = start >= 6 && source.is_word(Some(start - 4), "clone_into") && source.follows(start - 4, ".");
        if is_cloned {
            return resolve(sources, source, at, &source.tokens[start - 6..start - 5]);
        }
        return Err("a summary is changed".to_owned());
    }
    if source.is_mark(Some(at + 1), '=') && !source.is_mark(Some(at + 2), '=') {
        let rest = &source.tokens[at + 2..];
        return resolve(sources, source, at, split(rest, ';')[0]);
    }
    let reads = ["as_str", "clone", "contains", "is_empty", "len", "starts_with"];
    let is_read = source.is_mark(Some(at + 1), '.') && reads.iter().any(|name| source.is_word(Some(at + 2), name));
    let is_passed = [',', ')', ']', '}', ';', '=']
        .iter()
        .any(|mark| source.is_mark(Some(at + 1), *mark));
    if is_read || is_passed {
        return Ok(Vec::new());
    }
    Err("a summary is changed".to_owned())
}

/// The texts that an expression at `at` can have.
fn resolve(sources: &[Source], source: &Source, at: usize, expression: &[Token]) -> Found {
    match expression {
        [text] if matches!(text.kind, Kind::Text(_)) => Ok(texts(text, |text| text.to_owned())),
        [format, mark, open, text, ..]
            if format.is_word("format")
                && mark.is_mark('!')
                && open.is_mark('(')
                && closing(expression, 2) + 1 == expression.len()
                && matches!(text.kind, Kind::Text(_)) =>
        {
            let texts = texts(text, without_placeholders);
            if texts.iter().any(|text| !text.contains(char::is_alphabetic)) {
                return Err("a summary has no words of its own".to_owned());
            }
            Ok(texts)
        }
        [name] => match name.word() {
            Some(name) if name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') => {
                constant(sources, source, name)
            }
            Some(name) => variable(sources, source, at, name, None),
            None => Err("its form is not known".to_owned()),
        },
        [name, dot, index] if dot.is_mark('.') => {
            let index = index.word().and_then(|index| index.parse().ok());
            let index: usize = index.ok_or("it is a field")?;
            variable(sources, source, at, name.word().unwrap_or_default(), Some(index))
        }
        _ => Err("its form is not known".to_owned()),
    }
}

fn texts(token: &Token, shown: impl Fn(&str) -> String) -> Vec<String> {
    match &token.kind {
        Kind::Text(text) => vec![shown(text)],
        Kind::Word(_) | Kind::Mark(_) => Vec::new(),
    }
}

/// What `format!` makes of a text, with `…` for each value.
fn without_placeholders(text: &str) -> String {
    let mut shown = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if ['{', '}'].contains(&letter) && letters.next_if_eq(&letter).is_some() {
            shown.push(letter);
        } else if letter == '{' {
            letters.by_ref().find(|letter| *letter == '}');
            shown.push('…');
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A constant of this file, or else of any other.
fn constant(sources: &[Source], source: &Source, name: &str) -> Found {
    let values = |source: &Source| {
        let mut values = Vec::new();
        for at in 0..source.tokens.len() {
            if source.is_word(Some(at), "const") && source.is_word(Some(at + 1), name) {
                let declaration = split(&source.tokens[at..], ';')[0];
                let value = split(declaration, '=');
                let value = value.get(1).and_then(|value| value.first());
                values.extend(value.map_or(Vec::new(), |value| texts(value, str::to_owned)));
            }
        }
        values
    };
    let mut found = values(source);
    if found.is_empty() {
        found = sources.iter().flat_map(values).collect();
    }
    if found.is_empty() {
        return Err(format!("the constant {name} is not found as a text"));
    }
    Ok(found)
}

/// A variable of the function around `at`, or a part of one.
fn variable(sources: &[Source], source: &Source, at: usize, name: &str, part: Option<usize>) -> Found {
    let not_found = || format!("{name} is neither a parameter nor a variable whose texts can be told");
    let function = (0..at).rev().find(|at| {
        let is_named = source.get(Some(at + 1)).is_some_and(|name| name.word().is_some());
        source.is_word(Some(*at), "fn") && is_named
    });
    let function = function.ok_or_else(not_found)?;
    for start in (function..at).rev().filter(|start| source.is_word(Some(*start), "let")) {
        if source.is_word(start.checked_sub(1), "if") || source.is_word(start.checked_sub(1), "while") {
            continue;
        }
        let statement = split(&source.tokens[start + 1..], ';')[0];
        let Some(equals) = statement.iter().position(|token| token.is_mark('=')) else {
            continue;
        };
        let (pattern, value) = (&statement[..equals], &statement[equals + 1..]);
        let end = start + 1 + statement.len();
        if pattern[0].is_word(name) {
            source.is_untouched(name, end, at)?;
            return match part {
                None => resolve(sources, source, start, value),
                Some(part) => parts(sources, source, start, value, part),
            };
        }
        if pattern[0].is_mark('(') {
            let names = split(&pattern[1..closing(pattern, 0)], ',');
            let index = names
                .iter()
                .position(|part| matches!(part, [only] if only.is_word(name)));
            if let (Some(index), None) = (index, part) {
                source.is_untouched(name, end, at)?;
                return parts(sources, source, start, value, index);
            }
        }
    }
    if part.is_some() {
        return Err(not_found());
    }
    let open = (function..at).find(|at| source.is_mark(Some(*at), '('));
    let open = open.ok_or_else(not_found)?;
    let parameters = source.arguments(open);
    let mut names = parameters.iter().map(|parameter| parameter.first());
    let index = names.position(|first| first.is_some_and(|first| first.is_word(name)));
    let has_self = parameters[0].iter().any(|token| token.is_word("self"));
    let (Some(index), false) = (index, has_self) else {
        return Err(not_found());
    };
    source.is_untouched(name, closing(&source.tokens, open), at)?;
    let called = source.tokens[function + 1].word().unwrap_or_default();
    of_callers(sources, source, called, index)
}

/// The texts of one part of all tuples that a value can be.
fn parts(sources: &[Source], source: &Source, at: usize, value: &[Token], index: usize) -> Found {
    let mut found = Vec::new();
    for open in 0..value.len() {
        let is_after = |back: usize, mark: char| open >= back && value[open - back].is_mark(mark);
        let is_called = open > 0
            && (value[open - 1].word().is_some()
                || is_after(1, '!')
                || is_after(1, ')')
                || (is_after(1, '>') && !is_after(2, '=')));
        if !value[open].is_mark('(') || is_called {
            continue;
        }
        let end = closing(value, open);
        let is_pattern = value.get(end + 1).is_some_and(|next| next.is_mark('='));
        let elements = split(&value[open + 1..end], ',');
        if !is_pattern && elements.len() > 1 {
            let element = elements.get(index).ok_or("a tuple has too few parts")?;
            found.extend(resolve(sources, source, at, element)?);
        }
    }
    if found.is_empty() {
        return Err("no tuple has its text".to_owned());
    }
    Ok(found)
}

/// The texts of one argument in all calls of a function: those in its file, and those as `module::function(…)`.
fn of_callers(sources: &[Source], callee: &Source, function: &str, index: usize) -> Found {
    let module = callee.module();
    let mut found = Vec::new();
    for source in sources {
        for at in 0..source.tokens.len() {
            let is_imported = source.is_word(Some(at), &module)
                && source.is_mark(Some(at + 1), ':')
                && source.is_mark(Some(at + 2), ':')
                && match source.get(Some(at + 3)).map(|token| &token.kind) {
                    Some(Kind::Mark('{')) => {
                        let group = &source.tokens[at + 3..closing(&source.tokens, at + 3)];
                        group.iter().any(|token| token.is_word(function) || token.is_mark('*'))
                    }
                    Some(Kind::Mark('*')) => true,
                    Some(Kind::Mark(_) | Kind::Word(_) | Kind::Text(_)) | None => false,
                };
            if is_imported {
                return Err(format!("{}: call it as {module}::{function}", source.file));
            }
            if !source.is_word(Some(at), function) || source.is_word(at.checked_sub(1), "fn") {
                continue;
            }
            let is_path = source.follows(at, "::");
            let is_meant = if is_path {
                source.is_word(at.checked_sub(3), &module)
            } else {
                source.file == callee.file && !source.follows(at, ".")
            };
            if !is_meant {
                continue;
            }
            if !source.is_mark(Some(at + 1), '(') {
                return Err(format!("{}: {function} is not called where it is named", source.file));
            }
            let arguments = source.arguments(at + 1);
            let argument = arguments.get(index).ok_or("a call has too few arguments")?;
            found.extend(resolve(sources, source, at, argument)?);
        }
    }
    if found.is_empty() {
        return Err(format!("no call of {function} is found"));
    }
    Ok(found)
}

#[track_caller]
fn check(body: &str, expected: Result<&[&str], &str>) {
    let helpers = Source::of(
        "src/helpers.rs",
        "pub const A: &str = \"of a constant\";\n\
         pub fn wrap(x: u8, summary: &str) -> Diagnostic { Diagnostic::warning(summary, \"\") }",
    );
    let source = Source::of("src/it.rs", &format!("fn f(detail: String) {{ {body} }}"));
    let sources = [source, helpers];
    let (summaries, unrecognised) = collect(&sources);
    let texts = summaries.iter().map(|summary| summary.text.as_str());
    let texts: Vec<&str> = texts.collect();
    let unrecognised: Vec<&String> = unrecognised
        .iter()
        .filter(|place| !place.contains("no call of wrap"))
        .collect();
    match expected {
        Ok(expected) => {
            assert!(unrecognised.is_empty(), "{body}: {unrecognised:?}");
            assert_eq!(texts, expected, "{body}");
        }
        Err(why) => assert!(
            unrecognised.iter().any(|place| place.contains(why)),
            "{body}: {unrecognised:?}"
        ),
    }
}

#[test]
fn summaries_are_read_from_the_forms_that_the_sources_have() {
    check("Diagnostic::error(\"Plain\", detail);", Ok(&["Plain"]));
    check(
        "Diagnostic::error(format!(\"A {noun:?} of {}\", x), detail);",
        Ok(&["A … of …"]),
    );
    check("Diagnostic::warning(A, detail);", Ok(&["of a constant"]));
    check(
        "let s = format!(\"{x} b\"); p(Diagnostic::error(s, detail));",
        Ok(&["… b"]),
    );
    check(
        "let p = match x { Y(1, 2) => (\"One\", f(1, 2)), _ => (\"Two\", \"\") }; Diagnostic::error(p.0, p.1);",
        Ok(&["One", "Two"]),
    );
    check(
        "let (t, d) = if x { (\"One\", 1) } else { (\"Two\", 2) }; Diagnostic::error(t, d);",
        Ok(&["One", "Two"]),
    );
    check("helpers::wrap(1, \"Passed\");", Ok(&["Passed"]));
    check("A.clone_into(&mut problem.summary);", Ok(&["of a constant"]));
    check("problem.summary = \"Set\".into();", Err("not known"));
    check(
        "p(Diagnostic { path, ..Diagnostic::error(\"Plain\", detail) });",
        Ok(&["Plain"]),
    );
}

#[test]
fn a_summary_that_cannot_be_told_is_a_failure() {
    check("Diagnostic::error(title(), detail);", Err("not known"));
    check("Diagnostic::error(\"a\".to_owned() + x, detail);", Err("not known"));
    check("Diagnostic::error(self.title, detail);", Err("a field"));
    check("Diagnostic::error(other, detail);", Err("neither"));
    check("Diagnostic::error(format!(\"{x}: {y}\"), detail);", Err("no words"));
    check("Diagnostic::error(MISSING, detail);", Err("MISSING"));
    check("x.map_err(Diagnostic::error);", Err("not called"));
    check("Diagnostic::titled(\"A\");", Err("titled"));
    check("Diagnostic { summary: title, ..other };", Err("from its parts"));
    check("use crate::plugin::Diagnostic as D;", Err("another name"));
    check("type D = Diagnostic;", Err("another name"));
    check("impl Diagnostic { }", Err("outside"));
    check("problem.summary.push_str(x);", Err("changed"));
    check("x.clone_into(&mut problem.summary);", Err("neither"));
    check("helpers::wrap(1, title());", Err("not known"));
    check(
        "let s = \"a\"; x.map(|s| Diagnostic::error(s, detail));",
        Err("may have changed"),
    );
    check("use helpers::{self, wrap};", Err("helpers::wrap"));
    check(
        "let p = if x { (\"One\", 1) } else { (y(), 2) }; Diagnostic::error(p.0, p.1);",
        Err("not known"),
    );
}

#[test]
fn a_row_explains_the_summaries_of_its_words() {
    for (row, summary, expected) in [
        ("Unknown choice", "Unknown choice", true),
        ("Unknown choice", "Unknown choices", false),
        ("The … already exists", "The … already exists", true),
        ("The … already exists", "The repository already exists", true),
        ("The … already exists", "The … already existed", false),
        ("The … … was lost", "The … was lost", false),
        ("The … was lost", "The … … was lost", true),
        ("… was not kept", "was not kept", false),
        ("The role was lost", "The … was lost", false),
        ("Several …", "Several objects to import", false),
        ("Could not …", "Could not … the … of … …", true),
        ("…", "Anything", false),
    ] {
        assert_eq!(covers(row, summary), expected, "{row} for {summary}");
    }
    let page = "| message | cause |\n|---|---|\n| `a`, *b* | `c` |\n\n| code | cause |\n|---|---|\n| `d` | `e` |\n";
    assert_eq!(messages(page), ["a"]);
}
