//! What an answer of the instance means. The only place that reads the vendor's texts.
//!
//! An answer is one of the Table API's only if its content type is JSON and its body parses: a hibernating instance
//! answers every route with 200 and a page.
//!
//! Facts: `absent-record-is-404`, `absent-table-is-400`, `acl-refusal-is-403`, `business-rules-abort-with-403`,
//! `words-of-401`, `hibernation-is-html`, `quota-cancels-transactions`, `address-rules-refuse-callers`.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use crate::http::{Answer, secret};
use crate::servicenow::error::{Refusal, TableError, UnexpectedResponse, Verb};
use crate::servicenow::sign_in::method::SignInMethod;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::Table;

/// The call that was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) table: Table,
    pub(super) verb: Verb,
    /// None for a list.
    pub(super) sys_id: Option<&'a SysId>,
    pub(super) method: SignInMethod,
}

/// The `result` of a good answer, null when there is none (204).
pub(super) fn read(call: Call<'_>, answer: &Answer) -> Result<Json, TableError> {
    let status = answer.status().as_u16();
    // Some releases and gateways answer a removal with 200 or 202, and nothing else.
    let is_removed =
        call.verb == Verb::Delete && matches!(status, 200 | 202) && answer.body().iter().all(u8::is_ascii_whitespace);
    if status == 204 || is_removed {
        return Ok(Json::Null);
    }
    let body = match Body::of(answer) {
        Body::Envelope(body) => body,
        Body::Broken(problem) => return Err(broken(call, answer, problem)),
        Body::Foreign => return Err(foreign(call, answer)),
    };
    if matches!(status, 403 | 404 | 410) && !body.get("error").is_some_and(Json::is_object) {
        // A gateway, or an instance of something else: this API sends an object with its reason.
        return Err(foreign(call, answer));
    }
    let error = body.get("error").filter(|error| !error.is_null()).map(VendorError::of);
    match (status, error) {
        (200 | 201, None) => match body.get("result") {
            Some(result) => Ok(result.clone()),
            None if call.verb == Verb::Delete => Ok(Json::Null),
            None => Err(unusable(call, answer, "the response has no \"result\"".to_owned())),
        },
        (_, error) => Err(refusal(call, answer, error.unwrap_or_default())),
    }
}

/// Whether a refusal is about the key that we chose for a new record. The vendor's wording is not known; it can hardly
/// do without the column's name.
pub(super) fn is_about_the_key(error: &TableError) -> bool {
    if let TableError::BadRequest { detail, .. }
    | TableError::Refused {
        reason: Refusal::Acl { detail } | Refusal::Other { detail },
        ..
    } = error
    {
        return detail.contains("sys_id");
    }
    false
}

enum Body {
    Envelope(Map<String, Json>),
    /// Says that it is JSON, but cannot be read.
    Broken(String),
    Foreign,
}

impl Body {
    fn of(answer: &Answer) -> Body {
        match answer.json::<Json>() {
            Ok(Json::Object(body)) => Body::Envelope(body),
            Ok(_) => Body::Broken("the response is not an object".to_owned()),
            Err(crate::http::NotJson::Body { source, .. }) => Body::Broken(source.to_string()),
            Err(crate::http::NotJson::ContentType { .. }) => Body::Foreign,
        }
    }
}

/// The object `error` of the envelope: `{"message": …, "detail": …}`, the detail may be null or missing.
#[derive(Default)]
struct VendorError {
    message: String,
    detail: String,
}

impl VendorError {
    fn of(error: &Json) -> VendorError {
        let Json::Object(parts) = error else {
            return VendorError {
                message: error.as_str().unwrap_or_default().to_owned(),
                detail: String::new(),
            };
        };
        let part = |name: &str| parts.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        VendorError {
            message: part("message"),
            detail: part("detail"),
        }
    }

    fn text(&self) -> String {
        // These words stand in the middle of a sentence, or at the end of one that gets its own full stop.
        let [message, detail] = [&self.message, &self.detail].map(|text| text.trim().trim_end_matches('.'));
        let text = match (message, detail) {
            ("", "") => "no reason given".to_owned(),
            (text, "") | ("", text) => text.to_owned(),
            (message, detail) => format!("{message}: {detail}"),
        };
        // An instance may quote what it was sent.
        secret::mask(&text).into_owned()
    }

    /// Sorts the vendor's texts. Quoted from recorded answers and the vendor's documentation; all in English, which is
    /// the language of this API whatever the user's is.
    fn kind(&self) -> Said {
        let text = self.text().to_lowercase();
        let says = |part: &str| text.contains(part);
        if says("transaction cancelled") || says("maximum execution time exceeded") {
            // "Transaction cancelled: maximum execution time exceeded", status 200 or 5xx.
            Said::TransactionCancelled
        } else if says("invalid table") {
            // "Invalid table nosuch", status 400.
            Said::NoSuchTable
        } else if says("does not represent any resource") {
            // "Requested URI does not represent any resource", status 400 or 404.
            Said::NoSuchRoute
        } else if let Some(scope) = self.missing_scope() {
            Said::MissingScope(scope)
        } else if says("cross-scope") || says("cross scope") {
            // "… cross-scope access policy …", status 403.
            Said::CrossScope
        } else if says("aborted by business rule") || says("business rule stack") || says("data policy") {
            // "Operation against file 'T' was aborted by Business Rule 'N^<sys_id>'. Business Rule Stack:…", status 403.
            Said::BusinessRule(self.rule())
        } else if says("acl exception") || says("security constraints") || says("acl restricts") {
            // "ACL Exception Insert Failed due to security constraints", status 403.
            Said::Acl
        } else if says("duplicate") || says("unique key") || says("unique constraint") || says("already exists") {
            // Not documented for REST; databases word it this way.
            Said::Duplicate
        } else {
            Said::Other
        }
    }

