//! The client of an instance against the simulated one: what a scripted answer cannot show.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]

mod dictionary;
mod faults;
mod records;
mod roles_and_groups;
mod scale;
mod sign_in;

use std::time::Duration;

use servicenow_provider::http::{Backoff, ClientOptions, Limits, Proxies, Secret};
use servicenow_provider::servicenow::tables::sys_user;
use servicenow_provider::servicenow::{
    InputMode, Insert, Instance, InstanceOptions, Query, Row, Session, SignIn, SysId, Timing,
};
use servicenow_simulator::{Options, Scheme, Simulator};
use tokio_util::sync::CancellationToken;

async fn simulator() -> Simulator {
    started(Options {
        instance_scheme: Scheme::Http,
        ..Options::default()
    })
    .await
}

async fn started(options: Options) -> Simulator {
    Simulator::start(options).await.unwrap()
}

fn basic(simulator: &Simulator) -> SignIn {
    SignIn::Basic {
        username: simulator.username().to_owned(),
        password: Secret::from(simulator.password()),
    }
}

fn wire() -> ClientOptions {
    ClientOptions {
        ca_certificate_path: None,
        client_certificate_path: None,
        client_key_path: None,
        variables: Vec::new(),
        proxies: Proxies::default(),
        request_timeout: Duration::from_secs(20),
        max_retries: 4,
        requests_per_second: None,
        max_concurrent: 16,
        user_agent: "test/1".to_owned(),
        correlation: None,
        backoff: Backoff {
            base: Duration::from_millis(2),
            cap: Duration::from_millis(10),
        },
    }
}

fn instance(simulator: &Simulator, sign_in: SignIn) -> Instance {
    with_wire(simulator, sign_in, wire())
}

fn with_wire(simulator: &Simulator, sign_in: SignIn, http: ClientOptions) -> Instance {
    let timing = Timing {
        recheck_pause: Duration::from_millis(10),
        trial: Duration::from_millis(50),
    };
    let instance_url = simulator.urls().instance.clone();
    Instance::new(InstanceOptions {
        instance_url,
        sign_in,
        http,
        timing,
    })
    .unwrap()
}

fn limits() -> Limits {
    Limits::new(Duration::from_secs(60), CancellationToken::new())
}

fn session(simulator: &Simulator) -> Session {
    instance(simulator, basic(simulator)).at(limits())
}

fn user(name: &str) -> Insert<'static> {
    Insert {
        table: sys_user::TABLE,
        row: Row::new()
            .set(sys_user::USER_NAME, name)
            .set(sys_user::LAST_NAME, "Robot")
            .set(sys_user::ACTIVE, true),
        read: sys_user::COLUMNS,
        natural_key: Some(Query::equals(sys_user::USER_NAME, name).unwrap()),
        input: InputMode::Stored,
    }
}

fn id(text: &str) -> SysId {
    SysId::parse(text).unwrap()
}
