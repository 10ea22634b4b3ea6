//! Bad days: scripted one-shot faults and a seeded random mode, as middleware of every router.
//!
//! A matching request is answered, delayed, spoilt or cut. A cut connection is announced by the response extension
//! [`Cut`], which the serving loop turns into a closed socket; a stale read by the request extension [`Stale`].

mod answers; // What a fault looks like.
mod gate; // Requests that wait for the test.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;

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
    /// Any 5xx with the JSON envelope.
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
    /// `Content-Length` promises more than is sent.
    WrongContentLength,
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
    lasting: bool,
}

struct Chaos {
    seed: u64,
    rate: f64,
    kinds: Vec<Fault>,
    seen: HashMap<(Method, String), u64>,
    /// The fault before, per table or path.
    last: HashMap<String, Fault>,
}

impl Faults {
    /// No fault planned.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans `fault` for the next request that matches, once.
    pub fn next(&self, matcher: Matcher, fault: Fault) {
        self.plan(matcher, fault, false);
    }

    /// Plans `fault` for every request that matches, until [`Faults::clear`].
    pub fn every(&self, matcher: Matcher, fault: Fault) {
        self.plan(matcher, fault, true);
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
            last: HashMap::new(),
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

    /// Puts the faults in front of a router.
    pub fn layer(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), interfere))
    }

    fn plan(&self, matcher: Matcher, fault: Fault, lasting: bool) {
        self.script().planned.push(Planned {
            matcher,
            fault,
            lasting,
        });
    }

    fn draw(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut script = self.script();
        let fault = script
            .planned_for(method, path)
            .or_else(|| script.chaos.as_mut()?.draw(method, path))?;
        script.fired.push(format!("{method} {path}: {fault:?}"));
        Some(fault)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
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
        if self.planned[index].lasting {
            return Some(self.planned[index].fault.clone());
        }
        Some(self.planned.remove(index).fault)
    }
}

impl Chaos {
    fn draw(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let count = self.seen.entry((method.clone(), path.to_owned())).or_default();
        *count += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, method.as_str(), path, *count).hash(&mut hasher);
        let dice = hasher.finish();
        let share = (dice >> 11) as f64 / (1_u64 << 53) as f64;
        if share >= self.rate || self.kinds.is_empty() {
            return None;
        }
        // The low bits are independent enough of the share drawn from the high ones.
        let drawn = self.kinds[(dice & 0x7ff) as usize % self.kinds.len()].clone();
        let place = table_of(path).unwrap_or(path).to_owned();
        let fault = if is_bearable(&drawn, method, path, self.last.get(&place)) {
            drawn
        } else {
            Fault::ServerError(503)
        };
        self.last.insert(place, fault.clone());
        Some(fault)
    }
}

/// Whether a client that does everything right can come out of this fault well, `last` being the fault before it.
fn is_bearable(fault: &Fault, method: &Method, path: &str, last: Option<&Fault>) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let is_list = table_of(path).is_some_and(|table| path.ends_with(table));
    match fault {
        // Transient means that asking again tells the truth; of a refused DELETE nobody would ask again.
        Fault::NotFound => reads && last != Some(&Fault::NotFound),
        // A lost insert can only be found by looking for it.
        Fault::StaleRead | Fault::PartialList => {
            let lost = matches!(last, Some(Fault::CutAfter | Fault::WrongContentLength));
            reads && !lost
        }
        Fault::TruncatedList => reads && is_list,
        Fault::ForbiddenByBusinessRule => !reads,
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
        | Fault::WrongContentLength
        | Fault::Slow(_)
        | Fault::HeldBefore(_)
        | Fault::HeldAfter(_)
        | Fault::Answer { .. } => true,
    }
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
        Fault::ServerError(500),
        Fault::ServerError(502),
        Fault::ServerError(503),
        Fault::ServerError(504),
        Fault::Hibernation,
        Fault::Maintenance,
        Fault::TruncatedList,
        Fault::WrongContentLength,
        Fault::Slow(Duration::from_millis(20)),
        Fault::StaleRead,
        Fault::ForbiddenByBusinessRule,
    ]
}