    /// The scope in "Missing required api access scope: useraccount", status 403.
    fn missing_scope(&self) -> Option<String> {
        let text = self.text();
        let at = text.to_ascii_lowercase().find(MISSING_SCOPE)? + MISSING_SCOPE.len();
        let scope = text[at..].split_whitespace().next().unwrap_or_default();
        Some(scope.trim_matches(['"', '.', ',']).to_owned())
    }

    /// The name of the rule in "… Business Rule 'N^<sys_id>'. …".
    fn rule(&self) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once("Business Rule '")?;
        let name = rest.split(['^', '\'']).next()?;
        (!name.is_empty()).then(|| name.to_owned())
    }
}

#[derive(Debug)]
enum Said {
    TransactionCancelled,
    NoSuchTable,
    NoSuchRoute,
    MissingScope(String),
    CrossScope,
    BusinessRule(Option<String>),
    Acl,
    Duplicate,
    Other,
}

/// An answer in the Table API's own envelope that is no success.
fn refusal(call: Call<'_>, answer: &Answer, error: VendorError) -> TableError {
    let Call { table, verb, .. } = call;
    let status = answer.status().as_u16();
    let host = answer.host().to_owned();
    let detail = error.text();
    let refused = |reason| TableError::Refused { table, verb, reason };
    match (status, error.kind()) {
        (401, _) => unauthenticated(call, answer, detail),
        (_, Said::TransactionCancelled) => TableError::TransactionCancelled { table, verb, detail },
        (400 | 404, Said::NoSuchTable) => TableError::NoSuchTable { table },
        (400 | 404, Said::NoSuchRoute) => TableError::NotTheApi {
            host,
            response: UnexpectedResponse::NoSuchRoute { status },
        },
        (404, _) => match call.sys_id {
            Some(sys_id) => TableError::NotFound {
                table,
                sys_id: sys_id.clone(),
            },
            None => refused(Refusal::Other { detail }),
        },
        (409, _) | (200..=499, Said::Duplicate) => TableError::Duplicate {
            table,
            key: "the same key".to_owned(),
            existing: None,
        },
        (200..=499, Said::MissingScope(scope)) => refused(Refusal::MissingScope { scope }),
        (200..=499, Said::CrossScope) => refused(Refusal::CrossScope { detail }),
        (200..=499, Said::BusinessRule(rule)) => refused(Refusal::BusinessRule { rule, detail }),
        (200..=499, Said::Acl) => refused(Refusal::Acl { detail }),
        (403, _) => refused(Refusal::Other { detail }),
        (200..=299, _) => unusable(call, answer, detail),
        (429, _) => TableError::RateLimited {
            host,
            retry_after: answer.retry_after(),
        },
        (300..=499, _) => TableError::BadRequest {
            table,
            verb,
            status,
            detail,
        },
        _ => TableError::Unavailable {
            table,
            verb,
            status: Some(status),
            source: None,
        },
    }
}

/// JSON that cannot be read. A list is streamed, so a cancelled transaction ends in an error object inside a 200.
fn broken(call: Call<'_>, answer: &Answer, problem: String) -> TableError {
    let Call { table, verb, .. } = call;
    let text = String::from_utf8_lossy(answer.body());
    let tail: String = text.chars().skip(text.chars().count().saturating_sub(2000)).collect();
    let lower = tail.to_lowercase();
    if lower.contains("transaction cancelled") || lower.contains("maximum execution time exceeded") {
        let detail = "Transaction cancelled: maximum execution time exceeded".to_owned();
        return TableError::TransactionCancelled { table, verb, detail };
    }
    match answer.status().as_u16() {
        401 => unauthenticated(call, answer, "the response cannot be read".to_owned()),
        status @ 500.. => TableError::Unavailable {
            table,
            verb,
            status: Some(status),
            source: None,
        },
        _ => unusable(call, answer, problem),
    }
}

/// The page that an instance, or what stands before it, sends whatever was asked for; `None` where it is none of those that
/// are known.
pub(super) fn page(answer: &Answer) -> Option<UnexpectedResponse> {
    let text = beginning(answer);
    let says = |words: &[&str]| answer.is_html() && words.iter().any(|it| text.contains(it));
    match answer.status().as_u16() {
        // A page with the class "instance-hibernating-page", status 200.
        _ if says(&["hibernat"]) => Some(UnexpectedResponse::Hibernating),
        401 => None,
        _ if says(&["maintenance", "being maintained", "being upgraded"]) => Some(UnexpectedResponse::Maintenance),
        status @ (407 | 511) => Some(UnexpectedResponse::Proxy { status }),
        403 if answer.is_html() => Some(UnexpectedResponse::AddressBlocked),
        _ => None,
    }
}

