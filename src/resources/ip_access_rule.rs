//! `servicenow_ip_access_rule`: which addresses may reach the instance (`ip_access`).
//!
//! The wire values of `type` and `direction` are documented nowhere: they are looked up in `sys_choice`, by value or by
//! label, and never assumed.

mod choice; // What the instance calls "allow" and "inbound".

use std::net::Ipv4Addr;

use async_trait::async_trait;

use crate::records::{
    diagnostics, existing,
    field::{self, Field, Reading},
    import,
    list::{self, Found},
    required_roles, resource,
};
use crate::{
    clients::{Calls, Clients},
    plugin::{
        Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Need,
        Object, Outcome, Plan, Resource, Schema, Validator, schema::validate,
    },
    servicenow::{
        Cell, Column, InputMode, Insert, Query, QueryError, Record, Session, TableError, Update,
        tables::{
            ip_access::{ACTIVE, COLUMNS, DESCRIPTION, DIRECTION, RANGE_END, RANGE_START, TABLE, TYPE},
            sys_choice,
        },
    },
};

/// The resource.
pub(super) struct IpAccessRule;

/// Where each attribute lives, but for the two choices.
const FIELDS: &[Field] = &[
    Field::always("range_start", RANGE_START),
    Field::always("range_end", RANGE_END),
    Field::always("active", ACTIVE),
    Field::when_configured("description", DESCRIPTION),
];

/// The columns to import by.
const KEYS: &[Field] = &[
    Field::always("range_start", RANGE_START),
    Field::always("range_end", RANGE_END),
    Field::always("description", DESCRIPTION),
];

const CHOICES: [(&str, Column); 2] = [("type", TYPE), ("direction", DIRECTION)];

fn schema() -> Schema {
    Schema::new(
        "A rule of the IP address access control: a range of IPv4 addresses that may, or may not, reach the instance. Table \
         `ip_access`. **Rules that allow block nothing by themselves**: they matter only beside a rule that denies, and beat \
         it. An instance refuses a rule that would lock out the account that makes it.",
        vec![
            Attribute::text("id").computed().stable().describe("The record's `sys_id`."),
            Attribute::text("type").required().check(validate::not_blank()).check(field::key_text()).describe(
                "`allow` or `deny`: the label or the value of a choice of the instance (`sys_choice`), in any case. Column \
                 `type`.",
            ),
            Attribute::text("direction").required().check(validate::not_blank()).check(field::key_text()).describe(
                "`inbound`, `outbound`, or what the instance calls both: the label or the value of one of its choices, in any \
                 case. Column `direction`.",
            ),
            Attribute::text("range_start")
                .required()
                .check(address())
                .describe("First address of the range. Column `range_start`."),
            Attribute::text("range_end").optional_computed().check(address()).describe(
                "Last address of the range; for a single address the same as `range_start`, which is the default. Column \
                 `range_end`.",
            ),
            Attribute::flag("active").default(true).describe("Whether the rule is in force. Column `active`."),
            Attribute::text("description").describe("Free text. Column `description`."),
            resource::timeouts(),
        ],
    )
}

fn address() -> Validator {
    Validator::text("An IPv4 address.", |text| {
        if text.parse::<Ipv4Addr>().is_ok() {
            return Ok(());
        }
        Err(match text.split_once('/') {
            Some((network, _)) if network.parse::<Ipv4Addr>().is_ok() => format!(
                "{text:?} is a network, and the instance knows first and last addresses only. Use range_start = \
                 cidrhost({text:?}, 0) and range_end = cidrhost({text:?}, -1)."
            ),
            _ if text.contains(':') => format!("{text:?} is no IPv4 address, and the instance knows no others."),
            _ => format!("{text:?} is no IPv4 address. Write four numbers from 0 to 255 with dots between them."),
        })
    })
}

impl BlockType for IpAccessRule {
    fn type_name(&self) -> &'static str {
        "servicenow_ip_access_rule"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_tables(&[TABLE, sys_choice::TABLE])
    }

    fn validate(&self, config: &Object) -> Diagnostics {
        let address = |attribute| config.text(attribute).and_then(|text| text.parse::<Ipv4Addr>().ok());
        match (address("range_start"), address("range_end")) {
            (Some(start), Some(end)) if start > end => {
                let detail = format!("The range ends at {end}, before it starts at {start}. Exchange the two.");
                Diagnostic::error("Invalid range", detail)
                    .at_attribute("range_end")
                    .into()
            }
            _ => Diagnostics::new(),
        }
    }
}

