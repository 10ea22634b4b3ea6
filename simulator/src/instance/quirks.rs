//! What a real instance makes of records beyond storing them: each quirk is a switch of its own, off at the start.

use std::collections::BTreeSet;

use crate::instance::schema::{Column, Kind};
use crate::instance::store::{Record, Rows, owned, value};
use crate::instance::write_context::{Platform, Refused, Via};

/// The quirks. Every field may change while the instance runs.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    /// Blanks and line breaks at both ends of a text go when it is written.
    /// Facts: `texts-are-kept`.
    pub trims: bool,
    /// What a line break in a text becomes when it is written.
    /// Facts: `texts-are-kept`.
    pub line_endings: LineEndings,
    /// A text is cut at the length of its column when it is written.
    /// Facts: `texts-are-cut`.
    pub truncates: bool,
    /// `=`, `IN` and unique keys tell neither case nor trailing blanks apart, and no other comparison tells case apart.
    ///
    /// ServiceNow's page on REST says that values in queries are case-sensitive; pages of others say that most comparisons
    /// are not, as on the data bases below a real instance. Off at the start: the vendor's word goes first, and a client
    /// that relies on case being ignored then fails here. One that relies on case being told apart fails with this on.
    /// Facts: `equality-and-case`.
    pub ignores_case: bool,
    /// How answers spell `sys_id`s, references, and texts that are GUIDs. Either is found in either spelling.
    /// Facts: `ids-are-lower-case`.
    pub id_case: IdCase,
    /// Columns (table, column) whose text a business rule lower-cases.
    /// Facts: `business-rules-change-values`.
    pub lower_cased: BTreeSet<(String, String)>,
    /// Columns (table, column) whose text a business rule writes in capitals.
    /// Facts: `business-rules-change-values`.
    pub upper_cased: BTreeSet<(String, String)>,
    /// Business rules that set a column when another is written.
    /// Facts: `business-rules-change-values`.
    pub beside: Vec<Beside>,
    /// A privilege is filed into its source application, whichever was sent.
    /// Facts: `privileges-belong-to-the-source`.
    pub privileges_follow_source: bool,
    /// Roles, by name, whose grant over REST is refused with 403.
    /// Facts: `role-grants-over-rest`.
    pub refused_roles: BTreeSet<String>,
    /// Who is granted a role joins the group "Conditional Script Writer", which has a role of its own.
    /// Facts: `script-writers-group`.
    pub adds_script_writers: bool,
    /// A `sys_id` that an insert over REST carries is not used, without a word.
    /// Facts: `sys-id-may-be-chosen`.
    pub ignores_chosen_ids: bool,
    /// A second row that links the same two records is kept: a member of a group, a role of a group or of a role.
    /// Facts: `links-are-kept-once`.
    pub keeps_second_links: bool,
    /// Tables of which the rows are counted and not shown. Single rows: `Switches::hidden_rows`.
    /// Facts: `hidden-rows-are-counted`.
    pub hidden_tables: BTreeSet<String>,
    /// Tables that neither count nor show their rows when they are asked, as after a query business rule. The table that one
    /// extends still does.
    /// Facts: `lists-are-counted`, `application-files-have-a-common-table`.
    pub uncounted_tables: BTreeSet<String>,
    /// Records, by `sys_id`, that are neither counted nor shown.
    /// Facts: `lists-are-counted`.
    pub uncounted_rows: BTreeSet<String>,
    /// Booleans, numbers and references come as JSON has them, whatever the request says.
    /// Facts: `values-are-text`, `references-are-bare-ids`.
    pub native_values: bool,
    /// How many lists after each write over REST are those from before it.
    /// Facts: `reads-follow-writes`.
    pub lists_lag: u32,
}

/// What a line break in a text becomes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LineEndings {
    /// It stays as it was sent.
    #[default]
    Kept,
    /// A line feed.
    Lf,
    /// A carriage return and a line feed.
    CrLf,
}

/// How ids are spelt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IdCase {
    /// As they are stored.
    #[default]
    Stored,
    /// In lower case.
    Lower,
    /// In capitals.
    Upper,
}

/// A business rule that sets a column when another is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Beside {
    /// Table on which it acts.
    pub table: String,
    /// The column that sets it off.
    pub written: String,
    /// The column that it sets.
    pub column: String,
    /// What it sets it to.
    pub value: String,
}

impl Beside {
    /// A rule of a table: a write of the one column sets the other one to a value.
    pub fn new(table: &str, written: &str, column: &str, value: &str) -> Self {
        Self {
            table: table.to_owned(),
            written: written.to_owned(),
            column: column.to_owned(),
            value: value.to_owned(),
        }
    }
}

