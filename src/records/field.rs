//! An attribute and the column that holds it, declared once: schema, conversion, import, and the columns to read follow.

use std::collections::BTreeSet;

use crate::plugin::schema::{Presence, TextEquality, validate};
use crate::plugin::{Attribute, Diagnostic, Object, Path, Plan, Reading, Validator, Value};
use crate::records::application_scope::{self, APPLICATION};
use crate::records::name_set::NameSet;
use crate::records::reference::{self, Target};
use crate::records::write_only_secret::SecretNames;
use crate::records::{choice, diagnostics};
use crate::servicenow::tables::every;
use crate::servicenow::{
    Cell, Column, ColumnKind, InputMode, LinkTable, Query, QueryError, Record, Row, Session, SysId, Table,
    Value as Wire, means_the_same,
};

/// An attribute, and where its value is on the instance.
pub(crate) struct Field {
    /// One; the two of a reference; the three of a secret.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) source: Source,
    /// While this attribute has a value, the state does not follow the column.
    unless: Option<&'static str>,
    /// The dot-walked column with the name of the record that a reference means.
    named_by: Option<Column>,
    /// What a configuration that does not name the attribute means.
    unnamed: Unnamed,
    /// Values that records have without anybody's doing: no configuration is written with one of them.
    usual: &'static [&'static str],
    /// Whether there are instances without the column, which drop what they are sent for it.
    is_newer: bool,
}

/// What becomes of an attribute that the configuration does not name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unnamed {
    /// It stays as it is on the instance, and the state does not follow it unless it had a value before.
    LeftAlone,
    /// It is not managed: its earlier value is restored.
    NotManaged,
    /// It has a value all the same: a default, or what the instance gives it.
    Kept,
}

/// Where the value of an attribute is.
#[expect(
    clippy::large_enum_variant,
    reason = "there are a few of them for each resource type, made once"
)]
pub(crate) enum Source {
    /// In a column of the record.
    Column(Column, Form),
    /// In a column that is written and never read back.
    Secret(SecretColumn),
    /// In the records that link this one to others.
    Names(NameSet),
    /// Nowhere on this record: local to Terraform, or filled by the resource itself.
    Local,
}

/// How the configuration writes a column's value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Stored,
    /// The label or the value of a choice of this table.
    Choice(Table),
    /// The name or the sys_id of another record, whose sys_id stands in an attribute of its own.
    Reference(Target),
}

/// A secret column, and how it is sent.
#[derive(Clone, Copy)]
pub(crate) struct SecretColumn {
    pub(crate) column: Column,
    pub(crate) names: SecretNames,
    /// [`InputMode::Stored`]: sent with the other columns; [`InputMode::Display`]: sent in a separate request.
    pub(crate) input: InputMode,
}

/// What a state already contains before it is filled from a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Known {
    /// What was planned for the write that the record shows the end of.
    Planned,
    /// What an earlier call read.
    Former,
    /// Nothing: the object is new to Terraform, and every value of the record is taken over.
    Nothing,
}

impl From<Reading> for Known {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::Refresh => Known::Former,
            Reading::Import => Known::Nothing,
        }
    }
}

impl Field {
    /// An attribute whose column has the configured value.
    pub(crate) fn new(column: Column, attribute: Attribute) -> Self {
        Self::of_column(column, Form::Stored, attribute)
    }

    /// An attribute that gives a choice of the table by its label or its value.
    pub(crate) fn choice(table: Table, column: Column, attribute: Attribute) -> Self {
        Self::of_column(column, Form::Choice(table), attribute)
    }

    /// An attribute that gives another record by its name or its sys_id.
    pub(crate) fn reference(target: Target, column: Column, id: &'static str, attribute: Attribute) -> Self {
        let id = reference::id_attribute(id, attribute.name, target);
        let mut field = Self::of_column(column, Form::Reference(target), attribute);
        field.attributes.push(id);
        field
    }

