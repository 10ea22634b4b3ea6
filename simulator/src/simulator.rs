//! All services of one simulator, started and stopped together.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::connection_test::{self, ConnectionTest};
use crate::instance::{self, Instance};
use crate::listener::{self, Panics, RequestLog, Service};
use crate::microsoft::admin_center::Admin;
use crate::microsoft::directory::{Directory, GRAPH_APP, PORTAL_APP, Registered, TokenVersion};
use crate::microsoft::entra::Entra;
use crate::microsoft::graph::Graph;
use crate::microsoft::hcp::Hcp;
use crate::microsoft::internet::Line;
use crate::microsoft::metadata;
use crate::page::Page;
use crate::state_file;
use crate::tls::Authority;

/// How a simulator starts.
#[derive(Clone)]
pub struct Options {
    /// First of five ports in a row; free ports without it.
    pub port: Option<u16>,
    /// File to load at the start, if it exists, and to save changes to. Holds secrets.
    pub state: Option<PathBuf>,
    /// A verified domain of the tenant.
    pub tenant_domain: String,
    /// Whether the instance speaks TLS, as the other four always do.
    pub instance_scheme: Scheme,
    /// How many requests, lines of the instance's log and issued tokens are remembered, the newest of each; all of them
    /// without it. For a program that runs on: tests want all.
    pub history: Option<usize>,
    /// How the instance starts.
    pub instance: instance::Options,
}

/// Of the instance's listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// Plain text, allowed on loopback only.
    Http,
    /// TLS by the simulator's authority.
    Https,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: None,
            state: None,
            tenant_domain: "contoso.com".to_owned(),
            instance_scheme: Scheme::Https,
            history: None,
            instance: instance::Options::default(),
        }
    }
}

/// Where the services are, without a slash at the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Urls {
    /// ServiceNow.
    pub instance: String,
    /// Entra.
    pub login: String,
    /// Microsoft Graph, without a version.
    pub graph: String,
    /// The admin center.
    pub admin: String,
    /// `host:port` of the cloud's metadata, TLS.
    pub metadata_host: String,
    /// POST runs the connection test.
    pub connection_test: String,
}

/// What each service was asked. The instance keeps a richer log of its own: [`Instance::requests`].
#[derive(Clone, Default)]
pub struct Logs {
    /// ServiceNow.
    pub instance: RequestLog,
    /// Entra.
    pub login: RequestLog,
    /// Microsoft Graph.
    pub graph: RequestLog,
    /// The admin center.
    pub admin: RequestLog,
    /// The cloud's metadata, and the connection test.
    pub metadata: RequestLog,
}

impl Logs {
    fn keep_at_most(&self, requests: usize) {
        for log in [&self.instance, &self.login, &self.graph, &self.admin, &self.metadata] {
            log.keep_at_most(requests);
        }
    }
}

/// A running simulator. Dropping it stops it; a handler that panicked makes the drop panic, so that a test cannot
/// overlook it.
pub struct Simulator {
    urls: Urls,
    instance: Instance,
    instance_options: instance::Options,
    entra: Entra,
    graph: Graph,
    admin: Admin,
    line: Line,
    connection: ConnectionTest,
    authority: Authority,
    ca_file: tempfile::NamedTempFile,
    account: Account,
    logs: Logs,
    panics: Panics,
    state: Option<PathBuf>,
    tasks: JoinSet<()>,
}

/// The automation application, with the administrator's lasting sign-in.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) refresh_token: String,
}

/// Handlers panicked; their texts.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the simulator panicked: {}", .0.join("; "))]
pub struct Panicked(pub Vec<String>);

