//! Errors of the connection and of the sign-in as diagnostics.
//!
//! They are the same whatever was to be done, so their title says what is wrong and not what it kept from happening, and
//! a run tells each of them in full once.

use crate::http::HttpError;
use crate::microsoft::{EntraError, SupportError};
use crate::plugin::Diagnostic;
use crate::plugin::diagnostics::explain;
use crate::servicenow::{Refusal, SignInError, TableError, UnexpectedResponse, Verb};

/// A table call that failed because the instance was not reached or did not accept the account; `None` for any other.
pub(crate) fn of_table(error: &TableError) -> Option<Diagnostic> {
    if let TableError::Unauthenticated { .. } = error {
        return Some(refused(SERVICENOW, explain(error, &error.remedy())));
    }
    if let TableError::SignIn { source } = error {
        return Some(of_sign_in(source));
    }
    if let TableError::Unavailable {
        source: Some(source), ..
    } = error
    {
        return of_http(source);
    }
    let detail = || explain(error, &error.remedy());
    match error {
        TableError::NotTheApi { host, response } => Some(of_response(host, response, detail())),
        TableError::RateLimited { .. } => Some(of_instance("The ServiceNow instance limits requests", detail())),
        TableError::UnknownColumn { .. } => Some(of_instance("Unknown column in the query", detail())),
        TableError::NoSuchTable { table } => Some(of_instance(format!("The instance has no table {table}"), detail())),
        error => of_read(error, detail()),
    }
}

/// A read that failed whatever it was to find. A write keeps the title that says what was not written.
fn of_read(error: &TableError, detail: String) -> Option<Diagnostic> {
    match error {
        TableError::Refused {
            table,
            verb: Verb::Read,
            reason: Refusal::Acl { .. } | Refusal::Other { .. },
        } => Some(of_instance(format!("No right to read {table}"), detail)),
        TableError::Refused {
            verb: Verb::Read,
            reason: Refusal::MissingScope { scope },
            ..
        } => Some(of_instance(format!("The token lacks the auth scope {scope}"), detail)),
        TableError::Unavailable {
            verb: Verb::Read,
            status: Some(_),
            ..
        }
        | TableError::UnusableAnswer { verb: Verb::Read, .. } => {
            Some(of_instance("No usable response from the ServiceNow instance", detail))
        }
        TableError::TransactionCancelled { verb: Verb::Read, .. } => {
            Some(of_instance("The ServiceNow instance cancelled a request", detail))
        }
        _ => None,
    }
}

/// Something else than what was asked for responded.
fn of_response(host: &str, response: &UnexpectedResponse, detail: String) -> Diagnostic {
    match response {
        UnexpectedResponse::Hibernating => of_instance("The ServiceNow instance is hibernating", detail),
        UnexpectedResponse::Maintenance => of_instance("The ServiceNow instance is under maintenance", detail),
        UnexpectedResponse::AddressBlocked => of_instance(
            "The ServiceNow instance probably blocks the address of this machine",
            detail,
        ),
        UnexpectedResponse::Proxy { .. } => {
            of_instance(format!("A proxy or gateway responded in place of {host}"), detail)
        }
        UnexpectedResponse::LoginPage
        | UnexpectedResponse::NoSuchRoute { .. }
        | UnexpectedResponse::Redirect { .. }
        | UnexpectedResponse::Unknown { .. } => of_instance(format!("No Table API at {host}"), detail),
    }
}

fn of_instance(title: impl Into<String>, detail: String) -> Diagnostic {
    Diagnostic::error(title, detail).told_once()
}

/// What the user can do about a table call that failed, in the words of Terraform where it has its own.
pub(crate) fn remedy_of_table(error: &TableError) -> String {
    if let TableError::Duplicate {
        existing: Some(sys_id), ..
    } = error
    {
        return format!("Import the record with `terraform import <address> {sys_id}`, or use another value.");
    }
    error.remedy()
}

/// A sign-in to the instance that brought no token.
pub(crate) fn of_sign_in(error: &SignInError) -> Diagnostic {
    let of_connection = if let SignInError::Http(error) = error {
        of_http(error)
    } else {
        None
    };
    let detail = explain(error, &error.remedy());
    match (of_connection, error) {
        (Some(diagnostic), _) => diagnostic,
        (None, SignInError::Page { host, response }) => of_response(host, response, detail),
        (None, _) if error.rejects_credentials() => refused(SERVICENOW, detail),
        (None, _) => failed(SERVICENOW, detail).told_once(),
    }
}