    /// The application that the record belongs to.
    pub(crate) fn application_scope() -> Self {
        let attribute = application_scope::attribute();
        Self::reference(APPLICATION, every::SYS_SCOPE, application_scope::ID, attribute)
    }

    /// The three attributes of a secret.
    pub(crate) fn secret(column: Column, names: SecretNames, input: InputMode, description: &str) -> Self {
        let description = format!("{description} Column `{column}`, which is never read back.");
        let attributes = Attribute::secret(names.all(), &description).into();
        Self::new_of(attributes, Source::Secret(SecretColumn { column, names, input }))
    }

    /// Names of the records that this one is linked to.
    pub(crate) fn names(links: LinkTable, granted: &'static str, attribute: Attribute) -> Self {
        let attribute_name = attribute.name;
        let attribute = attribute.check(validate::each(validate::not_blank()));
        let attribute = attribute.check(validate::each(key_text()));
        let noun = links.noun;
        let own = Attribute::texts(granted).computed().describe(format!(
            "Names of the {noun}s that Terraform added. Null after an import and for a state written by an older \
             version, because it is not known then; what is removed from the list is then kept."
        ));
        let names = NameSet {
            attribute: attribute_name,
            granted,
            links,
        };
        Self {
            unnamed: Unnamed::LeftAlone,
            ..Self::new_of(vec![attribute.optional_computed(), own], Source::Names(names))
        }
    }

    /// An attribute that has no column.
    pub(crate) fn local(attribute: Attribute) -> Self {
        Self::new_of(vec![attribute], Source::Local)
    }

    /// The record's key.
    pub(crate) fn id() -> Self {
        let attribute = Attribute::text("id").computed().stable();
        Self::local(attribute.describe("The record's `sys_id`."))
    }

    /// What stays as it is until the configuration names it.
    pub(crate) fn left_alone() -> Self {
        Self::local(Attribute::texts(LEFT_ALONE).computed().describe(
            "Names of arguments that an import or a move found with another value than the one they have when the \
             configuration omits them: they keep that value until the configuration sets them. Null for a record that \
             Terraform created.",
        ))
    }

    /// Time limits of the operations.
    pub(crate) fn timeouts() -> Self {
        Self::local(timeouts())
    }

    /// The state does not follow the column while the other attribute has a value.
    pub(crate) fn unless(mut self, other: &'static str) -> Self {
        self.unless = Some(other);
        self
    }

    /// The row of a reference tells the name of the record in this dot-walked column, so that no request asks for it.
    pub(crate) fn named_by(mut self, column: Column) -> Self {
        self.named_by = Some(column);
        self
    }

    /// The column is not managed while the configuration does not name the attribute, and was not read by an import.
    pub(crate) fn managed_when_named(mut self) -> Self {
        self.unnamed = Unnamed::NotManaged;
        self
    }