impl Simulator {
    /// Starts all services.
    ///
    /// # Errors
    /// When a port is taken, or the state file cannot be read.
    pub async fn start(options: Options) -> anyhow::Result<Simulator> {
        let listeners = listen(options.port).await?;
        let [at_instance, at_login, at_graph, at_admin, at_metadata] = &listeners;
        let host = |listener: &TcpListener| -> anyhow::Result<String> { Ok(listener.local_addr()?.to_string()) };
        let metadata_host = host(at_metadata)?;
        let scheme = match options.instance_scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let urls = Urls {
            instance: format!("{scheme}://{}", host(at_instance)?),
            login: format!("https://{}", host(at_login)?),
            graph: format!("https://{}", host(at_graph)?),
            admin: format!("https://{}", host(at_admin)?),
            connection_test: format!("https://{metadata_host}{}", connection_test::PATH),
            metadata_host,
        };

        let directory = Directory::new(&options.tenant_domain);
        let hcp = Hcp;
        let entra = Entra::new(directory.clone(), hcp, &urls.login);
        let graph = Graph::new(directory.clone(), &urls.graph);
        let admin = Admin::new(directory.clone());
        let line = Line::new(entra.clone(), hcp);
        let instance = Instance::new(options.instance.clone(), Arc::new(line.clone()));
        instance.set_base_url(&urls.instance);
        let account = match options.state.as_deref().filter(|path| path.exists()) {
            Some(path) => state_file::load(path, &instance, &directory, &admin)?,
            None => automation(&directory),
        };
        directory.with(|tenant| tenant.add_address(GRAPH_APP, &urls.graph));
        let connection = ConnectionTest::new(instance.clone(), entra.clone(), admin.clone(), &urls.instance);

        let authority = Authority::generate()?;
        let ca_file = tempfile::Builder::new()
            .prefix("servicenow-simulator-ca-")
            .suffix(".pem")
            .tempfile()?;
        std::fs::write(ca_file.path(), authority.pem())?;

        let (logs, panics, changed) = (Logs::default(), Panics::default(), Arc::new(Notify::new()));
        if let Some(at_most) = options.history {
            instance.keep_at_most(at_most);
            entra.keep_at_most(at_most);
            logs.keep_at_most(at_most);
        }
        let acceptor = authority.acceptor()?;
        let served = |router: Router, log: &RequestLog| Service {
            router,
            log: log.clone(),
            panics: panics.clone(),
            changed: Arc::clone(&changed),
            tls: Some(acceptor.clone()),
        };
        let page = Page {
            instance: instance.clone(),
            entra: entra.clone(),
            admin: admin.clone(),
            connection: connection.clone(),
            own_application: account.client_id.clone(),
        };
        let mut of_instance = served(page.in_front_of(instance.router()), &logs.instance);
        if options.instance_scheme == Scheme::Http {
            of_instance.tls = None;
        }
        let services = [
            of_instance,
            served(entra.router(), &logs.login),
            served(graph.router(), &logs.graph),
            served(admin.router(), &logs.admin),
            served(
                metadata::router(&urls.login, &urls.graph).merge(connection.router()),
                &logs.metadata,
            ),
        ];
        let mut tasks = JoinSet::new();
        for (listener, service) in listeners.into_iter().zip(services) {
            tasks.spawn(listener::serve(listener, service));
        }
        let simulator = Simulator {
            urls,
            instance,
            instance_options: options.instance,
            entra,
            graph,
            admin,
            line,
            connection,
            authority,
            ca_file,
            account,
            logs,
            panics,
            state: options.state,
            tasks,
        };
        Ok(simulator.saving(&changed))
    }

    /// Where the services are.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// ServiceNow.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Entra.
    pub fn entra(&self) -> &Entra {
        &self.entra
    }

    /// The tenant: applications, service principals, consent.
    pub fn directory(&self) -> &Directory {
        self.entra.directory()
    }

    /// Microsoft Graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The admin center.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// HCP Terraform's issuer.
    pub fn hcp(&self) -> Hcp {
        Hcp
    }

    /// What the instance reaches of Microsoft.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The connection test, without HTTP.
    pub fn connection(&self) -> &ConnectionTest {
        &self.connection
    }

    /// The authority that signs for the listeners, and client certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// File with the authority's certificate, PEM; gone when the simulator is.
    pub fn ca_certificate(&self) -> &Path {
        self.ca_file.path()
    }

    /// What each service was asked.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// GUID of the tenant.
    pub fn tenant_id(&self) -> String {
        self.directory().with(|tenant| tenant.id.clone())
    }

    /// Client id of the automation application.
    pub fn client_id(&self) -> &str {
        &self.account.client_id
    }

