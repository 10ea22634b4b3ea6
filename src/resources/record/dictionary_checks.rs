//! What the dictionary has against a configuration, and what the platform is known to refuse.

use crate::plugin::path::{Path, Step};
use crate::plugin::{Diagnostic, Diagnostics, Object, Plan, Severity, Value};
use crate::records::any_table::{self, FIELDS, TABLE};
use crate::records::diagnostics;
use crate::resources::record::Typed;
use crate::resources::record::attributes::{
    ACTIVE, DEACTIVATE, DEFAULT_FIELDS, DELETE, DELETION_POLICY, FIELDS_WO, FIELDS_WO_VERSION, NATURAL_KEY, SCOPE,
    STRICT, drops_data,
};
use crate::resources::record::fields::{former_text, is_same, place, secret_property};
use crate::servicenow::tables::{
    every, sys_db_object, sys_dictionary, sys_properties, sys_security_acl, sys_security_acl_role,
    sys_security_operation,
};
use crate::servicenow::{
    ChoiceSource, Column, ColumnKind, Dictionary, DictionaryColumn, Session, Table, TableError, ValueType,
};
use crate::suggest;

/// Columns that every table has and that the instance fills, with what to do instead.
const OF_THE_INSTANCE: &[(Column, &str)] = &[
    (
        every::SYS_ID,
        "The instance gives every record its key. To manage a record that exists, import it.",
    ),
    (every::SYS_CREATED_ON, FILLED),
    (every::SYS_CREATED_BY, FILLED),
    (every::SYS_UPDATED_ON, FILLED),
    (every::SYS_UPDATED_BY, FILLED),
    (every::SYS_MOD_COUNT, FILLED),
    (
        every::SYS_CLASS_NAME,
        "The class of a record is its table: set `table` to the table that the record belongs to.",
    ),
    (every::SYS_SCOPE, "Use the argument `application_scope`."),
];
const FILLED: &str = "The instance fills it with every write. Remove it.";

/// Tables of which the platform refuses writes through its APIs, and what to do instead.
const REFUSED_BY_PLATFORM: &[(&str, &str)] = &[
    (sys_security_acl::TABLE.name(), ELEVATED),
    (sys_security_acl_role::TABLE.name(), ELEVATED),
    (sys_security_operation::TABLE.name(), ELEVATED),
];
const ELEVATED: &str = "Nobody can write access rules (ACL) without the elevated role security_admin, and a session of an API \
                        cannot elevate. The functions access_rules_script and access_rules_update_set write them out for somebody who \
                        can, or create them in the form.";

/// What is wrong with a configuration whatever the instance says.
pub(super) fn of_configuration(config: &Object) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for argument in [FIELDS, FIELDS_WO] {
        for (name, _) in entries(config, argument) {
            let at = Path::of(argument).join(Step::Key(name.clone()));
            if Column::named(name, ColumnKind::Text).is_none() {
                let detail = format!(
                    "{name:?} is not the name of a column: it has letters, digits and underscores, such as short_description. \
                     Columns of other records (with a dot) cannot be written."
                );
                problems.push(Diagnostic::error("Invalid column", detail).at(at));
            } else if let Some((_, advice)) = OF_THE_INSTANCE.iter().find(|(column, _)| column.name() == name) {
                let detail = format!("The column {name} cannot be configured. {advice}");
                problems.push(Diagnostic::error(format!("The column {name} belongs to the instance"), detail).at(at));
            }
        }
    }
    let both = entries(config, FIELDS_WO)
        .find(|(name, _)| config.object(FIELDS).is_some_and(|fields| !fields.at(name).is_null()));
    if let Some((name, _)) = both {
        let detail = format!("The column {name} is in fields and in fields_wo. Remove it from one of them.");
        problems.push(Diagnostic::error("A column is given twice", detail).at_attribute(FIELDS_WO));
    }
    if entries(config, FIELDS_WO).next().is_some() && config.at(FIELDS_WO_VERSION).is_null() {
        let detail = "fields_wo is sent when the record is created, and afterwards only when fields_wo_version changes. Set \
                      fields_wo_version, and change it whenever a value of fields_wo changes.";
        problems.push(Diagnostic::warning("fields_wo has no version", detail).at_attribute(FIELDS_WO));
    }
    let fields = config.object(FIELDS);
    for name in config.texts(NATURAL_KEY).unwrap_or_default() {
        let value = fields.map_or(&Value::Unknown, |fields| fields.at(name));
        if value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
            let detail = format!(
                "natural_key names the column {name}, which fields does not give a value. Add it to fields, or remove it from \
                 natural_key."
            );
            problems.push(Diagnostic::error("A column of the key has no value", detail).at_attribute(NATURAL_KEY));
        }
    }
    problems
}