    /// Records have these values without anybody's doing, so that a configuration which is generated leaves them out.
    pub(crate) fn usually(mut self, usual: &'static [&'static str]) -> Self {
        self.usual = usual;
        self
    }

    /// There are instances without the column: they are found out before anything is written.
    pub(crate) fn where_there_is_one(mut self) -> Self {
        self.is_newer = true;
        self
    }

    fn of_column(column: Column, form: Form, mut attribute: Attribute) -> Self {
        attribute.description.push_str(&format!(" Column `{column}`."));
        let equality = equality(column.kind(), form, attribute.is_replacing());
        attribute.same_text = attribute.same_text.or(equality);
        let is_optional = attribute.presence == Presence::Optional && attribute.default.is_none();
        if is_optional {
            attribute = attribute.optional_computed();
        }
        Self {
            unnamed: if is_optional { Unnamed::LeftAlone } else { Unnamed::Kept },
            ..Self::new_of(vec![attribute], Source::Column(column, form))
        }
    }

    /// Followed and kept, whatever the configuration names.
    fn new_of(attributes: Vec<Attribute>, source: Source) -> Self {
        Self {
            attributes,
            source,
            unless: None,
            named_by: None,
            unnamed: Unnamed::Kept,
            usual: &[],
            is_newer: false,
        }
    }

    /// The same attribute, where it is only read: as a data source has it. None for what a record does not tell.
    pub(crate) fn into_computed(self) -> Option<Self> {
        let Source::Column(..) = self.source else { return None };
        let attributes = self.attributes.into_iter().map(Attribute::only_computed);
        Some(Self {
            named_by: self.named_by,
            ..Self::new_of(attributes.collect(), self.source)
        })
    }

    /// The attribute's name; of a secret that of the one in the state.
    pub(crate) fn name(&self) -> &'static str {
        self.attributes.first().map_or("", |attribute| attribute.name)
    }

    /// The name of the attribute with the sys_id beside a reference.
    fn id_name(&self) -> &'static str {
        self.attributes.get(1).map_or("", |attribute| attribute.name)
    }

    /// The attribute with the sys_id beside a reference.
    pub(crate) fn reference_id(&self) -> Option<&'static str> {
        matches!(self.source, Source::Column(_, Form::Reference(_))).then(|| self.id_name())
    }

    /// Whether another value of it is another record.
    pub(crate) fn is_replacing(&self) -> bool {
        self.attributes.first().is_some_and(Attribute::is_replacing)
    }

    /// Whether an object has a value of it that a configuration may not have, such as a number that an earlier release allowed.
    fn is_refused(&self, object: &Object) -> bool {
        let value = object.at(self.name());
        self.attributes.first().is_some_and(|attribute| {
            attribute.presence != Presence::Required
                && !value.is_null()
                && !attribute
                    .validators
                    .iter()
                    .all(|validator| validator.accepts(value, object))
        })
    }

    /// What the attribute refers to.
    pub(crate) fn target(&self) -> Option<Target> {
        match self.source {
            Source::Column(_, Form::Reference(target)) => Some(target),
            _ => None,
        }
    }

    /// The column that can be read.
    pub(crate) fn column(&self) -> Option<Column> {
        match self.source {
            Source::Column(column, _) => Some(column),
            Source::Secret(_) | Source::Names(_) | Source::Local => None,
        }
    }

    /// The column, where the configuration may give its value.
    pub(crate) fn key(&self) -> Option<Column> {
        self.column()
            .filter(|_| self.attributes.iter().any(Attribute::is_configurable))
    }

    /// The column's value for a text in the configuration.
    pub(crate) async fn key_to_wire(&self, session: &Session, value: &str) -> Result<Wire, Diagnostic> {
        let object = Object::new().with(self.name(), value);
        let wire = self.to_wire(session, &object).await?;
        Ok(wire.map_or_else(|| Wire::Text(value.to_owned()), |(_, wire)| wire))
    }

    /// The value of the attribute where the configuration names none.
    fn default(&self) -> Option<&Value> {
        self.column()?;
        self.attributes.first()?.default.as_ref()
    }

    /// What is sent for a value; nothing for one that is not known.
    async fn to_wire(&self, session: &Session, object: &Object) -> Result<Option<(Column, Wire)>, Diagnostic> {
        let Source::Column(column, form) = self.source else {
            return Ok(None);
        };
        let value = object.at(self.name());
        let wire = match (form, value) {
            (Form::Choice(table), Value::String(text)) => {
                let value = choice::to_wire(session, table, column, self.name(), text).await?;
                Some(Wire::Text(value))
            }
            (Form::Reference(_), Value::String(text)) if text.trim().is_empty() => Some(Wire::Text(String::new())),
            (Form::Reference(target), Value::String(text)) => Some(target.to_wire(session, self.name(), text).await?),
            _ => stored(column, value),
        };
        Ok(wire.map(|wire| (column, wire)))
    }

    /// Writes the column's value into the state. A column that cannot be read changes nothing.
    async fn read_into(
        &self,
        session: &Session,
        record: &Record,
        state: &mut Object,
        known: Known,
    ) -> Result<(), Diagnostic> {
        let Source::Column(column, form) = self.source else {
            return Ok(());
        };
        let name = self.name();
        match (form, record.text(column)) {
            (Form::Choice(table), Cell::Value(value)) => {
                let text = state.text(name).filter(|_| known != Known::Nothing);
                let text = choice::from_wire(session, table, column, text, value).await?;
                state.set(name, text);
            }
            (Form::Reference(target), Cell::Value(value)) => {
                let id = self.id_name();
                let shown = self.named_by.and_then(|column| record.text(column).value());
                let is_known = match (known, state.text(name)) {
                    (Known::Planned, Some(_)) => true,
                    (Known::Former, Some(text)) if state.text(id) == Some(value) && SysId::parse(text).is_err() => {
                        let is_shown = shown.is_some_and(|shown| shown.trim().eq_ignore_ascii_case(text.trim()));
                        is_shown || target.still_means(session, text, value).await
                    }
                    (_, _) => false,
                };
                if !is_known {
                    let text = match shown {
                        Some(text) => text.to_owned(),
                        None => target.name_of(session, value).await?,
                    };
                    state.set(name, text);
                }
                state.set(id, value);
            }
            (Form::Reference(_), Cell::Empty) if self.unnamed == Unnamed::LeftAlone => {
                let is_cleared = state.text(name).is_some_and(|text| text.trim().is_empty());
                if !is_cleared {
                    state.set(name, Value::Null);
                }
                state.set(self.id_name(), Value::Null);
            }
            // A choice or a reference that cannot be seen, or is empty though every record has one, is left as it was.
            (Form::Choice(_) | Form::Reference(_), Cell::Empty | Cell::Hidden) => {}
            (Form::Stored, _) => match held(column, record) {
                None => {}
                // Empty text that was configured as such is that, and not nothing. Some instances trim blanks to it.
                Some(Value::Null) if state.text(name).is_some_and(|text| text.trim().is_empty()) => {}
                Some(value) => state.set(name, value),
            },
        }
        Ok(())
    }
}

