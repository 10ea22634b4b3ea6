//! The send loop: the one way out of the process.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::http::proxy::Configured;
use crate::http::rate_limit::{Pace, TooFast};
use crate::http::request::{address, host_and_port, is_loopback, shown};
use crate::http::retry::{self, Decision, FailedAttempt};
use crate::http::{
    Answer, ClientOptions, HttpError, Limits, OptionsError, Proxies, Repeat, Request, StatusCode, TlsProblem, Url,
    secret, tls, without_byte_order_mark,
};

/// A client for any number of hosts with one set of options. Cheap to make: nothing is read and nothing is opened before
/// the first request.
pub struct Client {
    options: ClientOptions,
    pace: Pace,
    wire: OnceCell<Result<Wire, OptionsError>>,
}

impl Client {
    /// A client that has not done anything yet: wrong options are reported by the first request.
    #[must_use]
    pub fn new(options: ClientOptions) -> Self {
        let pace = Pace::new(options.max_concurrent, options.requests_per_second);
        Self {
            options,
            pace,
            wire: OnceCell::new(),
        }
    }

    /// Sends a request until there is a final answer, and returns that answer whatever its status (but no redirect).
    ///
    /// A [`Repeat::Never`] request that was sent is seen through to its answer for a few seconds after an interruption,
    /// so that what it created is not forgotten.
    ///
    /// # Errors
    /// [`HttpError`]; of these, [`HttpError::Uncertain`] is the one that may not be repeated blindly.
    pub fn send<'a>(&'a self, request: Request, limits: &'a Limits) -> BoxFuture<'a, Result<Answer, HttpError>> {
        Box::pin(self.send_until_final(request, limits))
    }

    async fn send_until_final(&self, request: Request, limits: &Limits) -> Result<Answer, HttpError> {
        request.origin.check(&request.url)?;
        let begun = Instant::now();
        let wire = self.wire(limits).await?;
        let host = host_and_port(&request.url);
        let mut attempt = 0;
        let mut last: Option<String> = None;
        loop {
            if limits.cancel.is_cancelled() {
                return Err(HttpError::Cancelled);
            }
            let permit = self.pace.permit(limits).await.map_err(|too_fast| match too_fast {
                TooFast::Asked(wait) => HttpError::RateLimited {
                    host: host.clone(),
                    retry_after: Some(wait),
                },
                TooFast::Limits(error) => error.after(begun.elapsed(), last.as_deref()),
            })?;
            let sent = Instant::now();
            let result = self.attempt(wire, &request, limits).await;
            drop(permit);
            log(&request, &host, &result, sent.elapsed(), attempt);
            let failed = match result {
                Ok(answer) => Failed::from_answer(&request, answer)?,
                Err(failed) => failed,
            };
            let (verdict, asked) = match &failed {
                // The caller's own time is over, or an error that no repetition cures.
                Failed::Limits(_) | Failed::Final(_) => (Decision::Final, None),
                Failed::NotSent(_) => (retry::decide(request.repeat, FailedAttempt::NotSent), None),
                Failed::Lost(_) => (retry::decide(request.repeat, FailedAttempt::Lost), None),
                Failed::Answered(answer) => (
                    retry::decide(request.repeat, FailedAttempt::Status(answer.status)),
                    answer.retry_after(),
                ),
            };
            match verdict {
                Decision::Again if attempt < self.options.max_retries => {}
                Decision::Again | Decision::Final => {
                    return failed
                        .into_result(&host)
                        .map_err(|error| error.after(begun.elapsed(), last.as_deref()));
                }
                Decision::Uncertain => return Err(failed.into_uncertain(host)),
            }
            let rate_limited = failed.is_rate_limit();
            last = Some(failed.describe());
            let pause = asked.unwrap_or_else(|| retry::pause(self.options.backoff, attempt));
            if pause > limits.remaining() {
                return match failed {
                    _ if rate_limited => Err(HttpError::RateLimited {
                        host,
                        retry_after: Some(pause),
                    }),
                    failed @ (Failed::NotSent(_) | Failed::Answered(_)) => failed.into_result(&host),
                    Failed::Limits(_) | Failed::Final(_) | Failed::Lost(_) => Err(HttpError::DeadlineExceeded {
                        waited: begun.elapsed(),
                        last,
                    }),
                };
            }
            if pause >= WORTH_TELLING {
                tracing::warn!(
                    host,
                    wait_s = pause.as_secs(),
                    reason = last.as_deref(),
                    "waiting before the next attempt"
                );
            }
            if rate_limited && asked.is_some() {
                // The limit is the account's, not this request's: the others would only be turned away as well.
                self.pace.pause(pause);
            }
            let slept = limits.sleep(pause).await;
            slept.map_err(|error| error.after(begun.elapsed(), last.as_deref()))?;
            attempt += 1;
        }
    }

