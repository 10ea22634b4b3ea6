//! Bad days: scripted one-shot faults and a seeded random mode, as middleware of every router.
//!
//! A matching request is answered, delayed, spoilt or cut. A cut connection is announced by the response extension
//! [`Cut`], which the serving loop turns into a closed socket; a stale read by the request extension [`Stale`].

mod answers; // What a fault looks like.
mod gate; // Requests that wait for the test.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use tokio::sync::Notify;

use crate::sync::lock;

use answers::interfere;

pub(crate) use answers::too_many_requests;
pub use gate::Gate;

/// On a response: close the connection without sending it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cut;

/// On a request: answer it from the records as they were before the last write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stale;

/// What a 429 says about when to come back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RetryAfter {
    /// No header.
    Silent,
    /// `Retry-After` in seconds.
    Seconds(u64),
    /// `Retry-After` as an HTTP date this many seconds from now.
    Date(u64),
}

/// One bad answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The connection closes before the request is handled.
    CutBefore,
    /// The request is handled, then the connection closes: the caller cannot know that its insert took.
    CutAfter,
    /// 401 in the newer spelling.
    Unauthorized,
    /// 403 `Operation Failed` by an access rule.
    ForbiddenByAcl,
    /// 403 `Operation Failed` by a business rule.
    ForbiddenByBusinessRule,
    /// 403 with an HTML body, as IP address access control answers.
    ForbiddenHtml,
    /// 404 in the Table API's envelope, although the record may exist.
    NotFound,
    /// 429 with the rate limit headers.
    TooManyRequests(RetryAfter),
    /// 408 or any 5xx with the JSON envelope.
    ServerError(u16),
    /// 200 with the hibernation page of a developer instance.
    Hibernation,
    /// 503 with a maintenance page.
    Maintenance,
    /// 302 to the login page.
    LoginRedirect,
    /// The transaction quota ran out while the list was streamed: the list breaks off and an error object follows,
    /// inside a 200.
    TruncatedList,
    /// Half of a list is missing, without a word.
    PartialList,
    /// A list without rows: a replica that has seen nothing yet, or rights that hide every row.
    EmptyList,
    /// JSON that ends half-way, inside an answer that is complete.
    TruncatedJson,
    /// An error object inside a 200. The request was handled all the same where it says so.
    ErrorIn200 {
        /// Whether a write took.
        handled: bool,
    },
    /// `Content-Length` promises more than is sent.
    WrongContentLength,
    /// The request is handled, and the connection closes half-way through the body.
    CutMidBody,
    /// No answer, for as long as the caller waits. [`Faults::unanswered`] tells of it: who kills the caller then leaves
    /// a request behind of which nobody knows whether it was handled.
    NoAnswer {
        /// Whether the request was handled.
        handled: bool,
    },
    /// The answer comes late.
    Slow(Duration),
    /// The request waits until the gate opens, and is handled then. A caller that is gone by then has asked nothing.
    HeldBefore(Gate),
    /// The request is handled, and its answer waits until the gate opens.
    HeldAfter(Gate),
    /// A read is answered from before the last write.
    StaleRead,
    /// A given answer, for what has no variant of its own.
    Answer {
        /// HTTP status.
        status: u16,
        /// Value of `Content-Type`.
        content_type: String,
        /// The body as sent.
        body: String,
    },
}

/// Which requests a fault is meant for.
#[derive(Clone, Default)]
pub struct Matcher {
    method: Option<Method>,
    writes: bool,
    table: Option<String>,
    path: Option<PathPredicate>,
    skip: usize,
}

type PathPredicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;

impl Matcher {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests on a table, whatever the verb.
    #[must_use]
    pub fn table(table: &str) -> Self {
        Self::any().on_table(table)
    }

    /// Only this verb.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only verbs that change something.
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.writes = true;
        self
    }

    /// Only this table of the Table API.
    #[must_use]
    pub fn on_table(mut self, table: &str) -> Self {
        self.table = Some(table.to_owned());
        self
    }

    /// Only paths for which `predicate` holds. The path has no query.
    #[must_use]
    pub fn path(mut self, predicate: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.path = Some(Arc::new(predicate));
        self
    }

    /// The n-th matching request from now on, counted from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && !(self.writes && reads(method))
            && self
                .table
                .as_deref()
                .is_none_or(|wanted| table_of(path) == Some(wanted))
            && self.path.as_ref().is_none_or(|predicate| predicate(path))
    }
}