fn entries<'a>(config: &'a Object, argument: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    config.object(argument).into_iter().flat_map(Object::iter)
}

/// What the dictionary has against a plan.
pub(super) async fn of_plan(
    session: &Session,
    dictionary: &Dictionary,
    typed: &[Typed],
    plan: &Plan<'_>,
) -> Diagnostics {
    let config = plan.config;
    let is_strict = config.flag(STRICT).unwrap_or(true);
    let mut findings = Diagnostics::new();
    let mut warnings = Diagnostics::new();
    // After an import as well, until something is changed.
    if plan.prior.is_none_or(|prior| !prior.at(DEFAULT_FIELDS).is_null()) {
        warnings.extend(typed_resource(typed, dictionary.table));
    }
    if plan.prior.is_none() {
        warnings.extend(refused(dictionary.table));
    }
    if !dictionary.gaps.is_empty() {
        warnings.push(unchecked(dictionary));
    }
    for (name, value) in entries(config, FIELDS) {
        match dictionary.column(name) {
            None if any_table::may_be_secret(name) && !dictionary.is_complete() => {
                findings.push(perhaps_secret(dictionary.table, name));
            }
            None => findings.extend(unknown_column(session, dictionary, name, place(name)).await),
            Some(column) => findings.extend(of_value(session, dictionary, column, value, plan).await),
        }
    }
    let version = |state: &Object| state.at(FIELDS_WO_VERSION).clone();
    let is_sent = plan.prior.is_none_or(|prior| version(prior) != version(config));
    for (name, value) in entries(config, FIELDS_WO) {
        let at = Path::of(FIELDS_WO).join(Step::Key(name.clone()));
        match dictionary.column(name) {
            None => findings.extend(unknown_column(session, dictionary, name, at).await),
            Some(_) if !is_sent => {}
            Some(column) => findings.extend(of_write_only(session, dictionary, column, value, at).await),
        }
    }
    findings.extend(rebuilt(session, dictionary, plan).await);
    if plan.prior.is_none() && config.object(FIELDS).is_some() {
        let (missing, perhaps) = missing(dictionary, config);
        findings.extend(missing);
        warnings.extend(perhaps);
    }
    let policy = config.text(DELETION_POLICY);
    if policy == Some(DEACTIVATE) && dictionary.is_complete() && dictionary.column(ACTIVE).is_none() {
        let detail = format!(
            "The table {} has no column {ACTIVE}, so its records cannot be deactivated. Use another deletion_policy.",
            dictionary.table
        );
        findings.push(Diagnostic::error("No column to deactivate", detail).at_attribute(DELETION_POLICY));
    }
    let was_told = plan.prior.and_then(|prior| prior.text(DELETION_POLICY)) == Some(DELETE);
    if drops_data(dictionary.table) && policy == Some(DELETE) && !was_told {
        let detail = format!(
            "The platform drops the table or column with all of its values when its record of {} is deleted, and a destroy or a \
             replacement does that. Leave deletion_policy out, or set it to \"keep\", unless that is meant.",
            dictionary.table
        );
        warnings.push(Diagnostic::warning("A destroy drops a table or a column", detail).at_attribute(DELETION_POLICY));
    }
    let scope = every::SYS_SCOPE.name();
    if config.text(SCOPE).is_some() && dictionary.is_complete() && dictionary.column(scope).is_none() {
        let detail = format!(
            "Records of {} belong to no application: the table has no column {scope}. Remove application_scope.",
            dictionary.table
        );
        findings.push(Diagnostic::error("No column for the application", detail).at_attribute(SCOPE));
    }
    if !is_strict {
        findings = findings.into_warnings();
    }
    warnings.append(findings);
    warnings
}