/// Whether two texts are the same to the instance where it looks for one: it ignores case.
fn is_same_key(one: &str, other: &str) -> bool {
    let folded = |text: &str| text.trim().to_lowercase();
    means_the_same(ColumnKind::Text, one, other) || folded(one) == folded(other)
}

/// When two texts mean the same to the instance, by the column's kind. A spelling that it takes for the same replaces nothing.
fn equality(kind: ColumnKind, form: Form, is_replacing: bool) -> Option<TextEquality> {
    match (form, kind) {
        (Form::Choice(_), _) => Some(choice::is_same),
        (Form::Stored, ColumnKind::Url) => Some(|one, other| means_the_same(ColumnKind::Url, one, other)),
        (Form::Stored, ColumnKind::IpAddress) => Some(|one, other| means_the_same(ColumnKind::IpAddress, one, other)),
        (Form::Stored, ColumnKind::Text) if is_replacing => Some(is_same_key),
        (Form::Stored, ColumnKind::Text) => Some(|one, other| means_the_same(ColumnKind::Text, one, other)),
        (Form::Stored, ColumnKind::Email) => Some(|one, other| means_the_same(ColumnKind::Email, one, other)),
        (Form::Stored, ColumnKind::Reference) => Some(|one, other| means_the_same(ColumnKind::Reference, one, other)),
        (
            Form::Stored,
            ColumnKind::Bool | ColumnKind::Integer | ColumnKind::Decimal | ColumnKind::Secret | ColumnKind::DateTime,
        )
        | (Form::Reference(_), _) => None,
    }
}