#[async_trait]
impl Resource<Clients> for IpAccessRule {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(resource::sys_id_identity())
    }

    async fn plan(&self, _: Option<&Context<Clients>>, plan: &mut Plan<'_>) {
        if plan.config.at("range_end").is_null() {
            let start = plan.state.at("range_start").clone();
            plan.state.set("range_end", start);
        }
        // "Allow" and "allow" are the same choice.
        for (attribute, _) in CHOICES {
            if let (Some(prior), Some(planned)) = (
                plan.prior.and_then(|prior| prior.text(attribute)),
                plan.state.text(attribute),
            ) && choice::is_same(prior, planned)
            {
                let prior = prior.to_owned();
                plan.state.set(attribute, prior);
            }
        }
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, _: &Object) -> Result<Outcome, Diagnostics> {
        Ok(create(cx, planned).await?)
    }

    async fn read(&self, cx: &Context<Clients>, mut state: Object) -> Result<Option<Object>, Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = resource::sys_id(&state) else {
            return Ok(None);
        };
        let found = session.find(TABLE, &sys_id, COLUMNS).await;
        let Some(record) = found.map_err(|error| diagnostics::of_table(&error, "read the address rule"))? else {
            return Ok(None);
        };
        take_over(&session, &record, &mut state, cx.reading).await?;
        Ok(Some(state))
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(update(cx, prior, planned).await?)
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = resource::sys_id(state) else {
            return Ok(());
        };
        let deleted = session.delete(TABLE, &sys_id).await;
        deleted.map_err(|error| of_write(&error, "remove the address rule"))?;
        Ok(())
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let sys_id = import::record(&session, TABLE, KEYS, target, None).await?;
        Ok(Object::new().with("id", sys_id.as_str()))
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(list::schema("Lists the rules of the IP address access control.", TABLE))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let describe = |record: &Record| {
            let text = |column| record.text(column).value().unwrap_or("?");
            let range = format!("{} to {}", text(RANGE_START), text(RANGE_END));
            Found::text(match record.text(DESCRIPTION) {
                Cell::Value(description) => format!("{description} ({range})"),
                Cell::Empty | Cell::Hidden => range,
            })
        };
        list::records(cx, &session, TABLE, COLUMNS, None, request, sink, describe, self).await
    }
}

fn known_by<'a>(query: &'a Query, planned: &Object) -> existing::Key<'a> {
    let text = |attribute| planned.text(attribute).unwrap_or_default();
    existing::Key {
        resource: "servicenow_ip_access_rule",
        table: TABLE,
        noun: "address rule",
        label: DESCRIPTION,
        query,
        words: format!(
            "the range {} to {}, direction {:?} and type {:?}",
            text("range_start"),
            text("range_end"),
            text("direction"),
            text("type")
        ),
        why: "A second one would change nothing while the first is there.",
        otherwise: "leave it to them, or agree on who manages it",
        attribute: "range_start",
    }
}

async fn create(cx: &Context<Clients>, planned: Object) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let mut row = field::row_to_create(FIELDS, &planned);
    let query = |error: QueryError| diagnostics::of_query(&error, "create the address rule");
    let mut key = Query::equals(RANGE_START, planned.text("range_start").unwrap_or_default())
        .and_then(|key| Ok(key.and(Query::equals(RANGE_END, planned.text("range_end").unwrap_or_default())?)))
        .map_err(query)?;
    for (attribute, column) in CHOICES {
        let value = choice::to_wire(&session, attribute, column, planned.text(attribute).unwrap_or_default()).await?;
        key = key.and(Query::equals(column, value.as_str()).map_err(query)?);
        row = row.set(column, value);
    }
    let known = known_by(&key, &planned);
    known.refuse_second(&session).await?;
    let insert = Insert {
        table: TABLE,
        row,
        read: COLUMNS,
        natural_key: Some(key.clone()),
        input: InputMode::Stored,
    };
    let written = match session.insert(insert).await {
        Ok(written) => written,
        Err(error @ TableError::Duplicate { .. }) => return Err(known.of_insert(&session, &error).await),
        Err(error) => {
            let problem = of_write(&error, "create the address rule");
            return resource::not_created(&error, planned, problem);
        }
    };
    // The record exists from here on: whatever fails below, Terraform must know its sys_id.
    let mut state = planned.with("id", written.record.sys_id().as_str());
    cx.keep(&state);
    let mut problems = diagnostics::of_mismatches(&written.mismatches, attribute_of);
    if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
        problems.push(problem);
    }
    Ok(resource::outcome(state, problems))
}