    async fn wire(&self, limits: &Limits) -> Result<&Wire, HttpError> {
        let options = self.options.clone();
        let build = || async move {
            // Reading the system's roots takes milliseconds of file access.
            tokio::task::spawn_blocking(move || Wire::build(&options))
                .await
                .unwrap_or_else(|error| Err(OptionsError::Unusable { why: error.to_string() }))
        };
        let wire = limits.bound(self.wire.get_or_init(build)).await?;
        wire.as_ref().map_err(|error| HttpError::Options(error.clone()))
    }

    /// One attempt, from sending to the last byte.
    async fn attempt(&self, wire: &Wire, request: &Request, limits: &Limits) -> Result<Answer, Failed> {
        let exchange = wire.exchange(request);
        let exchange = async {
            match tokio::time::timeout(self.options.request_timeout, exchange).await {
                Ok(result) => result,
                Err(_) => Err(Failed::Lost(format!(
                    "no response within the request_timeout of {:?}",
                    self.options.request_timeout
                ))),
            }
        };
        match request.repeat {
            Repeat::Idempotent => limits
                .bound(exchange)
                .await
                .unwrap_or_else(|error| Err(Failed::Limits(error))),
            Repeat::Never => {
                tokio::pin!(exchange);
                let over = async {
                    tokio::select! {
                        () = limits.cancel.cancelled() => "the operation was interrupted before the response",
                        () = tokio::time::sleep_until(limits.deadline) => "the operation's time limit ended before the response",
                    }
                };
                tokio::select! {
                    biased;
                    result = &mut exchange => result,
                    why = over => tokio::time::timeout(GRACE, exchange).await.unwrap_or_else(|_| Err(Failed::Lost(why.to_owned()))),
                }
            }
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Sends by a client of the library, whose type the compiler then need not look into (docs/decisions, 12).
type Execute = Box<dyn Fn(reqwest::Request) -> BoxFuture<'static, reqwest::Result<reqwest::Response>> + Send + Sync>;

fn execute(client: reqwest::Client) -> Execute {
    Box::new(move |request| Box::pin(client.execute(request)))
}

/// The library's client, built when the first request needs it.
struct Wire {
    /// An invalid proxy is an error only for hosts that would use it.
    distant: Result<Execute, OptionsError>,
    /// The proxy that a variable names.
    proxy: Option<Configured>,
    /// Without a proxy, for what `NO_PROXY` names with its port and for loopback addresses. These mean another machine to a
    /// proxy: it would be handed the credentials, without TLS even in the clear. Go's clients, Terraform among them, leave
    /// proxies out there as well.
    direct: Execute,
    proxies: Proxies,
    has_roots: bool,
}

impl Wire {
    fn build(options: &ClientOptions) -> Result<Self, OptionsError> {
        let tls = tls::configure(options)?;
        let mut headers = HeaderMap::new();
        let text = |what, text: &str| HeaderValue::from_str(text).map_err(|_| OptionsError::BadHeader { what });
        headers.insert(USER_AGENT, text("the user agent", &options.user_agent)?);
        if let Some(correlation) = &options.correlation {
            headers.insert(correlation.header.clone(), text("the correlation id", &correlation.id)?);
        }
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(options.request_timeout.min(CONNECT_TIMEOUT))
                .pool_idle_timeout(IDLE)
                .default_headers(headers.clone())
                .tls_backend_preconfigured(tls.config.clone())
        };
        let unusable = |error: reqwest::Error| OptionsError::Unusable { why: chain(&error) };
        let (distant, proxy) = match options.proxies.configure() {
            Ok(Some(configured)) => (Ok(builder().proxy(configured.proxy.clone())), Some(configured)),
            Ok(None) => (Ok(builder()), None),
            Err(error) => (Err(error), None),
        };
        Ok(Self {
            distant: match distant {
                Ok(builder) => Ok(execute(builder.build().map_err(unusable)?)),
                Err(error) => Err(error),
            },
            proxy,
            direct: execute(builder().no_proxy().build().map_err(unusable)?),
            proxies: options.proxies.clone(),
            has_roots: tls.has_roots,
        })
    }

    async fn exchange(&self, request: &Request) -> Result<Answer, Failed> {
        let client = if self.is_direct(&request.url) {
            &self.direct
        } else {
            let distant = self.distant.as_ref();
            distant.map_err(|error| Failed::Final(HttpError::Options(error.clone())))?
        };
        let mut sent = reqwest::Request::new(request.method.clone(), request.url.clone());
        *sent.headers_mut() = request.headers.clone();
        if let Some(body) = &request.body {
            tracing::trace!(table = request.table, label = request.label, body = %secret::mask(&String::from_utf8_lossy(body)), "request body");
            *sent.body_mut() = Some(body.clone().into());
        }
        let mut response = client(sent).await.map_err(|error| self.classify(&request.url, error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        // An insert was carried out all the same when its answer is of no use.
        let useless = |error: HttpError| match request.repeat {
            Repeat::Idempotent => Failed::Final(error),
            Repeat::Never => Failed::Lost(error.to_string()),
        };
        if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|value| !value.is_empty())
            && encoding != "identity"
        {
            return Err(useless(HttpError::Compressed {
                host: host_and_port(&request.url),
                encoding: encoding.to_str().unwrap_or("unknown").to_owned(),
            }));
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > request.max_answer => {
                    return Err(useless(HttpError::TooLarge {
                        host: host_and_port(&request.url),
                        limit: request.max_answer,
                    }));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    return Err(Failed::Lost(format!(
                        "the response (status {status}) was truncated ({})",
                        chain(&error.without_url())
                    )));
                }
            }
        }
        // Some gateways put a byte order mark before JSON, which the standard forbids and lets a reader ignore.
        let surplus = body.len() - without_byte_order_mark(&body).len();
        body.drain(..surplus);
        Ok(Answer {
            status,
            headers,
            body,
            host: host_and_port(&request.url),
        })
    }

    /// Whether no proxy is used for this address, whatever the library would do.
    fn is_direct(&self, url: &Url) -> bool {
        is_loopback(url) || self.proxies.leave_out(url)
    }

    /// Sorts the library's errors by what they say about the request: was it sent?
    fn classify(&self, url: &Url, error: reqwest::Error) -> Failed {
        let error = error.without_url();
        let (host, address) = (host_and_port(url), address(url));
        let why = root(&error);
        if !error.is_connect() {
            // In TLS 1.3 the server judges our certificate after the handshake: the first request breaks off.
            if let Some(problem @ TlsProblem::ClientCertificate) = tls::problem(&error, self.has_roots) {
                return Failed::Final(HttpError::Tls {
                    host,
                    address,
                    problem,
                    why,
                });
            }
            let not_http = if url.scheme() == "http" && why.contains("invalid HTTP version") {
                "; a server that speaks TLS has an address with https://"
            } else {
                ""
            };
            return Failed::Lost(format!(
                "the connection broke before a response arrived ({why}{not_http})"
            ));
        }
        let problem = tls::problem(&error, self.has_roots);
        let why = tls::cause(problem, why);
        let proxy = self.proxy.as_ref().filter(|it| !self.is_direct(url) && it.is_for(url));
        let refusal = tunnel_refusal(&error);
        // No tunnel: the handshake was with the proxy itself.
        let (host, refusal) = match (problem, proxy, refusal) {
            (Some(_), Some(proxy), Some(_)) => (proxy.shown.clone(), None),
            (_, _, refusal) => (host, refusal),
        };
        if refusal.is_some() || (proxy.is_some() && problem.is_none()) {
            let why = if error.is_dns() {
                format!("its name cannot be resolved ({why})")
            } else {
                refusal.unwrap_or(why)
            };
            return Failed::NotSent(HttpError::ProxyRefused {
                proxy: proxy.map_or_else(|| "the system's proxy".to_owned(), |it| it.shown.clone()),
                host,
                address,
                why,
            });
        }
        if error.is_dns() {
            return Failed::NotSent(HttpError::Dns { host, address, why });
        }
        match problem {
            // A handshake that broke off may work the next time; a certificate stays as it is.
            Some(TlsProblem::Other) => Failed::NotSent(HttpError::Tls {
                host,
                address,
                problem: TlsProblem::Other,
                why,
            }),
            Some(problem) => Failed::Final(HttpError::Tls {
                host,
                address,
                problem,
                why,
            }),
            None => Failed::NotSent(HttpError::Connect { host, address, why }),
        }
    }
}

enum Failed {
    /// The caller's limits ended it.
    Limits(HttpError),
    NotSent(HttpError),
    /// Sent, and no complete answer.
    Lost(String),
    /// No repetition helps.
    Final(HttpError),
    /// An answer that may be worth another attempt.
    Answered(Box<Answer>),
}

impl Failed {
    /// Turns redirects into errors; every other answer is looked at by the retry policy.
    fn from_answer(request: &Request, answer: Answer) -> Result<Self, HttpError> {
        if !answer.status.is_redirection() || answer.status == StatusCode::NOT_MODIFIED {
            return Ok(Self::Answered(Box::new(answer)));
        }
        let location = answer.header(LOCATION.as_str()).unwrap_or_default();
        let to = request
            .url
            .join(location)
            .map_or_else(|_| "nowhere".to_owned(), |url| secret::mask(&shown(&url)).into_owned());
        Err(HttpError::Redirected {
            host: answer.host,
            status: answer.status.as_u16(),
            to,
        })
    }

    fn is_rate_limit(&self) -> bool {
        matches!(self, Self::Answered(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS)
    }

    fn describe(&self) -> String {
        match self {
            Self::Limits(error) | Self::NotSent(error) | Self::Final(error) => chain(error),
            Self::Lost(why) => why.clone(),
            Self::Answered(answer) => format!("status {}", answer.status),
        }
    }

    fn into_result(self, host: &str) -> Result<Answer, HttpError> {
        match self {
            Self::Limits(error) | Self::NotSent(error) | Self::Final(error) => Err(error),
            Self::Lost(why) => Err(HttpError::Lost {
                host: host.to_owned(),
                why,
            }),
            Self::Answered(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => Err(HttpError::RateLimited {
                host: host.to_owned(),
                retry_after: answer.retry_after(),
            }),
            Self::Answered(answer) => Ok(*answer),
        }
    }

    fn into_uncertain(self, host: String) -> HttpError {
        let why = self.describe();
        let answer = match self {
            Self::Answered(answer) => Some(Arc::new(*answer)),
            Self::Limits(_) | Self::NotSent(_) | Self::Lost(_) | Self::Final(_) => None,
        };
        HttpError::Uncertain { host, why, answer }
    }
}

/// One line per attempt, and the body below it.
fn log(request: &Request, host: &str, result: &Result<Answer, Failed>, took: Duration, attempt: u32) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(answer) => {
            let transaction_id = TRANSACTION_HEADERS.iter().find_map(|name| answer.header(name));
            tracing::debug!(
                method = %request.method, host, path = request.url.path(), table = request.table, label = request.label, status = answer.status.as_u16(), duration_ms, transaction_id, attempt,
                "http call"
            );
            tracing::trace!(table = request.table, label = request.label, body = %secret::mask(&String::from_utf8_lossy(&answer.body)), "answer body");
        }
        Err(failed) => {
            let error = failed.describe();
            tracing::debug!(
                method = %request.method, host, path = request.url.path(), table = request.table, label = request.label, duration_ms, attempt,
                error = %secret::mask(&error), "http call failed"
            );
        }
    }
}

/// Whether a proxy answered CONNECT with a refusal. The library's error type is private, so its text has to do:
/// hyper-util 0.1, `client::legacy::connect::proxy::tunnel`, every message of which begins with "tunnel error: ".
fn tunnel_refusal(error: &(dyn Error + 'static)) -> Option<String> {
    let text = chain(error);
    let (_, why) = text.split_once("tunnel error: ")?;
    Some(match why {
        "unsuccessful" => "it refused to connect".to_owned(),
        _ => root(error).trim_start_matches("tunnel error: ").to_owned(),
    })
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = without_link(error);
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = without_link(cause);
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// The last of an error's causes: the message of the system or of the TLS library.
fn root(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    without_link(deepest)
}

/// A message without the link to its manual that the TLS library adds.
fn without_link(error: &dyn Error) -> String {
    let text = error.to_string();
    text.split_once(": https://docs.rs/")
        .map_or_else(|| text.clone(), |(text, _)| text.to_owned())
}

/// Where servers put the id under which their own log knows the call.
const TRANSACTION_HEADERS: &[&str] = &["x-transaction-id", "x-ms-request-id", "request-id", "x-request-id"];
/// Announces pauses from here on.
const WORTH_TELLING: Duration = Duration::from_secs(5);
/// How long an insert in flight is awaited after the operation was interrupted or its time was over.
const GRACE: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Below the idle time-out of common load balancers: a connection that they closed costs an uncertain insert.
const IDLE: Duration = Duration::from_secs(20);
