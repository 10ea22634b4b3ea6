//! `servicenow_ip_access_rule`: which addresses may reach the instance (`ip_access`).
//!
//! The wire values of `type` and `direction` are documented nowhere: they are looked up in `sys_choice`, by value or by
//! label, and never assumed.

use std::net::Ipv4Addr;

use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Diagnostic, Diagnostics, Object, Plan, Validator};
use crate::records::duplicate_check::NaturalKey;
use crate::records::field::{self, Field};
use crate::records::resource::RecordResource;
use crate::servicenow::tables::ip_access::{ACTIVE, DESCRIPTION, DIRECTION, RANGE_END, RANGE_START, TABLE, TYPE};
use crate::servicenow::tables::sys_choice;
use crate::servicenow::{Cell, Column, Record, Table};

pub(super) struct IpAccessRule;

impl RecordResource for IpAccessRule {
    const TYPE: &'static str = "servicenow_ip_access_rule";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "address rule";
    const DESCRIPTION: &'static str = "A rule of the IP address access control: a range of IPv4 addresses that may, \
                                       or may not, reach the instance. Table `ip_access`. **Allow rules block nothing \
                                       by themselves**: they only matter together with a deny rule, which they \
                                       override. An instance refuses a rule that would lock out the account that \
                                       creates it.";
    const LISTS: &'static str = "Lists the rules of the IP address access control.";
    const LABEL: Column = DESCRIPTION;
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[RANGE_START, RANGE_END, DIRECTION, TYPE],
        label: DESCRIPTION,
        why: "A second one would have no effect while the first exists.",
        otherwise: "leave it unmanaged here, or agree on who manages it",
        recheck: false,
    });
    const OTHER_TABLES: &'static [Table] = &[sys_choice::TABLE];
    const REFUSAL_ADVICE: Option<&'static str> = Some(
        "An instance refuses a rule that would lock out the account that creates it: if this rule denies, or is the \
         one that allows the account's own address, first add a rule that allows the address from which Terraform \
         calls.",
    );

    fn fields() -> Vec<Field> {
        let choice = |name| {
            let attribute = Attribute::text(name).required();
            attribute.check(validate::not_blank()).check(field::key_text())
        };
        vec![
            Field::id(),
            Field::choice(
                TABLE,
                TYPE,
                choice("type").describe(
                    "`allow` or `deny`: the label or the value of a choice of the instance (`sys_choice`), in any case.",
                ),
            ),
            Field::choice(
                TABLE,
                DIRECTION,
                choice("direction").describe(
                    "`inbound`, `outbound`, or the instance's name for both: the label or the value of one of its \
                     choices, in any case.",
                ),
            ),
            Field::new(
                RANGE_START,
                Attribute::text("range_start").required().check(address()).describe("First address of the range."),
            ),
            Field::new(
                RANGE_END,
                Attribute::text("range_end").optional_computed().check(address()).describe(
                    "Last address of the range; for a single address the same as `range_start`, which is the default.",
                ),
            ),
            Field::new(
                ACTIVE,
                Attribute::flag("active").default(true).describe("Whether the rule is in force."),
            ),
            Field::new(DESCRIPTION, Attribute::text("description").describe("Free text.")),
            Field::timeouts(),
        ]
    }

    fn display_name(record: &Record) -> String {
        let text = |column| record.text(column).value().unwrap_or("?");
        let range = format!("{} to {}", text(RANGE_START), text(RANGE_END));
        match record.text(DESCRIPTION) {
            Cell::Value(description) => format!("{description} ({range})"),
            Cell::Empty | Cell::Hidden => range,
        }
    }

    fn validate(config: &Object) -> Diagnostics {
        let address = |attribute| config.text(attribute).and_then(|text| text.parse::<Ipv4Addr>().ok());
        match (address("range_start"), address("range_end")) {
            (Some(start), Some(end)) if start > end => {
                let detail = format!("The range ends at {end}, before it starts at {start}. Swap the two.");
                Diagnostic::error("Invalid range", detail)
                    .at_attribute("range_end")
                    .into()
            }
            _ => Diagnostics::new(),
        }
    }

    fn plan(plan: &mut Plan<'_>) {
        if plan.config.at("range_end").is_null() {
            let start = plan.state.at("range_start").clone();
            plan.state.set("range_end", start);
        }
    }
}

fn address() -> Validator {
    Validator::text("An IPv4 address.", |text| {
        if text.parse::<Ipv4Addr>().is_ok() {
            return Ok(());
        }
        Err(match text.split_once('/') {
            Some((network, _)) if network.parse::<Ipv4Addr>().is_ok() => format!(
                "{text:?} is a network, but the instance stores only first and last addresses. Use range_start = \
                 cidrhost({text:?}, 0) and range_end = cidrhost({text:?}, -1)."
            ),
            _ if text.contains(':') => format!("{text:?} is not an IPv4 address, and the instance supports no others."),
            _ => {
                format!("{text:?} is not an IPv4 address: expected four numbers from 0 to 255 separated by dots.")
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::BlockType;
    use crate::records::resource::ManagedRecord;

    #[track_caller]
    fn check(start: &str, end: Option<&str>, expected: &[&str]) {
        let resource = ManagedRecord::<IpAccessRule>::new();
        let config = Object::new()
            .with("type", "allow")
            .with("direction", "inbound")
            .with("range_start", start)
            .with("range_end", end);
        let mut found = validate::configuration(&resource.schema(), &config, validate::WriteOnly::Allowed);
        found.append(resource.validate(&config));
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
        check(
            "::1",
            None,
            &["not an IPv4 address, and the instance supports no others"],
        );
        check(
            "10.0.0.256",
            Some("x"),
            &["range_start: \"10.0.0.256\"", "range_end: \"x\""],
        );
    }
}
