//! Which file of a crate imports which, read from its `use` declarations and paths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module by its path below the crate: `["instance", "store"]`.
type Module = Vec<String>;

/// The files of a crate and what they import of each other, code for tests left out.
pub(crate) struct Imports {
    /// For each module with a file of its own, the modules that it imports.
    pub(crate) of: BTreeMap<Module, BTreeSet<Module>>,
}

struct File {
    /// Child modules with a file of their own.
    children: BTreeSet<String>,
    /// Absolute paths, by the name that they have in this file.
    names: BTreeMap<String, Module>,
    /// Absolute paths that the file uses.
    uses: Vec<Module>,
}

impl Imports {
    /// Of the crate whose `lib.rs` or `main.rs` stands in `root`.
    pub(crate) fn of_crate(root: &Path) -> Imports {
        let files: BTreeMap<Module, File> = super::sources(root)
            .iter()
            .filter(|path| !path.ends_with("main.rs"))
            .map(|path| {
                let module = module_of(path.strip_prefix(root).unwrap());
                let file = Reader::read(&module, &fs::read_to_string(path).unwrap());
                (module, file)
            })
            .collect();
        let of = files.iter().map(|(module, file)| {
            let targets = file.uses.iter().filter_map(|path| defined_in(&files, path, 8));
            (module.clone(), targets.filter(|target| target != module).collect())
        });
        Imports { of: of.collect() }
    }

    /// The files that import each other, directly or through others, in groups of more than one.
    pub(crate) fn rings(&self) -> Vec<Vec<String>> {
        groups(&self.of)
    }

    /// The folders that import each other. `x.rs` belongs to the folder `x/` beside it; a folder may import what
    /// contains it, and the other way round.
    pub(crate) fn folder_rings(&self) -> Vec<Vec<String>> {
        let folders: BTreeSet<&[String]> = self
            .of
            .keys()
            .filter_map(|module| Some(module.split_last()?.1))
            .collect();
        let mut between: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, targets) in &self.of {
            for target in targets {
                let (from, to) = (folder(&folders, module), folder(&folders, target));
                let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
                if common < from.len() && common < to.len() {
                    let of_from = between.entry(from[..=common].to_vec()).or_default();
                    of_from.insert(to[..=common].to_vec());
                }
            }
        }
        groups(&between)
    }
}

fn folder<'a>(folders: &BTreeSet<&[String]>, module: &'a [String]) -> &'a [String] {
    match module.split_last() {
        Some((_, above)) if !folders.contains(module) => above,
        _ => module,
    }
}

/// `instance/store.rs` is `instance::store`.
fn module_of(file: &Path) -> Module {
    let mut module: Module = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(module.last().map(String::as_str), Some("lib" | "mod")) {
        module.pop();
    }
    module
}

