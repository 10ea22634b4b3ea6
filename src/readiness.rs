//! Checks of everything that the integration needs.
//!
//! What cannot be read is `unknown` and no error, so that an account with partial rights learns what it can.

mod application; // The installed application, its access to tables, its roles.
mod entra_addresses; // Metadata and token addresses.
mod finding; // What a check found.
mod platform; // Plugin and property of OAuth.
mod records; // Profiles, OIDC providers, the integration user.
mod terraform_account; // Sign-in, rights, current application.
mod wanted; // What to check.

use crate::clients::Clients;
use crate::plugin::Context;
use crate::servicenow::Session;

pub(crate) use entra_addresses::Addresses;
pub(crate) use finding::Finding;
use finding::Status;
pub(crate) use wanted::Wanted;

/// Every check, in the same order every time.
pub(crate) async fn check(cx: &Context<Clients>, session: &Session, wanted: &Wanted) -> Vec<Finding> {
    let on_the_instance = async {
        let sign_in = terraform_account::sign_in(session, wanted).await;
        // Without an instance that answers, every check would say the same at length.
        if sign_in.is_failure() {
            return vec![sign_in];
        }
        let (application, platform, account, records) = tokio::join!(
            application::check(session, wanted),
            platform::check(session),
            terraform_account::check(session, wanted),
            records::check(session, wanted),
        );
        [vec![sign_in], application, platform, account, records].concat()
    };
    let (mut findings, outside) = tokio::join!(on_the_instance, entra_addresses::check(cx, wanted));
    findings.extend(outside);
    in_order(findings)
}

/// Every check in its place; one that was not made is unknown.
fn in_order(findings: Vec<Finding>) -> Vec<Finding> {
    let names = [
        &["sign_in"],
        application::NAMES,
        platform::NAMES,
        &terraform_account::names().collect::<Vec<_>>(),
        records::NAMES,
        entra_addresses::NAMES,
    ]
    .concat();
    let found = |name: &str| findings.iter().find(|finding| finding.name == name).cloned();
    let not_made = |name| {
        let detail = "Not checked, because the instance did not respond to the first request.";
        Finding::new(name, Status::Unknown, detail, "See the check sign_in.")
    };
    names
        .into_iter()
        .map(|name| found(name).unwrap_or_else(|| not_made(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_place_and_one_that_was_not_made_is_unknown() {
        let found = vec![
            Finding::pass(entra_addresses::NAMES[0], "x"),
            Finding::fail("sign_in", "refused", "Check the password."),
        ];

        let ordered = in_order(found);

        assert_eq!((ordered[0].name, ordered[0].status), ("sign_in", Status::Fail));
        assert_eq!(ordered[1].status, Status::Unknown);
        let last = &ordered[ordered.len() - entra_addresses::NAMES.len()];
        assert_eq!((last.name, last.status), (entra_addresses::NAMES[0], Status::Pass));
        let mut names: Vec<_> = ordered.iter().map(|finding| finding.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ordered.len());
    }
}