/// Warns once per table that its values go unchecked.
fn unchecked(dictionary: &Dictionary) -> Diagnostic {
    let table = dictionary.table;
    let gaps: Vec<String> = dictionary.gaps.iter().map(ToString::to_string).collect();
    let detail = format!(
        "The values of {table} are checked in part only: {}. They are sent as they are. Let the account read sys_db_object, \
         sys_dictionary and sys_dictionary_override (personalize_dictionary or admin) to have them checked by the plan.",
        gaps.join("; ")
    );
    Diagnostic::warning(format!("The columns of {table} are not known completely"), detail).told_once()
}

fn typed_resource(typed: &[Typed], table: Table) -> Option<Diagnostic> {
    let typed = typed.iter().find(|typed| typed.table == table && typed.creates)?;
    let of_type = typed.type_name;
    let detail = format!(
        "Records of {table} have a resource type of their own, {of_type}, which knows more of them: what belongs together, what \
         is secret, and what existed before. Use it unless it lacks a column that you need."
    );
    Some(Diagnostic::warning(format!("{of_type} manages records of {table}"), detail).at_attribute(TABLE))
}

fn refused(table: Table) -> Option<Diagnostic> {
    let (_, advice) = REFUSED_BY_PLATFORM.iter().find(|(name, _)| *name == table.name())?;
    Some(Diagnostic::warning(format!("The instance refuses writes to {table}"), *advice).at_attribute(TABLE))
}

/// The error of a write, with what is known of the table.
pub(super) fn explained(table: Table, error: &TableError, doing: &str) -> Diagnostic {
    let mut diagnostic = diagnostics::of_table(error, doing);
    if let TableError::Duplicate {
        existing: Some(existing),
        ..
    } = error
    {
        // A record of any table is imported with the table's name.
        let (bare, whole) = (format!("<address> {existing}"), format!("<address> {table}/{existing}"));
        diagnostic.detail = diagnostic.detail.replace(&bare, &whole);
    }
    if let (TableError::Refused { .. }, Some((_, advice))) = (
        error,
        REFUSED_BY_PLATFORM.iter().find(|(name, _)| *name == table.name()),
    ) {
        diagnostic.detail.push_str("\n\n");
        diagnostic.detail.push_str(advice);
    }
    diagnostic
}

/// A column that the dictionary does not have.
async fn unknown_column(session: &Session, dictionary: &Dictionary, name: &str, at: Path) -> Option<Diagnostic> {
    let hint = any_table::hint_if_absent(session, dictionary, name).await?;
    let detail = format!(
        "The table {} has no column {name}, and the instance would silently ignore the value.{hint} The columns are \
         listed in System Definition > Dictionary.",
        dictionary.table
    );
    Some(Diagnostic::error(format!("Unknown column {name}"), detail).at(at))
}

fn perhaps_secret(table: Table, name: &str) -> Diagnostic {
    let detail = format!(
        "The account cannot read in sys_dictionary which type {table}.{name} has, and its name suggests a secret. What fields \
         holds is stored in the state and shown in plans. Move it to fields_wo, and set fields_wo_version. If it holds none, let \
         the account read sys_dictionary (personalize_dictionary or admin), or set strict = false."
    );
    Diagnostic::error(format!("The column {name} may be a secret"), detail).at(place(name))
}