/// The module whose file defines what this path names, through re-exports.
fn defined_in(files: &BTreeMap<Module, File>, path: &[String], steps: usize) -> Option<Module> {
    let length = (0..=path.len())
        .rev()
        .find(|length| files.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    if let Some((name, rest)) = rest.split_first()
        && let Some(target) = files[module].names.get(name)
        && steps > 0
    {
        return defined_in(files, &[target, rest].concat(), steps - 1);
    }
    Some(module.to_vec())
}

/// The groups of nodes that reach each other.
fn groups(graph: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<String>> {
    let reached = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for next in graph.get(node).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = graph.keys().map(|node| (node, reached(node))).collect();
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut grouped = BTreeSet::new();
    for node in graph.keys() {
        let ring: Vec<&Module> = reach[node]
            .iter()
            .copied()
            .filter(|other| reach.get(other).is_some_and(|back| back.contains(node)))
            .collect();
        if ring.len() > 1 && grouped.insert(ring[0]) {
            found.push(ring.iter().map(|module| module.join("::")).collect());
        }
    }
    found
}

/// Reads the paths of one file.
struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    module: &'a Module,
    /// The module in whose braces the reader is, and the depth at which each `mod name {` inside the file opened.
    inline: Vec<(String, usize)>,
    depth: usize,
    /// Whether the `use` that is being read is a `pub use`.
    is_reexport: bool,
    file: File,
}

impl Reader<'_> {
    fn read(module: &Module, text: &str) -> File {
        let tokens = tokens(text);
        let children = tokens
            .windows(3)
            .filter(|three| three[0] == "mod" && three[2] == ";")
            .map(|three| three[1].clone())
            .collect();
        let mut reader = Reader {
            tokens,
            at: 0,
            module,
            inline: Vec::new(),
            depth: 0,
            is_reexport: false,
            file: File {
                children,
                names: BTreeMap::new(),
                uses: Vec::new(),
            },
        };
        while reader.at < reader.tokens.len() {
            reader.step();
        }
        reader.file
    }

    fn token(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    fn is_next(&self, wanted: &[&str]) -> bool {
        (0..).zip(wanted).all(|(ahead, token)| self.token(ahead) == *token)
    }

    fn step(&mut self) {
        if self.is_next(&["#", "[", "cfg", "(", "test", ")", "]"]) {
            self.at += 7;
            return self.skip_item();
        }
        if self.token(0) == "mod" && self.token(2) == "{" {
            self.inline.push((self.token(1).to_owned(), self.depth));
        }
        match self.token(0) {
            "{" => self.depth += 1,
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                if self.inline.last().is_some_and(|(_, depth)| *depth == self.depth) {
                    self.inline.pop();
                }
            }
            "use" => {
                let before = self.at.checked_sub(1).map_or("", |at| self.tokens[at].as_str());
                self.is_reexport = matches!(before, "pub" | ")");
                self.at += 1;
                return self.read_use(Vec::new());
            }
            // A visibility: `pub(in super::super)`.
            "(" if self.token(1) == "in" && self.at > 0 && self.tokens[self.at - 1] == "pub" => {
                while self.token(0) != ")" {
                    self.at += 1;
                }
            }
            name if self.token(1) == "::"
                && (self.at == 0 || self.tokens[self.at - 1] != "::")
                && (matches!(name, "crate" | "super" | "self") || self.file.children.contains(name)) =>
            {
                let path = self.read_path();
                if let Some(path) = self.absolute(&path) {
                    self.file.uses.push(path);
                }
                return;
            }
            _ => {}
        }
        self.at += 1;
    }

    /// Past the item that follows: to its semicolon, or over its braces.
    fn skip_item(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.token(0) {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            let is_end = depth == 0 && matches!(self.token(0), ";" | "}");
            self.at += 1;
            if is_end {
                return;
            }
        }
    }

    fn read_path(&mut self) -> Module {
        let mut path = vec![self.token(0).to_owned()];
        self.at += 1;
        while self.token(0) == "::"
            && self
                .token(1)
                .starts_with(|first: char| first.is_alphabetic() || first == '_')
        {
            path.push(self.token(1).to_owned());
            self.at += 2;
        }
        path
    }

    /// One branch of a `use`, whose beginning is `above`.
    fn read_use(&mut self, above: Module) {
        let mut path = above;
        loop {
            match self.token(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.token(0), "}" | "") {
                        self.read_use(path.clone());
                        if self.token(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "::" => self.at += 1,
                "as" => {
                    let name = self.token(1).to_owned();
                    self.at += 2;
                    return self.import(&path, &name);
                }
                "*" => {
                    self.at += 1;
                    return self.import(&path, "*");
                }
                "," | "}" | ";" | "" => {
                    if path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    let name = path.last().cloned().unwrap_or_default();
                    return self.import(&path, &name);
                }
                segment => {
                    path.push(segment.to_owned());
                    self.at += 1;
                }
            }
        }
    }

    fn import(&mut self, path: &[String], name: &str) {
        let Some(target) = self.absolute(path) else {
            return;
        };
        if self.inline.is_empty() && self.depth == 0 && name != "*" {
            self.file.names.insert(name.to_owned(), target.clone());
        }
        // A module that offers what its children define does not use it.
        if !(self.is_reexport && target.starts_with(self.module)) {
            self.file.uses.push(target);
        }
    }

    /// `None` for what is of another crate.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let mut here = self.module.clone();
        here.extend(self.inline.iter().map(|(name, _)| name.clone()));
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" => rest = &path[1..],
            "super" => {
                while let Some((first, after)) = rest.split_first()
                    && first == "super"
                {
                    here.pop();
                    rest = after;
                }
            }
            name if self.file.children.contains(name) => {}
            _ => return None,
        }
        here.extend_from_slice(rest);
        Some(here)
    }
}

/// Names and signs of a source text, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if let Some(comment) = rest.strip_prefix("//") {
            2 + comment.find('\n').unwrap_or(comment.len())
        } else if let Some(comment) = rest.strip_prefix("/*") {
            2 + comment.find("*/").map_or(comment.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            let length = rest.find(|next: char| !next.is_alphanumeric() && next != '_');
            let length = length.unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the text or character literal that begins here.
fn literal(text: &str) -> Option<usize> {
    let raw = text.strip_prefix('b').unwrap_or(text);
    if let Some(after) = raw.strip_prefix('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        if after[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = text.len() - after.len() + hashes + 1;
            return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
        }
        return None;
    }
    let mut characters = text.char_indices();
    match text.chars().next()? {
        quote @ '"' => {
            characters.next();
            while let Some((at, next)) = characters.next() {
                if next == '\\' {
                    characters.next();
                } else if next == quote {
                    return Some(at + 1);
                }
            }
            Some(text.len())
        }
        // A lifetime has no closing quote.
        '\'' => {
            characters.next();
            let (_, first) = characters.next()?;
            if first == '\\' {
                return Some(2 + text[2..].char_indices().skip(1).find(|(_, next)| *next == '\'')?.0 + 1);
            }
            characters
                .next()
                .filter(|(_, next)| *next == '\'')
                .map(|(at, _)| at + 1)
        }
        _ => None,
    }
}