/// The faults in store for the routers that carry this layer. Clones share them.
#[derive(Clone, Default)]
pub struct Faults {
    script: Arc<Mutex<Script>>,
    unanswered: Arc<Notify>,
}

#[derive(Default)]
struct Script {
    planned: Vec<Planned>,
    chaos: Option<Chaos>,
    fired: Vec<String>,
}

struct Planned {
    matcher: Matcher,
    fault: Fault,
    /// How many requests still meet it; none means all.
    left: Option<usize>,
}

struct Chaos {
    seed: u64,
    rate: f64,
    kinds: Vec<Fault>,
    seen: HashMap<(Method, String), u64>,
    /// How many of the next requests are told the truth, per table or path.
    truthful: HashMap<String, u32>,
    /// How many of the next requests are told the truth, wherever: a caller that was killed has lost any number of
    /// writes, and another one looks for them.
    truthful_anywhere: u32,
}

impl Faults {
    /// No fault planned.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans `fault` for the next request that matches, once.
    pub fn next(&self, matcher: Matcher, fault: Fault) {
        self.plan(matcher, fault, Some(1));
    }

    /// Plans `fault` for the next `times` requests that match.
    pub fn times(&self, matcher: Matcher, fault: Fault, times: usize) {
        self.plan(matcher, fault, Some(times));
    }

    /// Plans `fault` for every request that matches, until [`Faults::clear`].
    pub fn every(&self, matcher: Matcher, fault: Fault) {
        self.plan(matcher, fault, None);
    }

    /// Random faults of every kind that a client can survive, where it can. `rate` is the share of requests that meet one, 0 to 1.
    ///
    /// Whether a request meets a fault follows from the seed, its verb, its path and how often they were seen, so that
    /// one seed gives the same faults however concurrent requests interleave.
    pub fn chaos(&self, seed: u64, rate: f64) {
        self.chaos_of(seed, rate, &survivable());
    }

    /// [`Faults::chaos`] with these kinds only.
    pub fn chaos_of(&self, seed: u64, rate: f64, kinds: &[Fault]) {
        self.script().chaos = Some(Chaos {
            seed,
            rate,
            kinds: kinds.to_vec(),
            seen: HashMap::new(),
            truthful: HashMap::new(),
            truthful_anywhere: 0,
        });
    }

    /// Forgets everything planned, random mode included.
    pub fn clear(&self) {
        let mut script = self.script();
        script.planned.clear();
        script.chaos = None;
    }

    /// What happened to which request, oldest first.
    #[must_use]
    pub fn fired(&self) -> Vec<String> {
        self.script().fired.clone()
    }

    /// Waits for a request that meets [`Fault::NoAnswer`]; at once if one did since the last wait.
    pub async fn unanswered(&self) {
        self.unanswered.notified().await;
    }

    /// Puts the faults in front of a router.
    pub fn layer(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), interfere))
    }

    fn plan(&self, matcher: Matcher, fault: Fault, left: Option<usize>) {
        self.script().planned.push(Planned { matcher, fault, left });
    }

    fn draw(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut script = self.script();
        let fault = script
            .planned_for(method, path)
            .or_else(|| script.chaos.as_mut()?.draw(method, path))?;
        if let (Fault::NoAnswer { .. }, Some(chaos)) = (&fault, &mut script.chaos) {
            chaos.truthful_anywhere = TRUTHFUL_AFTER_A_KILL;
        }
        script.fired.push(format!("{method} {path}: {fault:?}"));
        Some(fault)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }
}

impl Script {
    fn planned_for(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let mut hit = None;
        for (index, planned) in self.planned.iter_mut().enumerate() {
            if !planned.matcher.matches(method, path) {
                continue;
            }
            if planned.matcher.skip > 0 {
                planned.matcher.skip -= 1;
                continue;
            }
            hit = Some(index);
            break;
        }
        let index = hit?;
        let planned = &mut self.planned[index];
        let fault = planned.fault.clone();
        if let Some(left) = &mut planned.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.planned.remove(index);
            }
        }
        Some(fault)
    }
}

