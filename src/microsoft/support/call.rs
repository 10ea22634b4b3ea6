//! One call of the API: signed, sent, and its answer judged.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::http::header::CONTENT_TYPE;
use crate::http::jwt_claims::Claims;
use crate::http::token_cache::Token;
use crate::http::{Answer, HttpError, Limits, Repeat, Request, StatusCode};
use crate::microsoft::support::api_profile::{Operation, PLACEHOLDER};
use crate::microsoft::support::{SupportApi, SupportError, error};

pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) operation: &'static str,
    pub(super) repository_id: Option<&'a str>,
    pub(super) body: Option<Map<String, Value>>,
}

impl SupportApi {
    /// One operation; `None` for an empty answer and for a setting that was never made.
    pub(super) async fn call(
        &self,
        call: Call<'_>,
        repeat: Repeat,
        limits: &Limits,
    ) -> Result<Option<Value>, SupportError> {
        let Call {
            name,
            operation,
            repository_id,
            ref body,
        } = call;
        let spec = self.profile.operation(name).ok_or(SupportError::NotInProfile(name))?;
        let path = match repository_id {
            // The URL standard resolves these, encoded or not.
            Some(id @ ("" | "." | "..")) => {
                return Err(SupportError::BadRepositoryId(id.to_owned()));
            }
            Some(id) => spec
                .path
                .replace(PLACEHOLDER, &utf8_percent_encode(id, SEGMENT).to_string()),
            None => spec.path.clone(),
        };
        let failed = |source| SupportError::Http { operation, source };
        let mut renewed = false;
        loop {
            let token = if self.profile.bearer {
                Some(self.entra.token(limits).await?)
            } else {
                None
            };
            let request = self
                .request(spec, &path, body.as_ref(), token.as_ref(), repeat)
                .map_err(failed)?;
            let answer = self.http.send(request.label(name), limits).await.map_err(failed)?;
            let status = answer.status();
            if status == StatusCode::UNAUTHORIZED
                && !renewed
                && self.entra.can_renew()
                && let Some(token) = &token
            {
                // Turned away before anything was done, so even a create may be sent again.
                renewed = true;
                self.entra.invalidate(token, limits).await?;
                continue;
            }
            if spec.expected.contains(&status.as_u16()) {
                return self.document(operation, &answer);
            }
            // Only of a read: a write that meets nothing has not happened.
            if repository_id.is_none() && body.is_none() && error::is_object_missing(&answer) {
                return Ok(None);
            }
            if status == StatusCode::FORBIDDEN && self.entra.is_app_only() {
                return Err(SupportError::ApplicationOnly { operation });
            }
            return Err(SupportError::from_answer(operation, &path, &answer, || {
                self.hint(token.as_ref())
            }));
        }
    }

    fn request(
        &self,
        spec: &Operation,
        path: &str,
        body: Option<&Map<String, Value>>,
        token: Option<&Token>,
        repeat: Repeat,
    ) -> Result<Request, HttpError> {
        let url = self.admin.join(path)?;
        let mut request = Request::new(spec.method.clone(), url, &self.admin, repeat).max_answer(MAX_ANSWER);
        for (name, value) in self.profile.headers.iter().chain(&spec.override_header) {
            request = if SESSION_HEADERS.contains(&name.as_str()) {
                request.secret_header(name.clone(), value)?
            } else {
                request.header(name.clone(), value.expose())?
            };
        }
        if let Some(body) = body {
            request = request.json(body)?.header(CONTENT_TYPE, &self.profile.content_type)?;
        }
        match token {
            Some(token) => request.bearer(&token.value),
            None => Ok(request),
        }
    }

    /// The body of a success: JSON of an accepted type, or nothing at all.
    fn document(&self, operation: &'static str, answer: &Answer) -> Result<Option<Value>, SupportError> {
        if answer.body().iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let content_type = answer.content_type();
        let accepted = self.profile.accepted_content_types.contains(&content_type) && !answer.is_html();
        if let Some(document) = accepted.then(|| serde_json::from_slice(answer.body()).ok()).flatten() {
            return Ok(Some(document));
        }
        let kind = if content_type.is_empty() {
            "no content type".to_owned()
        } else {
            content_type
        };
        let what = match answer.html_title() {
            Some(title) => format!("{kind} ({title:?})"),
            None if accepted => format!("{kind} that is truncated or malformed"),
            None => kind,
        };
        Err(SupportError::NotJson {
            operation,
            status: answer.status().as_u16(),
            what,
        })
    }

    /// What is wrong with the rejected token, by its claims.
    fn hint(&self, token: Option<&Token>) -> String {
        if self.entra.is_app_only() {
            return "; it is an application's own token without a user, which the admin center most likely never accepts"
                .to_owned();
        }
        let claims = token.and_then(|token| Claims::decode(token.value.expose()).ok());
        let audiences = claims.as_ref().map(Claims::audiences).unwrap_or_default();
        if audiences.is_empty()
            || audiences
                .iter()
                .any(|audience| audience.trim_end_matches('/') == self.entra.resource() || *audience == PORTAL_APP)
        {
            return String::new();
        }
        format!(
            "; it is for {}, not for {}",
            audiences.join(", "),
            self.entra.resource()
        )
    }
}

/// Everything that could end a path segment or begin another is encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Headers of a portal session that a profile may pass through.
const SESSION_HEADERS: &[&str] = &["cookie", "authorization", "ajaxsessionkey", "x-portal-routekey"];
/// The admin center's application: its tokens may carry the id instead of the address.
const PORTAL_APP: &str = "00000006-0000-0ff1-ce00-000000000000";
const MAX_ANSWER: usize = 16 << 20;