/// What is sent for a value that is stored as it is written; empty text for null.
fn stored(column: Column, value: &Value) -> Option<Wire> {
    match (column.kind(), value) {
        (_, Value::Null) => Some(Wire::Text(String::new())),
        (ColumnKind::Secret, _) => None,
        (_, Value::Bool(flag)) => Some(Wire::Bool(*flag)),
        (_, Value::Number(number)) => number.as_integer().map(Wire::Integer),
        (ColumnKind::Reference, Value::String(text)) => {
            Some(SysId::parse(text).map_or_else(|_| Wire::Text(text.clone()), Wire::Reference))
        }
        (_, Value::String(text)) => Some(Wire::Text(text.clone())),
        (_, Value::Unknown | Value::List(_) | Value::Object(_) | Value::Dynamic(_)) => None,
    }
}

/// A column's value; `None` if the account cannot read it.
pub(crate) fn held(column: Column, record: &Record) -> Option<Value> {
    match column.kind() {
        ColumnKind::Secret => None,
        ColumnKind::Bool => known(record.bool(column)),
        ColumnKind::Integer => known(record.integer(column)),
        ColumnKind::Text
        | ColumnKind::Email
        | ColumnKind::Url
        | ColumnKind::IpAddress
        | ColumnKind::Decimal
        | ColumnKind::Reference
        | ColumnKind::DateTime => known(record.text(column).map(str::to_owned)),
    }
}

fn known<T: Into<Value>>(cell: Cell<T>) -> Option<Value> {
    match cell {
        Cell::Hidden => None,
        Cell::Empty => Some(Value::Null),
        Cell::Value(value) => Some(value.into()),
    }
}

pub(crate) fn columns(fields: &[Field]) -> Vec<Column> {
    let of_field = |field: &Field| field.column().into_iter().chain(field.named_by);
    fields.iter().flat_map(of_field).collect()
}

pub(crate) fn name_sets(fields: &[Field]) -> Vec<NameSet> {
    let set = |field: &Field| match field.source {
        Source::Names(set) => Some(set),
        Source::Column(..) | Source::Secret(_) | Source::Local => None,
    };
    fields.iter().filter_map(set).collect()
}

pub(crate) fn secrets(fields: &[Field]) -> impl Iterator<Item = SecretColumn> {
    fields.iter().filter_map(|field| match field.source {
        Source::Secret(secret) => Some(secret),
        Source::Column(..) | Source::Names(_) | Source::Local => None,
    })
}

/// The row of a new record: everything that the plan knows.
pub(crate) async fn row_to_create(fields: &[Field], session: &Session, planned: &Object) -> Result<Row, Diagnostic> {
    let mut row = Row::new();
    for field in fields.iter().filter(|field| !planned.at(field.name()).is_null()) {
        if let Some((column, wire)) = field.to_wire(session, planned).await? {
            row = row.set(column, wire);
        }
    }
    Ok(row)
}

/// An error where a value is to be written for a column that the instance does not have: it would silently drop it.
pub(crate) async fn check_columns(
    fields: &[Field],
    session: &Session,
    table: Table,
    prior: Option<&Object>,
    planned: &Object,
) -> Result<(), Diagnostic> {
    for field in fields.iter().filter(|field| field.is_newer) {
        let (name, value) = (field.name(), planned.at(field.name()));
        let is_sent = !value.is_null() && prior.is_none_or(|prior| prior.at(name) != value);
        let Some(column) = field.column().filter(|_| is_sent) else {
            continue;
        };
        if let Some(why) = lack(session, table, column).await {
            let detail = format!(
                "{table} has no column {column}, as far as the account can tell: {why}. The instance would silently drop the \
                 value, so nothing was written. Leave the argument out, and change the setting in the form if this release has it \
                 under another name."
            );
            let problem = Diagnostic::error(format!("The instance has no column {column}"), detail);
            return Err(problem.at_attribute(name));
        }
    }
    Ok(())
}

