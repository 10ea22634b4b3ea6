//! How the provider signs in to a simulator, and the faults that are injected there.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;
use servicenow_simulator::faults::{Fault, Faults, Matcher, RetryAfter};
use servicenow_simulator::microsoft::admin_center::AdminFault;

use super::scenarios::MARKER;

/// The faults of one seed.
pub(crate) struct FaultPlan {
    random: StdRng,
    signs_in_by_token: bool,
    /// Whether processes are killed, which asks more of the operator.
    pub(crate) kills: bool,
}

impl FaultPlan {
    pub(crate) fn of(seed: u64) -> Self {
        // Another stream than that of the configuration.
        let mut random = StdRng::seed_from_u64(seed ^ 0x5eed);
        Self {
            signs_in_by_token: random.random_bool(0.5),
            kills: random.random_bool(0.5),
            random,
        }
    }

    /// The provider block for a simulator, where what signs in there is set up.
    pub(crate) fn provider(&self, simulator: &Simulator) -> Object {
        let block = Object::new()
            .with("instance_url", simulator.urls().instance.as_str())
            .with("ca_certificate_path", simulator.ca_certificate().display().to_string())
            .with("max_retries", 3)
            .with(
                "microsoft365",
                Object::new()
                    .with("tenant_id", simulator.tenant_id())
                    .with("client_id", simulator.client_id())
                    .with("client_secret", simulator.client_secret())
                    .with("refresh_token", simulator.refresh_token())
                    .with("login_url", simulator.urls().login.as_str())
                    .with("admin_url", simulator.urls().admin.as_str()),
            );
        if !self.signs_in_by_token {
            return block
                .with("username", simulator.username())
                .with("password", simulator.password());
        }
        let instance = simulator.instance();
        let secret = format!("{MARKER}automation");
        let admin = instance.find("sys_user", "user_name", simulator.username()).remove(0);
        let values = [
            ("name", "automation"),
            ("client_id", "automation"),
            ("client_secret", secret.as_str()),
            ("user", admin["sys_id"].as_str()),
            ("inbound_grant_type", "multiple"),
            // Tokens are replaced a minute before their end: these last for a second or two.
            ("access_token_lifespan", "62"),
        ];
        instance.put("oauth_entity", &values);
        let switch = "glide.oauth.inbound.client.credential.grant_type.enabled";
        instance.put("sys_properties", &[("name", switch), ("value", "true")]);
        simulator.entra().set_lifetime(62);
        block
            .with("client_id", "automation")
            .with("client_secret", secret)
            .with("grant_type", "client_credentials")
    }

    /// The beginning of a stage: from now on random requests go wrong.
    pub(crate) fn begin(&mut self, simulator: &Simulator) {
        let [instance, admin, entra] = of_services(simulator);
        instance.chaos(self.random.random(), RATE);
        admin.chaos_of(self.random.random(), RATE, &of_admin_center());
        entra.chaos_of(self.random.random(), RATE, &of_entra());
        if self.random.random_bool(0.25) {
            // The instance goes to sleep, and is woken after a while.
            let first = self.random.random_range(1..60);
            let times = self.random.random_range(2..12);
            instance.times(Matcher::any().nth(first), Fault::Hibernation, times);
        }
    }

    /// Before an apply: its provider may be killed on one of the next requests.
    pub(crate) fn before_apply(&mut self, simulator: &Simulator) {
        if self.kills && self.random.random_bool(0.5) {
            let [instance, admin, _] = of_services(simulator);
            let (faults, writes) = if self.random.random_bool(0.75) {
                (instance, 10)
            } else {
                (admin, 3)
            };
            // On a write, since nothing is lost with a read.
            let matcher = Matcher::any().writes().nth(self.random.random_range(1..=writes));
            let handled = self.random.random();
            faults.next(matcher, Fault::NoAnswer { handled });
        }
    }
}

/// What went wrong so far.
pub(crate) fn fired(simulator: &Simulator) -> String {
    let [instance, admin, entra] = of_services(simulator).map(|faults| faults.fired().join(", "));
    format!("instance: {instance}; admin center: {admin}; Entra: {entra}")
}

/// No more faults.
pub(crate) fn clear(simulator: &Simulator) {
    for faults in of_services(simulator) {
        faults.clear();
    }
}

/// Of the three services that the provider calls.
pub(crate) fn of_services(simulator: &Simulator) -> [&Faults; 3] {
    [
        simulator.instance().faults(),
        simulator.admin().faults(),
        simulator.entra().faults(),
    ]
}

/// What any server can do.
fn of_any_server() -> Vec<Fault> {
    let page = Fault::Answer {
        status: 503,
        content_type: "text/html".to_owned(),
        body: "<html><head><title>Service unavailable</title></head></html>".to_owned(),
    };
    vec![
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::CutMidBody,
        Fault::WrongContentLength,
        Fault::TruncatedJson,
        Fault::TooManyRequests(RetryAfter::Seconds(0)),
        Fault::TooManyRequests(RetryAfter::Silent),
        Fault::TooManyRequests(RetryAfter::Date(1)),
        Fault::ServerError(408),
        Fault::ServerError(500),
        Fault::ServerError(502),
        Fault::ServerError(503),
        Fault::ServerError(504),
        page,
        Fault::Slow(Duration::from_millis(20)),
    ]
}

fn of_admin_center() -> Vec<Fault> {
    let mut faults = of_any_server();
    faults.extend([
        // As [`Fault`]s of their own, which never mislead twice in a row.
        Fault::NotFound,
        Fault::EmptyList,
        AdminFault::Unauthorized.fault(),
        AdminFault::Forbidden.fault(),
        AdminFault::Html.fault(),
        AdminFault::LoginTimeout.fault(),
    ]);
    faults
}

fn of_entra() -> Vec<Fault> {
    of_any_server()
}

/// How many requests go wrong.
const RATE: f64 = 0.12;