async fn update(cx: &Context<Clients>, prior: &Object, planned: Object) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let sys_id = resource::require_sys_id(prior)?;
    let mut row = field::row_to_update(FIELDS, prior, &planned);
    for (attribute, column) in CHOICES {
        if planned.at(attribute) != prior.at(attribute) {
            let given = planned.text(attribute).unwrap_or_default();
            row = row.set(column, choice::to_wire(&session, attribute, column, given).await?);
        }
    }
    let update = Update {
        table: TABLE,
        sys_id: &sys_id,
        row,
        read: COLUMNS,
        input: InputMode::Stored,
    };
    let written = session.update(update).await;
    let written = written.map_err(|error| of_write(&error, "update the address rule"))?;
    let mut state = planned;
    let mut problems = diagnostics::of_mismatches(&written.mismatches, attribute_of);
    if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
        problems.push(problem);
    }
    Ok(resource::outcome(state, problems))
}

async fn take_over(session: &Session, record: &Record, state: &mut Object, reading: Reading) -> Result<(), Diagnostic> {
    state.set("id", record.sys_id().as_str());
    field::read_into(FIELDS, record, state, reading);
    for (attribute, column) in CHOICES {
        if let Cell::Value(value) = record.text(column) {
            let known = state.text(attribute).filter(|_| reading == Reading::Refresh);
            let text = choice::from_wire(session, column, known, value).await?;
            state.set(attribute, text);
        }
    }
    Ok(())
}

/// A refusal by a rule is, here, most likely the instance's guard against locking oneself out.
fn of_write(error: &TableError, doing: &str) -> Diagnostic {
    let mut diagnostic = diagnostics::of_table(error, doing);
    if matches!(error, TableError::Refused { .. }) {
        diagnostic.detail.push_str(
            "\n\nAn instance refuses a rule that would lock out the account that makes it: where this one denies, or is one \
             that allows the account's own address, first add a rule that allows the address from which Terraform calls.",
        );
    }
    diagnostic
}

fn attribute_of(column: &str) -> Option<&'static str> {
    let choice = CHOICES.iter().find(|(_, own)| own.name() == column);
    choice
        .map(|(attribute, _)| *attribute)
        .or_else(|| field::attribute_of(FIELDS, column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &str, end: Option<&str>, expected: &[&str]) {
        let config = Object::new()
            .with("type", "allow")
            .with("direction", "inbound")
            .with("range_start", start)
            .with("range_end", end);
        let mut found = validate::configuration(&schema(), &config, validate::WriteOnly::Allowed);
        found.append(IpAccessRule.validate(&config));
        let found: Vec<_> = found.iter().map(|it| format!("{}: {}", it.path, it.detail)).collect();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}\ndoes not say {expected}");
        }
    }

    #[test]
    fn a_range_has_two_ipv4_addresses_in_order() {
        check("10.0.0.1", None, &[]);
        check("10.0.0.1", Some("10.0.0.1"), &[]);
        check("9.0.0.1", Some("10.0.0.1"), &[]);
        check(
            "10.0.0.2",
            Some("10.0.0.1"),
            &["range_end: The range ends at 10.0.0.1, before"],
        );
        check("10.0.0.0/24", None, &["range_start: \"10.0.0.0/24\" is a network"]);
        check("::1", None, &["no IPv4 address, and the instance knows no others"]);
        check(
            "10.0.0.256",
            Some("x"),
            &["range_start: \"10.0.0.256\"", "range_end: \"x\""],
        );
    }
}