/// Why a table seems to lack a column; none where it has it, or nothing shows whether it does.
async fn lack(session: &Session, table: Table, column: Column) -> Option<&'static str> {
    if let Ok(dictionary) = session.dictionary(table).await {
        if dictionary.column(column.name()).is_some() {
            return None;
        }
        if dictionary.is_complete() {
            return Some("the instance's dictionary lists every column, and not this one");
        }
    }
    match session.shows_column(table, column).await {
        Ok(Some(false)) => Some("a record that it can read does not show it, so there is none or it may not read it"),
        Ok(Some(true) | None) | Err(_) => None,
    }
}

/// A warning for each choice that is sent although the account cannot read whether the instance has it.
pub(crate) async fn unread_choices(
    fields: &[Field],
    session: &Session,
    prior: Option<&Object>,
    planned: &Object,
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let mut warnings = Vec::new();
    for field in fields {
        let name = field.name();
        let is_sent = prior.is_none_or(|prior| prior.at(name) != planned.at(name));
        if let (Source::Column(column, Form::Choice(table)), Some(given), true) =
            (&field.source, planned.text(name), is_sent)
        {
            warnings.extend(choice::unread(session, *table, *column, name, given).await?);
        }
    }
    Ok(warnings)
}

/// The row of an update: only what changes. What is no longer configured is cleared.
pub(crate) async fn row_to_update(
    fields: &[Field],
    session: &Session,
    prior: &Object,
    planned: &Object,
) -> Result<Row, Diagnostic> {
    let mut row = Row::new();
    for field in fields {
        let value = planned.at(field.name());
        if !value.is_unknown()
            && value != prior.at(field.name())
            && let Some((column, wire)) = field.to_wire(session, planned).await?
        {
            row = row.set(column, wire);
        }
    }
    Ok(row)
}

/// Forgets what a record holds where the plan names nothing: it stays.
pub(crate) fn forget_unplanned(fields: &[Field], planned: &Object, was: &mut Object) {
    for field in fields.iter().filter(|field| planned.at(field.name()).is_null()) {
        was.set(field.name(), Value::Null);
    }
}

/// Writes a record's values into the state.
pub(crate) async fn read_into(
    fields: &[Field],
    session: &Session,
    record: &Record,
    state: &mut Object,
    known: Known,
) -> Result<(), Diagnostic> {
    for field in fields {
        let is_unmanaged =
            known != Known::Nothing && field.unnamed != Unnamed::Kept && state.at(field.name()).is_null();
        let is_owned_elsewhere = field.unless.is_some_and(|other| state.text(other).is_some());
        if !is_unmanaged && !is_owned_elsewhere {
            field.read_into(session, record, state, known).await?;
        }
    }
    Ok(())
}

/// Adds the plan rules that follow from the fields: what the configuration does not name stays as it is.
pub(crate) fn plan(fields: &[Field], plan: &mut Plan<'_>) {
    let left_alone = left_alone(plan.prior, "");
    for field in fields {
        let name = field.name();
        let is_named = !plan.config.at(name).is_null();
        let former = plan.prior.map(|prior| prior.at(name).clone());
        match field.unnamed {
            Unnamed::LeftAlone if !is_named => {
                plan.state.set(name, former);
                if matches!(field.source, Source::Column(_, Form::Reference(_))) && plan.state.at(name).is_null() {
                    plan.state.set(field.id_name(), Value::Null);
                }
            }
            Unnamed::Kept | Unnamed::NotManaged if !is_named && left_alone.contains(name) => {
                plan.state.set(name, former);
                plan.replace.retain(|path| *path != Path::of(name));
            }
            Unnamed::NotManaged if !is_named => plan.state.set(name, Value::Null),
            Unnamed::LeftAlone | Unnamed::Kept | Unnamed::NotManaged => {}
        }
        match field.source {
            Source::Column(_, Form::Reference(_)) => reference::plan(name, field.id_name(), plan),
            Source::Names(set) => set.plan(plan),
            Source::Column(..) | Source::Secret(_) | Source::Local => {}
        }
    }
    // Configuring the value that it already has is no change.
    let is_as_before = |name: &String| plan.prior.is_some_and(|prior| prior.at(name) == plan.state.at(name));
    let still: BTreeSet<String> = left_alone.into_iter().filter(is_as_before).collect();
    set_left_alone(plan.state, still);
    settle(fields, plan);
}