/// What is wrong with a value, or with a column that cannot be written.
async fn of_value(
    session: &Session,
    dictionary: &Dictionary,
    column: &DictionaryColumn,
    value: &Value,
    plan: &Plan<'_>,
) -> Option<Diagnostic> {
    let (table, name) = (dictionary.table, column.name());
    let of_type = plan
        .config
        .object(FIELDS)
        .and_then(|fields| fields.text(sys_properties::TYPE.name()));
    if any_table::is_secret_property(table, name, of_type) {
        let detail = secret_property(of_type.unwrap_or_default());
        return Some(Diagnostic::error(format!("The column {name} is a secret"), detail).at(place(name)));
    }
    if let ValueType::Secret { .. } = column.value_type {
        let detail = format!(
            "{table}.{name} has the type {}. What fields holds is stored in the state and shown in plans. Move it to \
             fields_wo, and set fields_wo_version.",
            column.internal_type
        );
        return Some(Diagnostic::error(format!("The column {name} is a secret"), detail).at(place(name)));
    }
    if column.value_type == ValueType::Other && any_table::may_be_secret(name) {
        let detail = format!(
            "{table}.{name} has the type {}, which this provider does not know, and its name suggests a secret. What fields holds \
             is stored in the state and shown in plans. Move it to fields_wo, and set fields_wo_version. If it holds none, set \
             strict = false.",
            column.internal_type
        );
        return Some(Diagnostic::error(format!("The column {name} may be a secret"), detail).at(place(name)));
    }
    if column.is_calculated {
        return Some(calculated(dictionary, column, place(name)));
    }
    let text = value.as_str()?;
    // What an import found, and nobody changes, is nothing to complain about.
    let is_former = plan.prior.and_then(|prior| prior.object(FIELDS)?.text(name)) == Some(text);
    if is_former {
        return None;
    }
    if column.is_read_only {
        return Some(read_only(dictionary, column, place(name)));
    }
    if let Some(found) = column.problem(text) {
        let detail = format!("{:?} is not kept by {table}.{name}: {found}.", shortened(text));
        return Some(Diagnostic::error(format!("Invalid value for {name}"), detail).at(place(name)));
    }
    unknown_choice(session, dictionary, column, text).await
}

/// What is wrong with a value that is sent and never shown.
async fn of_write_only(
    session: &Session,
    dictionary: &Dictionary,
    column: &DictionaryColumn,
    value: &Value,
    at: Path,
) -> Option<Diagnostic> {
    let (table, name) = (dictionary.table, column.name());
    if column.is_calculated {
        return Some(calculated(dictionary, column, at));
    }
    if column.is_read_only {
        return Some(read_only(dictionary, column, at));
    }
    let text = value.as_str()?;
    if let Some(found) = column.problem(text) {
        let detail = format!("The value is not kept by {table}.{name}: {found}.");
        return Some(Diagnostic::error(format!("Invalid value for {name}"), detail).at(at));
    }
    let hint = hint_if_no_choice(session, dictionary, column, text).await?;
    let detail = format!("The value is not a choice of {table}.{name}. {hint}");
    Some(Diagnostic::error(format!("Unknown choice for {name}"), detail).at(at))
}

fn calculated(dictionary: &Dictionary, column: &DictionaryColumn, at: Path) -> Diagnostic {
    let (table, name) = (dictionary.table, column.name());
    let detail = format!("The instance calculates {table}.{name} at each read and keeps no value for it. Remove it.");
    Diagnostic::error(format!("The column {name} is calculated"), detail).at(at)
}

fn read_only(dictionary: &Dictionary, column: &DictionaryColumn, at: Path) -> Diagnostic {
    let (table, name) = (dictionary.table, column.name());
    let is_certain = dictionary.knows_overrides() || column.declared_by == table;
    let detail = format!(
        "{table}.{name} is read-only by the dictionary: the instance fills it, and may ignore what a client sends. Remove it, \
         or set strict = false to send it nevertheless."
    );
    let mut finding = Diagnostic::error(format!("The column {name} is read-only"), detail).at(at);
    if !is_certain {
        finding.severity = Severity::Warning;
    }
    finding
}

/// What makes a table or a column the one that it is.
const KNOWN_BY: [(Table, &[Column]); 2] = [
    (sys_db_object::TABLE, &[sys_db_object::NAME, sys_db_object::SUPER_CLASS]),
    (
        sys_dictionary::TABLE,
        &[
            sys_dictionary::NAME,
            sys_dictionary::ELEMENT,
            sys_dictionary::INTERNAL_TYPE,
        ],
    ),
];