/// A call of the admin center that failed because of the connection or the sign-in; `None` for any other.
pub(crate) fn of_support(error: &SupportError) -> Option<Diagnostic> {
    if let SupportError::Http { source, .. } = error {
        return of_http(source);
    }
    if let SupportError::SignIn(source) = error {
        let detail = || explain(source, &source.remedy());
        return Some(match of_entra_connection(source) {
            Some(diagnostic) => diagnostic,
            None if source.rejects_credentials() => refused(MICROSOFT, detail()),
            None => failed(MICROSOFT, detail()).told_once(),
        });
    }
    if let SupportError::Unauthorized { .. } = error {
        return Some(refused(MICROSOFT, explain(error, &error.remedy())));
    }
    None
}

/// A sign-in to Entra without a connection or an answer; `None` when something answered.
pub(crate) fn of_entra_connection(error: &EntraError) -> Option<Diagnostic> {
    if let EntraError::Http(error) = error {
        of_http(error)
    } else {
        None
    }
}

/// No connection or no answer at all; `None` when something answered.
pub(crate) fn of_http(error: &HttpError) -> Option<Diagnostic> {
    if let HttpError::Options(_) = error {
        let detail = explain(error, &format!("{} Nothing was sent.", error.remedy()));
        return Some(Diagnostic::error("Invalid provider configuration", detail).told_once());
    }
    if let HttpError::Lost { host, .. } = error {
        let detail = explain(error, &error.remedy());
        return Some(Diagnostic::error(format!("No response from {host}"), detail).told_once());
    }
    let address = error.unreachable()?;
    Some(
        Diagnostic::error(
            format!("Could not reach {address}"),
            explain(error, &format!("{} {NOT_SENT}", error.remedy())),
        )
        .told_once(),
    )
}

fn refused(service: &str, detail: String) -> Diagnostic {
    failed(service, detail)
        .told_once_and("Rejected credentials are not tried again, because that could lock the account.")
}

fn failed(service: &str, detail: String) -> Diagnostic {
    Diagnostic::error(format!("Could not sign in to {service}"), detail)
}

const SERVICENOW: &str = "ServiceNow";
const MICROSOFT: &str = "Microsoft 365";
const NOT_SENT: &str = "This request was not sent; completed changes are in the state.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_the_problem() {
        let unreachable = HttpError::Connect {
            host: "dev1.service-now.com".to_owned(),
            address: "https://dev1.service-now.com".to_owned(),
            why: "Connection refused (os error 111)".to_owned(),
        };
        let of_token = SignInError::Http(unreachable.clone());
        let of_settings = SupportError::SignIn(EntraError::Http(unreachable.clone()));
        let of_call = SupportError::Http {
            operation: "read the support settings",
            source: unreachable,
        };

        for diagnostic in [
            of_sign_in(&of_token),
            of_support(&of_settings).unwrap(),
            of_support(&of_call).unwrap(),
        ] {
            assert_eq!(diagnostic.summary, "Could not reach https://dev1.service-now.com");
            assert_eq!(
                diagnostic.detail,
                "No connection to dev1.service-now.com (Connection refused (os error 111)).\n\nCheck the address, \
                 the port and the network path (firewall, proxy, VPN). This request was not sent; completed changes \
                 are in the state."
            );
            assert!(diagnostic.repeated.is_some());
        }
    }

    #[test]
    fn what_was_reached_and_did_not_help_is_the_title_too() {
        let lost = SupportError::Http {
            operation: "read the support settings",
            source: HttpError::Lost {
                host: "h".to_owned(),
                why: "w".to_owned(),
            },
        };
        assert_eq!(of_support(&lost).unwrap().summary, "No response from h");
        let expired = SupportError::SignIn(EntraError::Expired { ago: 60 });
        let diagnostic = of_support(&expired).unwrap();
        assert_eq!(diagnostic.summary, "Could not sign in to Microsoft 365");
        assert!(diagnostic.detail.contains("refresh_token"), "{}", diagnostic.detail);
        let repeated = diagnostic.repeated.unwrap();
        assert!(!repeated.contains("ejected"), "nobody rejected it: {repeated}");
    }
}