/// The same rules for a nested object: what its configuration does not name stays as it is.
pub(crate) fn plan_nested(fields: &[Field], prior: Option<&Object>, config: &Object, state: &mut Object) {
    let is_left_alone = |field: &&Field| field.unnamed == Unnamed::LeftAlone && config.at(field.name()).is_null();
    for field in fields.iter().filter(is_left_alone) {
        state.set(field.name(), prior.map(|prior| prior.at(field.name()).clone()));
    }
}

/// Takes out of a configuration that is generated what nobody would write, and what it may not have.
pub(crate) fn omit_usual(fields: &[Field], config: &mut Object) {
    for field in fields {
        if field.is_refused(config) {
            config.set(field.name(), Value::Null);
        }
        let is_usual = match config.at(field.name()) {
            Value::String(text) => field.usual.contains(&text.as_str()),
            Value::Bool(flag) => field.usual.contains(&if *flag { "true" } else { "false" }),
            _ => false,
        };
        if is_usual {
            config.set(field.name(), Value::Null);
        }
    }
}

/// Leaves nothing open in a plan that changes nothing: what the framework took for a change was put back.
pub(crate) fn settle(fields: &[Field], plan: &mut Plan<'_>) {
    let Some(prior) = plan.prior else { return };
    let attributes = || fields.iter().flat_map(|field| &field.attributes);
    let is_open = |name: &str| plan.state.at(name).is_unknown() && plan.config.at(name).is_null();
    let is_unchanged = attributes().all(|attribute| {
        attribute.write_only
            || is_open(attribute.name)
            || attribute.means_the_same(plan.state.at(attribute.name), prior.at(attribute.name))
    });
    if is_unchanged {
        for attribute in attributes().filter(|attribute| !attribute.write_only) {
            plan.state.set(attribute.name, prior.at(attribute.name).clone());
        }
    }
}

/// The attributes that have a default and another value, on a record that was not made here: they stay as they are until
/// the configuration names them. `prefix` is that of a nested object.
pub(crate) fn differing_from_default(fields: &[Field], object: &Object, prefix: &str) -> Vec<String> {
    let differing = fields.iter().filter(|field| {
        let value = object.at(field.name());
        field
            .default()
            .is_some_and(|default| !value.is_null() && value != default)
    });
    differing.map(|field| format!("{prefix}{}", field.name())).collect()
}

/// The attributes with a default, all of which may have another value on a record that nobody has read yet.
pub(crate) fn with_default(fields: &[Field]) -> Vec<&'static str> {
    let with_default = fields.iter().filter(|field| field.default().is_some());
    with_default.map(Field::name).collect()
}

/// What stays as it is, by the state: the names with a prefix, without it.
pub(crate) fn left_alone(state: Option<&Object>, prefix: &str) -> BTreeSet<String> {
    let names = state.and_then(|state| state.texts(LEFT_ALONE)).unwrap_or_default();
    names
        .into_iter()
        .filter_map(|name| name.strip_prefix(prefix))
        .map(str::to_owned)
        .collect()
}

/// Whether an attribute stays as it is, by the state.
pub(crate) fn is_left_alone(state: Option<&Object>, name: &str) -> bool {
    left_alone(state, "").contains(name)
}