/// A table or a column that becomes another one, with all that is kept by its name or its type.
async fn rebuilt(session: &Session, dictionary: &Dictionary, plan: &Plan<'_>) -> Option<Diagnostic> {
    let table = dictionary.table;
    let (_, columns) = KNOWN_BY.iter().find(|(known, _)| *known == table)?;
    let planned = plan.config.object(FIELDS)?;
    for column in *columns {
        let name = column.name();
        let (Some(old), Some(new)) = (former_text(plan.prior?, name), planned.text(name)) else {
            continue;
        };
        if is_same(session, dictionary, plan.prior?, name, new).await {
            continue;
        }
        let detail = format!(
            "{table}.{name} would change from {old:?} to {new:?}. Records, columns, choices and access rules are kept by the \
             name of their table and column, values by the type of the column, and the platform moves none of them. Leave it as \
             it is; or declare another table or column beside it, move the values, and then remove the old one. With strict = \
             false the change is sent nevertheless."
        );
        let problem = Diagnostic::error("A table or a column would become another one", detail);
        return Some(problem.at(place(name)));
    }
    None
}

/// A value that is none of the choices of its column, as far as all of these can be read.
async fn unknown_choice(
    session: &Session,
    dictionary: &Dictionary,
    column: &DictionaryColumn,
    text: &str,
) -> Option<Diagnostic> {
    let (table, name) = (dictionary.table, column.name());
    let hint = hint_if_no_choice(session, dictionary, column, text).await?;
    let detail = format!("{:?} is not a choice of {table}.{name}. {hint}", shortened(text));
    Some(Diagnostic::error(format!("Unknown choice for {name}"), detail).at(place(name)))
}

/// What to use instead of a value that is none of the choices of its column; none where it is one, or may be.
async fn hint_if_no_choice(
    session: &Session,
    dictionary: &Dictionary,
    column: &DictionaryColumn,
    text: &str,
) -> Option<String> {
    let choices = column.choices.filter(|_| !text.trim().is_empty())?;
    let (tables, of) = match choices {
        ChoiceSource::Own => (dictionary.lineage.clone(), column.column),
        ChoiceSource::Other(table, of) => (vec![table], of),
    };
    let known = session
        .choices(&tables, of)
        .await
        .ok()
        .filter(|choices| choices.is_complete)?;
    if known.list.iter().any(|choice| choice.value == text) {
        return None;
    }
    let by_label = known
        .list
        .iter()
        .find(|choice| choice.label.eq_ignore_ascii_case(text.trim()));
    let values: Vec<String> = known
        .list
        .iter()
        .map(|choice| format!("{:?} ({})", choice.value, choice.label))
        .collect();
    Some(match by_label {
        Some(choice) => format!("It is the label of the choice; its value is {:?}.", choice.value),
        None => {
            let values_of_words = known.list.iter().map(|choice| choice.value.as_str());
            let meant = suggest::did_you_mean(text, values_of_words.filter(|value| value.len() > 2));
            format!("Use one of: {}.{meant}", values.join(", "))
        }
    })
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Mandatory columns without a value: those that are certain, and those that the table may have made optional.
fn missing(dictionary: &Dictionary, config: &Object) -> (Option<Diagnostic>, Option<Diagnostic>) {
    let is_given = |name: &str| {
        let of = |argument: &str| config.object(argument).is_some_and(|values| !values.at(name).is_null());
        of(FIELDS) || of(FIELDS_WO)
    };
    let open = dictionary
        .columns()
        .filter(|column| column.is_mandatory && !column.fills_itself() && !is_given(column.name()))
        .filter(|column| OF_THE_INSTANCE.iter().all(|(own, _)| own.name() != column.name()));
    let is_certain =
        |column: &&DictionaryColumn| dictionary.knows_overrides() || column.declared_by == dictionary.table;
    let (certain, perhaps): (Vec<_>, Vec<_>) = open.partition(is_certain);
    let finding = |columns: Vec<&DictionaryColumn>| {
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let (are, them) = if names.len() == 1 {
            ("column is", "it")
        } else {
            ("columns are", "them")
        };
        let detail = format!(
            "Mandatory {are} not given: {}. Forms of {} ask for {them}, and an API that leaves {them} empty creates a record that \
             no form can save. Add {them} to fields; empty text leaves {them} empty on purpose.",
            names.join(", "),
            dictionary.table
        );
        (!names.is_empty()).then(|| Diagnostic::error("A mandatory column has no value", detail).at_attribute(FIELDS))
    };
    let perhaps = finding(perhaps).map(|mut finding| {
        finding.severity = Severity::Warning;
        finding
    });
    (finding(certain), perhaps)
}

/// Characters of a value that a message shows.
const LONGEST: usize = 60;