impl Chaos {
    fn draw(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let count = self.seen.entry((method.clone(), path.to_owned())).or_default();
        *count += 1;
        let place = table_of(path).unwrap_or(path).to_owned();
        let truthful = self.truthful.entry(place).or_default();
        let must_be_true = *truthful > 0 || self.truthful_anywhere > 0;
        *truthful = truthful.saturating_sub(1);
        self.truthful_anywhere = self.truthful_anywhere.saturating_sub(1);
        let mut hasher = DefaultHasher::new();
        (self.seed, method.as_str(), path, *count).hash(&mut hasher);
        let drawn_number = hasher.finish();
        let share = (drawn_number >> 11) as f64 / (1_u64 << 53) as f64;
        if share >= self.rate || self.kinds.is_empty() {
            return None;
        }
        // The low bits are independent enough of the share drawn from the high ones.
        let drawn = &self.kinds[(drawn_number & 0x7ff) as usize % self.kinds.len()];
        let fault = if is_possible(drawn, method, path) && !(must_be_true && drawn.misleads()) {
            drawn.clone()
        } else {
            Fault::ServerError(503)
        };
        let reads = reads(method);
        if fault.misleads() || (!reads && fault.loses_a_write()) {
            *truthful = TRUTHFUL;
        }
        Some(fault)
    }
}

impl Fault {
    /// Whether a read is answered with what is not so. Once is a bad day; a client that asks again must be told the truth.
    fn misleads(&self) -> bool {
        matches!(
            self,
            Fault::NotFound | Fault::StaleRead | Fault::PartialList | Fault::EmptyList
        )
    }

    /// Whether a write takes and its answer does not arrive. It can only be found by looking for it.
    fn loses_a_write(&self) -> bool {
        matches!(
            self,
            Fault::CutAfter
                | Fault::WrongContentLength
                | Fault::CutMidBody
                | Fault::TruncatedJson
                | Fault::ErrorIn200 { handled: true }
        )
    }
}

/// Whether such a request can meet the fault.
fn is_possible(fault: &Fault, method: &Method, path: &str) -> bool {
    let is_list = table_of(path).is_none_or(|table| path.ends_with(table));
    match fault {
        // Transient means that asking again tells the truth; of a refused DELETE nobody would ask again.
        Fault::NotFound | Fault::StaleRead => reads(method),
        Fault::TruncatedList | Fault::PartialList | Fault::EmptyList => reads(method) && is_list,
        Fault::ForbiddenByBusinessRule => !reads(method),
        Fault::CutBefore
        | Fault::CutAfter
        | Fault::Unauthorized
        | Fault::ForbiddenByAcl
        | Fault::ForbiddenHtml
        | Fault::TooManyRequests(_)
        | Fault::ServerError(_)
        | Fault::Hibernation
        | Fault::Maintenance
        | Fault::LoginRedirect
        | Fault::TruncatedJson
        | Fault::ErrorIn200 { .. }
        | Fault::WrongContentLength
        | Fault::CutMidBody
        | Fault::NoAnswer { .. }
        | Fault::Slow(_)
        | Fault::HeldBefore(_)
        | Fault::HeldAfter(_)
        | Fault::Answer { .. } => true,
    }
}

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The table that a path of the Table API names.
#[must_use]
pub fn table_of(path: &str) -> Option<&str> {
    let rest = path.split_once("/table/")?.1;
    let table = rest.split('/').next()?;
    (!table.is_empty()).then_some(table)
}

fn survivable() -> Vec<Fault> {
    vec![
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::NotFound,
        Fault::TooManyRequests(RetryAfter::Seconds(0)),
        Fault::TooManyRequests(RetryAfter::Silent),
        Fault::TooManyRequests(RetryAfter::Date(1)),
        Fault::ServerError(408),
        Fault::ServerError(500),
        Fault::ServerError(502),
        Fault::ServerError(503),
        Fault::ServerError(504),
        Fault::Hibernation,
        Fault::Maintenance,
        Fault::TruncatedList,
        Fault::EmptyList,
        Fault::TruncatedJson,
        Fault::ErrorIn200 { handled: true },
        Fault::ErrorIn200 { handled: false },
        Fault::WrongContentLength,
        Fault::CutMidBody,
        Fault::Slow(Duration::from_millis(20)),
        Fault::StaleRead,
        Fault::ForbiddenByBusinessRule,
        Fault::ForbiddenHtml,
        Fault::LoginRedirect,
        Fault::Unauthorized,
    ]
}

/// How many requests on a table are told the truth after one was misled or lost: enough for the second look of whoever
/// was, although others ask at the same time.
const TRUTHFUL: u32 = 12;
/// About the requests of an apply.
const TRUTHFUL_AFTER_A_KILL: u32 = 80;