/// Lists one attribute in the state among what stays as it is, or no longer.
pub(crate) fn leave_alone(state: &mut Object, name: &str, stays: bool) {
    let mut names = left_alone(Some(state), "");
    if stays {
        names.insert(name.to_owned());
    } else {
        names.remove(name);
    }
    set_left_alone(state, names);
}

/// Lists in the state what stays as it is.
pub(crate) fn set_left_alone(state: &mut Object, names: BTreeSet<String>) {
    let names: Vec<String> = names.into_iter().collect();
    state.set(LEFT_ALONE, (!names.is_empty()).then_some(names));
}

/// The computed attribute that lists what stays as it is.
const LEFT_ALONE: &str = "left_alone";

/// Keeps what an update that writes no column cannot change.
pub(crate) fn keep_unknown(fields: &[Field], prior: &Object, state: &mut Object) {
    let with_columns = fields.iter().filter(|field| field.column().is_some());
    for attribute in with_columns.flat_map(|field| &field.attributes) {
        if state.at(attribute.name).is_unknown() {
            state.set(attribute.name, prior.at(attribute.name).clone());
        }
    }
}

/// After an import: nothing is known of secrets, and what is local to Terraform has its default.
pub(crate) fn forget_what_is_not_read(fields: &[Field], state: &mut Object) {
    for secret in secrets(fields) {
        secret.names.forget(state);
    }
    set_local_defaults(fields, state);
}

/// What is local to Terraform has its default.
pub(crate) fn set_local_defaults(fields: &[Field], state: &mut Object) {
    for field in fields.iter().filter(|field| matches!(field.source, Source::Local)) {
        for attribute in &field.attributes {
            if let Some(default) = &attribute.default {
                state.set(attribute.name, default.clone());
            }
        }
    }
}

/// The attribute that owns a column.
pub(crate) fn attribute_of(fields: &[Field], column: &str) -> Option<&'static str> {
    let owner = fields.iter().find(|field| match field.source {
        Source::Column(own, _) | Source::Secret(SecretColumn { column: own, .. }) => own.name() == column,
        Source::Names(_) | Source::Local => false,
    });
    owner.map(Field::name)
}

/// Text that a record can be looked up by: no `^`, no control character, no leading `javascript:`.
pub(crate) fn key_text() -> Validator {
    Validator::text("", |text| match Query::equals(every::SYS_CREATED_BY, text) {
        // Another validator reports empty text.
        Ok(_) | Err(QueryError::Empty { .. }) => Ok(()),
        Err(QueryError::Character { character, .. }) if character.is_control() => {
            Err(control_character(text, character))
        }
        Err(QueryError::Character { character, .. }) => Err(format!(
            "{text:?} contains \"{character}\", which ServiceNow queries cannot express, so the record could not be \
             found again. Use a value without it."
        )),
        Err(QueryError::Script { .. }) => Err(format!(
            "{text:?} starts with \"javascript:\", which the instance would run as a script when it looks up the \
             record. Use another value."
        )),
        Err(error) => Err(diagnostics::explain(&error, &error.remedy())),
    })
}

/// A required text of at most so many characters that a record is known by.
pub(crate) fn required_key(name: &'static str, most: usize) -> Attribute {
    let attribute = Attribute::text(name).required().check(validate::not_blank());
    attribute.check(validate::at_most_characters(most)).check(key_text())
}

/// Text without control characters, which no form would have let through.
pub(crate) fn printable() -> Validator {
    Validator::text("", |text| match text.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some(control) => Err(control_character(text, control)),
    })
}

fn control_character(text: &str, control: char) -> String {
    format!(
        "{text:?} contains the control character {control:?}. Remove it; it was probably copied along with the value."
    )
}

/// The key of a record.
pub(crate) fn sys_id_text() -> Validator {
    Validator::text("", |text| match SysId::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{error}.")),
    })
}

pub(crate) fn timeouts() -> Attribute {
    Attribute::timeouts(&[("create", "5m"), ("read", "5m"), ("update", "5m"), ("delete", "5m")])
}