    /// Secret of the automation application.
    pub fn client_secret(&self) -> &str {
        &self.account.client_secret
    }

    /// The administrator's lasting sign-in through the automation application.
    pub fn refresh_token(&self) -> &str {
        &self.account.refresh_token
    }

    /// User name of the instance's administrator.
    pub fn username(&self) -> &str {
        &self.instance_options.admin_user
    }

    /// Password of the instance's administrator.
    pub fn password(&self) -> &str {
        &self.instance_options.admin_password
    }

    /// The line that the program prints first.
    pub fn announcement(&self) -> Value {
        json!({
            "instance_url": self.urls.instance,
            "login_url": self.urls.login,
            "graph_url": self.urls.graph,
            "admin_url": self.urls.admin,
            "metadata_host": self.urls.metadata_host,
            "ca_certificate": self.ca_certificate(),
            "username": self.username(),
            "password": self.password(),
            "tenant_id": self.tenant_id(),
            "tenant_domain": self.directory().with(|tenant| tenant.domain.clone()),
            "client_id": self.account.client_id,
            "client_secret": self.account.client_secret,
            "refresh_token": self.account.refresh_token,
            "connection_test_url": self.urls.connection_test,
        })
    }

    /// Texts of handlers that panicked so far.
    pub fn panics(&self) -> Vec<String> {
        self.panics.all()
    }

    /// Writes the state file, if there is one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> anyhow::Result<()> {
        match &self.state {
            Some(path) => state_file::save(path, &self.instance, self.directory(), &self.admin, &self.account),
            None => Ok(()),
        }
    }

    /// Stops the services and says whether one of their handlers panicked.
    ///
    /// # Errors
    /// [`Panicked`], or a state file that cannot be written.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.tasks.abort_all();
        self.save()?;
        let panics = self.panics.take();
        if panics.is_empty() {
            Ok(())
        } else {
            Err(Panicked(panics).into())
        }
    }

    fn saving(mut self, changed: &Arc<Notify>) -> Simulator {
        let Some(path) = self.state.clone() else {
            return self;
        };
        let (instance, admin) = (self.instance.clone(), self.admin.clone());
        let (directory, account, changed) = (self.directory().clone(), self.account.clone(), Arc::clone(changed));
        self.tasks.spawn(async move {
            loop {
                changed.notified().await;
                // Terraform writes in bursts; a file per burst is enough, since the end saves as well.
                tokio::time::sleep(SAVE_DELAY).await;
                // Nobody to tell: the save at the end reports a path that cannot be written.
                let _ = state_file::save(&path, &instance, &directory, &admin, &account);
            }
        });
        self
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let panics = self.panics.take();
        assert!(std::thread::panicking() || panics.is_empty(), "{}", Panicked(panics));
    }
}

async fn listen(port: Option<u16>) -> anyhow::Result<[TcpListener; 5]> {
    let bind = async |offset: u16| {
        let port = port
            .map_or(Some(0), |first| first.checked_add(offset))
            .context("the port is too high")?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("listen on port {port}"))
    };
    Ok([
        bind(0).await?,
        bind(1).await?,
        bind(2).await?,
        bind(3).await?,
        bind(4).await?,
    ])
}

/// The application that Terraform signs in as: allowed to manage applications, and to act for the administrator.
fn automation(directory: &Directory) -> Account {
    let Registered {
        client_id,
        client_secret,
        service_principal_id,
        ..
    } = directory.register("Terraform automation", TokenVersion::V1);
    directory.with(|tenant| {
        for resource in [PORTAL_APP, GRAPH_APP] {
            tenant.consents.insert((client_id.clone(), resource.to_owned()));
        }
        for role in ["Application.ReadWrite.All", "Domain.Read.All"] {
            let assignment = (service_principal_id.clone(), GRAPH_APP.to_owned(), role.to_owned());
            tenant.role_assignments.insert(assignment);
        }
    });
    let refresh_token = directory.issue_refresh_token(&client_id);
    Account {
        client_id,
        client_secret,
        refresh_token,
    }
}

const SAVE_DELAY: std::time::Duration = std::time::Duration::from_millis(200);
