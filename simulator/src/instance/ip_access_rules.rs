//! IP address access control (`ip_access`).

use std::net::IpAddr;

use crate::instance::store::{Record, Rows, is_true, value};
use crate::instance::write_context::{Platform, Refused};

/// Whether the rules let this address in: an Allow rule beats Deny rules, and nothing is blocked without one.
pub(super) fn admits(rows: &Rows, address: &str) -> bool {
    admits_with(rows, None, address)
}

/// A rule that would lock out who makes it is refused.
pub(super) fn check_lock_out(platform: &Platform<'_>, rule: &Record) -> Result<(), Refused> {
    if admits_with(platform.rows, Some(rule), &platform.modes.client_address) {
        return Ok(());
    }
    Err(Refused::by_rule("ip_access", "Prevent locking yourself out"))
}

fn admits_with(rows: &Rows, candidate: Option<&Record>, address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else {
        return true;
    };
    let stored = rows
        .of_class("ip_access")
        .filter(|row| candidate.is_none_or(|candidate| value(row, "sys_id") != value(candidate, "sys_id")));
    let (mut is_denied, mut is_allowed) = (false, false);
    for rule in stored.chain(candidate) {
        let start = value(rule, "range_start").parse::<IpAddr>();
        let end = value(rule, "range_end").parse::<IpAddr>();
        let (Ok(start), Ok(end)) = (start, end) else {
            continue;
        };
        let is_inbound = ["Inbound", "Bidirectional"].contains(&label(rows, "direction", rule).as_str());
        // Addresses of the other family are outside of every range.
        let is_inside =
            [start, end].iter().all(|one| one.is_ipv4() == address.is_ipv4()) && (start..=end).contains(&address);
        if !is_true(rule, "active") || !is_inbound || !is_inside {
            continue;
        }
        match label(rows, "type", rule).as_str() {
            "Deny" => is_denied = true,
            _ => is_allowed = true,
        }
    }
    is_allowed || !is_denied
}

/// What a choice of `ip_access` means, so that a test may give it other wire values.
fn label(rows: &Rows, element: &str, rule: &Record) -> String {
    rows.of_class("sys_choice")
        .find(|choice| {
            value(choice, "name") == "ip_access"
                && value(choice, "element") == element
                && value(choice, "value") == value(rule, element)
        })
        .map(|choice| value(choice, "label").to_owned())
        .unwrap_or_default()
}