/// The first 64 KiB of a body, in small letters.
fn beginning(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body()[..answer.body().len().min(64 * 1024)]).to_lowercase()
}

/// Not JSON at all: the content type decides, the text only tells the kinds of pages apart.
fn foreign(call: Call<'_>, answer: &Answer) -> TableError {
    let Call { table, verb, .. } = call;
    let status = answer.status().as_u16();
    let host = answer.host().to_owned();
    let text = beginning(answer);
    let response = if let Some(page) = page(answer) {
        page
    } else if status == 401 {
        return unauthenticated(
            call,
            answer,
            answer.html_title().unwrap_or_else(|| "no reason given".to_owned()),
        );
    } else if status == 404 || status == 410 {
        UnexpectedResponse::NoSuchRoute { status }
    } else if status == 414 {
        let detail = "the address is too long".to_owned();
        return TableError::BadRequest {
            table,
            verb,
            status,
            detail,
        };
    } else if (500..=599).contains(&status) {
        return TableError::Unavailable {
            table,
            verb,
            status: Some(status),
            source: None,
        };
    } else if answer.is_html() && (text.contains("login") || text.contains("sign in") || text.contains("log in")) {
        UnexpectedResponse::LoginPage
    } else {
        let content_type = answer.header("content-type").unwrap_or("no content type").to_owned();
        UnexpectedResponse::Unknown {
            content_type,
            status,
            title: answer.html_title(),
        }
    };
    TableError::NotTheApi { host, response }
}

fn unauthenticated(call: Call<'_>, answer: &Answer, detail: String) -> TableError {
    let detail = match answer.header("x-mfa_token") {
        // Answered when the user has to give a second factor.
        Some(_) => format!("{detail}; multi-factor authentication is required of the user"),
        None => detail,
    };
    let note = call.method.has_token().then(|| clock_note(answer)).flatten();
    let detail = match note {
        Some(note) => format!("{detail}; {note}"),
        None => detail,
    };
    TableError::Unauthenticated {
        host: answer.host().to_owned(),
        method: call.method,
        detail,
    }
}

/// What a refusal may be due to beside its other causes: two clocks that do not agree on when a token is valid.
pub(super) fn clock_note(answer: &Answer) -> Option<String> {
    let theirs = parse_http_date(answer.header("date")?)?;
    let ahead = theirs.as_second() - Timestamp::now().as_second();
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    (ahead.abs() > CLOCK_TOLERANCE_S).then(|| {
        format!(
            "its clock is {} min {side} this machine's, so tokens begin and end at other times \
             there",
            (ahead.abs() + 30) / 60
        )
    })
}

/// The time of a `Date` header.
pub(super) fn parse_http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn unusable(call: Call<'_>, answer: &Answer, detail: String) -> TableError {
    TableError::UnusableAnswer {
        host: answer.host().to_owned(),
        table: call.table,
        verb: call.verb,
        detail,
    }
}

const MISSING_SCOPE: &str = "missing required api access scope:";
/// Clocks differ by less when both are set by the network.
const CLOCK_TOLERANCE_S: i64 = 120;

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of the words decides by itself: an instance may say the one or the other.
    #[test]
    fn the_words_of_a_refusal_tell_its_kind() {
        for (text, expected) in [
            ("Transaction cancelled", "TransactionCancelled"),
            ("Maximum execution time exceeded", "TransactionCancelled"),
            ("Invalid table nosuch", "NoSuchTable"),
            ("Requested URI does not represent any resource", "NoSuchRoute"),
            (
                "Missing required api access scope: \"useraccount\".",
                "MissingScope(\"useraccount\")",
            ),
            ("Access to 'x' refused due to cross-scope access policy", "CrossScope"),
            ("Cross scope access is denied", "CrossScope"),
            (
                "was aborted by Business Rule 'Check^6816f79cc0a8016401c5a33be04be441'.",
                "BusinessRule(Some(\"Check\"))",
            ),
            ("Business Rule Stack: Check", "BusinessRule(None)"),
            ("Data Policy Exception: The field is mandatory", "BusinessRule(None)"),
            ("ACL Exception Insert Failed", "Acl"),
            ("Failed due to security constraints", "Acl"),
            ("Record was not found or ACL restricts the record retrieval", "Acl"),
            ("Duplicate entry", "Duplicate"),
            ("Unique Key violation", "Duplicate"),
            ("violates a unique constraint", "Duplicate"),
            ("A record already exists", "Duplicate"),
            ("Operation Failed", "Other"),
        ] {
            for (message, detail) in [(text, ""), ("Operation Failed", text)] {
                let error = VendorError {
                    message: message.to_owned(),
                    detail: detail.to_owned(),
                };
                assert_eq!(format!("{:?}", error.kind()), expected, "{message:?}, {detail:?}");
            }
        }
    }
}
