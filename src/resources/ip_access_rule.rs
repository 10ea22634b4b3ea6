//! `servicenow_ip_access_rule`: which addresses may reach the instance (`ip_access`).
//!
//! What an instance stores for `direction` is documented nowhere, and for `type` only in scripts of the vendor: both are
//! looked up in `sys_choice`, by value or by label. Where the account cannot read it, the word goes out in lower case, with a
//! warning.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::clients::Clients;
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Plan, Reading, Validator};
use crate::records::duplicate_check::NaturalKey;
use crate::records::field::{self, Field};
use crate::records::record_resource::RecordResource;
use crate::servicenow::tables::ip_access::{ACTIVE, DESCRIPTION, DIRECTION, RANGE_END, RANGE_START, TABLE, TYPE};
use crate::servicenow::tables::sys_choice;
use crate::servicenow::{Cell, Column, Record, Session, SysId, Table};

pub(super) struct IpAccessRule;

const START: &str = "range_start";
const END: &str = "range_end";

#[async_trait]
impl RecordResource for IpAccessRule {
    const TYPE: &'static str = "servicenow_ip_access_rule";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "address rule";
    const DESCRIPTION: &'static str = "A rule of the IP address access control: a range of addresses that may, \
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
                    "`inbound`, `outbound` or `bidirectional`: the label or the value of a choice of the instance, in any \
                     case.",
                ),
            ),
            Field::new(
                RANGE_START,
                address(START).required().describe(
                    "First address of the range: IPv4 or, from Utah on, IPv6. For a network use `cidrhost`: the instance \
                     stores addresses only.",
                ),
            ),
            Field::new(
                RANGE_END,
                address(END).optional_computed().describe(
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
        let address = |attribute| config.text(attribute).and_then(parsed);
        let (Some(start), Some(end)) = (address(START), address(END)) else {
            return Diagnostics::new();
        };
        let detail = if start.is_ipv4() != end.is_ipv4() {
            format!("The ends of the range are an IPv4 and an IPv6 address: {start} and {end}. Use two of one family.")
        } else if start > end {
            format!("The range ends at {end}, before it starts at {start}. Swap the two.")
        } else {
            return Diagnostics::new();
        };
        Diagnostic::error("Invalid range", detail).at_attribute(END).into()
    }

    /// The end of a range is its start where the configuration does not name it. An imported end stays as it is, also an empty
    /// one.
    fn plan(plan: &mut Plan<'_>) {
        if !plan.config.at(END).is_null() {
            return;
        }
        let end = match plan.prior.filter(|prior| field::is_left_alone(Some(prior), END)) {
            Some(prior) => prior.at(END).clone(),
            None => plan.state.at(START).clone(),
        };
        plan.state.set(END, end);
        // Another start may not fit an imported end.
        plan.diagnostics.append(Self::validate(plan.state));
    }

    async fn after_read(cx: &Context<Clients>, _: &Session, _: &SysId, state: &mut Object) -> Result<(), Diagnostic> {
        let may_be_left = cx.reading == Reading::Import || field::is_left_alone(Some(state), END);
        field::leave_alone(state, END, may_be_left && state.at(END) != state.at(START));
        Ok(())
    }
}

fn parsed(text: &str) -> Option<IpAddr> {
    text.trim().parse().ok()
}

fn address(name: &'static str) -> Attribute {
    Attribute::text(name).check(ip_address())
}

fn ip_address() -> Validator {
    Validator::text("An IPv4 or IPv6 address.", |text| {
        if text.parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        Err(match text.split_once('/') {
            Some((network, _)) if network.parse::<IpAddr>().is_ok() => format!(
                "{text:?} is a network, but the instance stores only first and last addresses. Use range_start = \
                 cidrhost({text:?}, 0) and range_end = cidrhost({text:?}, -1)."
            ),
            _ => format!(
                "{text:?} is not an IP address: expected four numbers from 0 to 255 separated by dots, or an IPv6 address \
                 such as \"2001:db8::1\"."
            ),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::BlockType;
    use crate::records::record_resource::ManagedRecord;

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
    fn a_range_has_two_addresses_of_one_family_in_order() {
        check("10.0.0.1", None, &[]);
        check("10.0.0.1", Some("10.0.0.1"), &[]);
        check("9.0.0.1", Some("10.0.0.1"), &[]);
        check(
            "10.0.0.2",
            Some("10.0.0.1"),
            &["range_end: The range ends at 10.0.0.1, before"],
        );
        check("10.0.0.0/24", None, &["range_start: \"10.0.0.0/24\" is a network"]);
        check("::1", None, &[]);
        check("2001:db8::9", Some("2001:db8::a"), &[]);
        check(
            "2001:db8::a",
            Some("2001:db8::9"),
            &["range_end: The range ends at 2001:db8::9, before"],
        );
        check("2001:db8::/64", None, &["range_start: \"2001:db8::/64\" is a network"]);
        check(
            "fe80::1%eth0",
            None,
            &["range_start: \"fe80::1%eth0\" is not an IP address"],
        );
        check(
            "0.0.0.1",
            Some("::2"),
            &["range_end: The ends of the range are an IPv4 and an IPv6"],
        );
        check(
            "10.0.0.256",
            Some("x"),
            &["range_start: \"10.0.0.256\"", "range_end: \"x\""],
        );
    }
}