impl Quirks {
    /// What a column stores of a text.
    pub(super) fn stored(&self, column: &Column, text: String) -> String {
        let (Kind::Text | Kind::Url | Kind::Email) = column.kind else {
            return if self.id_case != IdCase::Stored && column.kind.target().is_some() && is_sys_id(&text) {
                text.to_lowercase()
            } else {
                text
            };
        };
        let text = if self.trims { text.trim().to_owned() } else { text };
        let text = match self.line_endings {
            LineEndings::Kept => text,
            LineEndings::Lf => text.replace("\r\n", "\n"),
            LineEndings::CrLf => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        };
        if self.truncates {
            text.chars().take(column.max_length).collect()
        } else {
            text
        }
    }

    /// What an answer says in place of a text.
    pub(super) fn shown(&self, text: String) -> String {
        match self.id_case {
            IdCase::Lower if is_id(&text) => text.to_lowercase(),
            IdCase::Upper if is_id(&text) => text.to_uppercase(),
            IdCase::Stored | IdCase::Lower | IdCase::Upper => text,
        }
    }

    /// A `sys_id` as it is stored.
    pub(super) fn sys_id(&self, given: &str) -> String {
        if self.id_case != IdCase::Stored && is_sys_id(given) {
            given.to_lowercase()
        } else {
            given.to_owned()
        }
    }

    /// Whether two texts are equal to a unique key.
    pub(super) fn is_same_key(&self, one: &str, other: &str) -> bool {
        one == other || (self.ignores_case && folded(one) == folded(other))
    }

    /// Whether nobody may grant the role over REST.
    pub(super) fn refuses_grant(&self, rows: &Rows, grant: &Record) -> bool {
        let role = rows.having("sys_user_role", "sys_id", value(grant, "role")).next();
        role.is_some_and(|role| self.refused_roles.contains(value(role, "name")))
    }

    /// Whether a record is neither counted nor shown.
    pub(super) fn is_uncounted(&self, table: &str, record: &Record) -> bool {
        self.uncounted_tables.contains(table) || self.uncounted_rows.contains(value(record, "sys_id"))
    }
}

/// A text as a comparison sees it that tells neither case nor trailing blanks apart.
pub(super) fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

/// The business rules that change what is about to be stored.
pub(super) fn before_write(platform: &Platform<'_>, class: &str, record: &mut Record, sent: &Record) {
    let quirks = &platform.modes.quirks;
    let is_on = |table: &str| platform.schema.is_a(class, table);
    for (_, column) in quirks.lower_cased.iter().filter(|(table, _)| is_on(table)) {
        let text = value(record, column).to_lowercase();
        record.insert(column.clone(), text);
    }
    for (_, column) in quirks.upper_cased.iter().filter(|(table, _)| is_on(table)) {
        let text = value(record, column).to_uppercase();
        record.insert(column.clone(), text);
    }
    for rule in quirks.beside.iter().filter(|rule| is_on(&rule.table)) {
        if sent.contains_key(&rule.written) {
            record.insert(rule.column.clone(), rule.value.clone());
        }
    }
    if quirks.privileges_follow_source && class == "sys_scope_privilege" {
        let source = value(record, "source_scope").to_owned();
        record.insert("sys_scope".to_owned(), source.clone());
        record.insert("sys_package".to_owned(), source);
    }
}

/// The business rules that follow an insert.
pub(super) fn after_insert(platform: &mut Platform<'_>, class: &str, record: &Record) -> Result<(), Refused> {
    let is_grant = class == "sys_user_has_role" && value(record, "inherited") != "true";
    if !is_grant || !platform.modes.quirks.adds_script_writers {
        return Ok(());
    }
    let user = value(record, "user");
    let (via, user_name) = (platform.via, platform.user_name);
    // The platform's own writes: no access rule of the caller's acts on them.
    platform.via = Via::Form;
    platform.user_name = "system";
    let joined = join_script_writers(platform, user);
    (platform.via, platform.user_name) = (via, user_name);
    joined
}

fn join_script_writers(platform: &mut Platform<'_>, user: &str) -> Result<(), Refused> {
    let mut having = |class: &'static str, values: &[(&str, &str)]| -> Result<String, Refused> {
        let is_there = |row: &&Record| values.iter().all(|(column, text)| value(row, column) == *text);
        if let Some(row) = platform.rows.of_class(class).find(is_there) {
            return Ok(value(row, "sys_id").to_owned());
        }
        let made = platform.insert(class, &owned(values))?;
        Ok(value(&made, "sys_id").to_owned())
    };
    let role = having("sys_user_role", &[("name", SCRIPT_ROLE)])?;
    let group = having("sys_user_group", &[("name", SCRIPT_WRITERS)])?;
    having("sys_group_has_role", &[("group", &group), ("role", &role)])?;
    having("sys_user_grmember", &[("group", &group), ("user", user)])?;
    Ok(())
}

/// The group that the platform fills by itself since Zurich, and the role that comes with it.
const SCRIPT_WRITERS: &str = "Conditional Script Writer";
const SCRIPT_ROLE: &str = "snc_required_script_writer_permission";

fn is_id(text: &str) -> bool {
    is_sys_id(text) || is_guid(text)
}

fn is_sys_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
