//! A client that trusts the simulator under test, and a simulator.

use reqwest::{Certificate, Client, Method, RequestBuilder};
use serde_json::Value;
use servicenow_simulator::microsoft::directory::GRAPH_APP;
use servicenow_simulator::{Options, Simulator};

/// A simulator with a client for it.
pub(crate) struct Simulation {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
}

impl Simulation {
    pub(crate) async fn start() -> Simulation {
        Simulation::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Simulation {
        // Every test of the process installs the same provider; only the first one takes.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let simulator = Simulator::start(options).await.unwrap();
        let pem = std::fs::read(simulator.ca_certificate()).unwrap();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(&pem).unwrap()])
            .build()
            .unwrap();
        Simulation { simulator, client }
    }

    /// Posts a form to the token endpoint of a version, `""` or `/v2.0`.
    pub(crate) async fn token(&self, version: &str, form: &[(&str, &str)]) -> (u16, Value) {
        self.post(&format!("oauth2{version}/token"), form).await
    }

    /// Asks for a device code.
    pub(crate) async fn device_code(&self, client: &str, scope: &str) -> (u16, Value) {
        let form = [("client_id", client), ("scope", scope)];
        self.post("oauth2/v2.0/devicecode", &form).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let tenant = self.simulator.tenant_id();
        let url = format!("{}/{tenant}/{path}", self.simulator.urls().login);
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        send(request).await
    }

    /// An access token for the resource, by client credentials of the automation application.
    pub(crate) async fn app_token(&self, resource: &str) -> String {
        let scope = format!("{resource}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.simulator.client_id()),
            ("client_secret", self.simulator.client_secret()),
            ("scope", scope.as_str()),
        ];
        let (status, body) = self.token("/v2.0", &form).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Gives the automation application a role of Microsoft Graph.
    pub(crate) fn give_role(&self, role: &str) {
        let directory = self.simulator.directory();
        directory.with(|tenant| {
            let principal = tenant.service_principal(self.simulator.client_id()).unwrap();
            let assignment = (principal.object_id.clone(), GRAPH_APP.to_owned(), role.to_owned());
            tenant.role_assignments.insert(assignment);
        });
    }

    /// An access token for the admin center, on behalf of the administrator.
    pub(crate) async fn admin_token(&self) -> String {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.simulator.client_id()),
            ("client_secret", self.simulator.client_secret()),
            ("refresh_token", self.simulator.refresh_token()),
            ("scope", "https://admin.microsoft.com/.default offline_access"),
        ];
        let (status, body) = self.token("/v2.0", &form).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A call with a bearer token and, unless null, a JSON body.
    pub(crate) async fn call(&self, method: Method, url: &str, token: &str, body: &Value) -> (u16, Value) {
        let mut request = self.client.request(method, url).bearer_auth(token);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        send(request).await
    }
}

/// Status and JSON of the answer; null where it is not JSON.
pub(crate) async fn send(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Claims of a token, unchecked.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(payload)
            .unwrap(),
    )
    .unwrap()
}
