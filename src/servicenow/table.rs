//! What a table and a column are to this client.

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;

use crate::sync::lock;

/// A table of the instance, with what is known of the rights and the release it needs.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    name: &'static str,
    role: &'static str,
    comes_with: Option<&'static str>,
}

impl Table {
    /// A table by its wire name, and the role that usually may change its rows.
    pub(super) const fn new(name: &'static str, role: &'static str) -> Table {
        Table {
            name,
            role,
            comes_with: None,
        }
    }

    /// A table that the user names. Nothing is known of the rights that it asks for.
    ///
    /// `None` when the text cannot be a table's name. Names live as long as the process, which is one run of Terraform.
    pub fn named(name: &str) -> Option<Table> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && name.chars().all(fits);
        (is_name && name.len() <= LONGEST_NAME)
            .then(|| Table::new(interned(name), "a role that its access rules (ACL) ask for"))
    }

    /// Names the plugin or release that brings the table, for the error of an instance that lacks it.
    pub(super) const fn comes_with(mut self, what: &'static str) -> Table {
        self.comes_with = Some(what);
        self
    }

    /// The wire name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The role that an account most likely lacks when the table refuses it (facts of the vendor's documentation).
    pub const fn role(&self) -> &'static str {
        self.role
    }

    /// The plugin or release that brings the table, where it is not in every instance.
    pub const fn origin(&self) -> Option<&'static str> {
        self.comes_with
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Table) -> bool {
        self.name == other.name
    }
}

impl Eq for Table {}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// A column of a table: its wire name and how its values are to be read and compared.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Column {
    name: &'static str,
    kind: ColumnKind,
    newer: bool,
    unique: bool,
}

impl Column {
    pub(super) const fn new(name: &'static str, kind: ColumnKind) -> Column {
        Column {
            name,
            kind,
            newer: false,
            unique: false,
        }
    }

    /// A column that the user or the instance names. `None` when the text cannot be a column's name.
    pub fn named(name: &str, kind: ColumnKind) -> Option<Column> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(fits);
        (is_name && name.len() <= LONGEST_NAME).then(|| Column::new(interned(name), kind))
    }

    /// A column, or one of a record that others refer to, by its path: `manager.user_name`. `None` when the text cannot be one.
    pub fn path(path: &str, kind: ColumnKind) -> Option<Column> {
        let is_path = path.split('.').all(|name| Column::named(name, kind).is_some());
        is_path.then(|| Column::new(interned(path), kind))
    }

    /// A column of a record that others refer to: `super_class.name`. Made of names that are known to be ones.
    pub(super) fn walked(path: &str, kind: ColumnKind) -> Column {
        Column::new(interned(path), kind)
    }

    /// Marks a column in which the instance itself refuses a value that another record has.
    pub(super) const fn unique(mut self) -> Column {
        self.unique = true;
        self
    }

    /// Marks a column that older releases do not have: when it stays away, that is the likely reason.
    pub(super) const fn newer(mut self) -> Column {
        self.newer = true;
        self
    }

    /// The wire name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How its values are read and compared.
    pub const fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// Whether older releases lack the column.
    pub const fn is_newer(&self) -> bool {
        self.newer
    }

    /// Whether the instance refuses a second record with a value of the column.
    pub const fn is_unique(&self) -> bool {
        self.unique
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How the values of a column are to be read and compared. On the wire all of them are text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ColumnKind {
    /// Text, including choices. Neither blanks at the ends nor the spelling of line ends count, nor the case of GUIDs.
    Text,
    /// An e-mail address, in any case.
    Email,
    /// An address; compared after parsing, so that a missing `/` after the host does not count.
    Url,
    /// An IPv4 or IPv6 address; compared as one, since IPv6 has several spellings of it.
    IpAddress,
    /// `true` or `false`; empty is false.
    Bool,
    Integer,
    /// A number with a fraction; compared as one.
    Decimal,
    /// The sys_id of another record, or `global` in `sys_scope`.
    Reference,
    /// Never read back in clear, whatever the instance answers.
    Secret,
    /// `2026-01-31 23:59:59`, UTC.
    DateTime,
}

/// A name that is kept for the life of the process, once however often it is given.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = lock(&NAMES);
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = name.to_owned().leak();
    names.insert(kept);
    kept
}

/// Of a table or a column, characters.
const LONGEST_NAME: usize = 80;
