//! The simulator, as acceptance tests use it.

use std::collections::BTreeSet;
use std::ops::Deref;

use servicenow_simulator::connection_test::{Report, Wanted};
use servicenow_simulator::instance::Record;
use servicenow_simulator::microsoft::directory::{PORTAL_APP, Registered, TokenVersion};
use servicenow_simulator::{Logs, Options};

use super::{Terraform, Workspace};

/// Both clouds, in this process, on free ports. Everything that the simulator itself offers is here as well.
pub(crate) struct Simulator {
    running: servicenow_simulator::Simulator,
    seeded: BTreeSet<String>,
    at_start: String,
}

impl Simulator {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let running = servicenow_simulator::Simulator::start(options)
            .await
            .expect("the simulator starts");
        // The stricter of two readings of the documentation: what passes under it passes under the other.
        running.instance().switches(|modes| modes.headers_required = true);
        let simulator = Self {
            running,
            seeded: BTreeSet::new(),
            at_start: String::new(),
        };
        simulator.starting_here()
    }

    /// The same, where what exists by now counts as having been there at the start.
    pub(crate) fn starting_here(mut self) -> Self {
        self.at_start = fingerprint(&self.running);
        let instance = self.running.instance();
        self.seeded = instance
            .tables()
            .into_iter()
            .flat_map(|table| instance.records(table))
            .map(sys_id)
            .collect();
        self
    }

    /// Registers an application with a secret that may act for the administrator in the admin center.
    pub(crate) fn register_for_a_person(&self, name: &str) -> Registered {
        let application = self.directory().register(name, TokenVersion::V1);
        let consent = (application.client_id.clone(), PORTAL_APP.to_owned());
        self.directory().with(|tenant| tenant.consents.insert(consent));
        application
    }

    /// Takes its secrets from an application.
    pub(crate) fn forget_secrets(&self, application: &Registered) {
        self.directory().with(|tenant| {
            let registered = tenant.applications.get_mut(&application.object_id);
            registered.unwrap().passwords.clear();
        });
    }

    /// A workspace whose provider is configured for this simulator, so that `configuration` holds only what the test is
    /// about. Credentials come from the environment; `provider.tf`, which a test may replace, has the two addresses that
    /// no environment variable can give.
    pub(crate) fn workspace(&self, terraform: &Terraform, configuration: &str) -> Workspace {
        let mut workspace = Workspace::new(terraform, configuration);
        workspace.write("provider.tf", &self.provider(""));
        for (name, value) in [
            ("SERVICENOW_INSTANCE_URL", self.urls().instance.as_str()),
            ("SERVICENOW_USERNAME", self.username()),
            ("SERVICENOW_PASSWORD", self.password()),
            ("ARM_TENANT_ID", &self.tenant_id()),
            ("ARM_CLIENT_ID", self.client_id()),
            ("ARM_CLIENT_SECRET", self.client_secret()),
            ("M365_REFRESH_TOKEN", self.refresh_token()),
            ("SSL_CERT_FILE", &self.ca_certificate().display().to_string()),
        ] {
            workspace.set(name, value);
        }
        let (instance, logs) = (self.instance().clone(), self.logs().clone());
        workspace.tell_also(move || format!("{}{}", requests(&logs), log_of(&instance.log())));
        workspace
    }

    /// The provider block for this simulator, with more arguments: `provider("max_retries = 0")`.
    pub(crate) fn provider(&self, arguments: &str) -> String {
        format!(
            "provider \"servicenow\" {{\n  {arguments}\n  microsoft365 = {{\n    login_url = {:?}\n    admin_url = {:?}\n  }}\n}}\n",
            self.urls().login,
            self.urls().admin
        )
    }

    /// The `sys_id` of one of the people whom the instance has from the start.
    pub(crate) fn person(&self, user_name: &str) -> String {
        self.instance().find("sys_user", "user_name", user_name)[0]["sys_id"].clone()
    }

    /// The records of `table` that were not there at the start.
    pub(crate) fn created(&self, table: &str) -> Vec<Record> {
        self.instance()
            .records(table)
            .into_iter()
            .filter(|record| !self.seeded.contains(&record["sys_id"]))
            .collect()
    }

    /// How many of them the platform did not derive from others, as it does with roles that contain roles.
    pub(crate) fn count(&self, table: &str) -> usize {
        let made = self.created(table).into_iter();
        made.filter(|record| record.get("inherited").is_none_or(|inherited| inherited != "true"))
            .count()
    }

    /// The one record of `table` that was not there at the start.
    #[track_caller]
    pub(crate) fn only_record(&self, table: &str) -> Record {
        let mut created = self.created(table);
        assert_eq!(created.len(), 1, "{table} should have one new record\n{created:#?}");
        created.remove(0)
    }

    /// Checks that nothing of what was made is left, on either side.
    #[track_caller]
    pub(crate) fn is_as_at_start(&self) {
        let now = fingerprint(&self.running);
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (self.at_start.lines().collect(), now.lines().collect());
        let lost: Vec<_> = before.difference(&after).collect();
        let left: Vec<_> = after.difference(&before).collect();
        assert!(
            lost.is_empty() && left.is_empty(),
            "lost or changed: {lost:#?}\nleft over or changed: {left:#?}"
        );
    }

    /// Runs the connection test that the guide ends with, and checks that it passes.
    pub(crate) async fn is_connected(&self) {
        let report = self.connection_test().await;
        assert!(report.ok, "the connection test should pass\n{report:#?}");
    }

    /// Runs that test.
    pub(crate) async fn connection_test(&self) -> Report {
        self.connection().run(&Wanted::default()).await
    }
}

impl Deref for Simulator {
    type Target = servicenow_simulator::Simulator;

    fn deref(&self) -> &Self::Target {
        &self.running
    }
}

/// The instance's records, and what the admin center shows.
fn fingerprint(simulator: &servicenow_simulator::Simulator) -> String {
    format!(
        "{}\nadmin center {}",
        simulator.instance().fingerprint(),
        simulator.admin().shown()
    )
}

fn requests(logs: &Logs) -> String {
    let services = [&logs.instance, &logs.login, &logs.admin];
    let lines = services
        .iter()
        .flat_map(|log| log.all())
        .map(|it| format!("{} {} {} {}\n", it.status, it.method, it.uri, it.body));
    lines.collect()
}

fn log_of(lines: &[String]) -> String {
    lines.iter().map(|line| format!("instance's log: {line}\n")).collect()
}

fn sys_id(record: Record) -> String {
    record.get("sys_id").cloned().unwrap_or_default()
}
