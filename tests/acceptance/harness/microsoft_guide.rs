//! The whole guide as one configuration: three applications in Entra, five resources.

use servicenow_simulator::microsoft::directory::{Registered, TokenVersion};

use super::{Simulator, Terraform, Workspace};

/// The applications that the guide's reader registers first.
pub(crate) struct Guide {
    pub(crate) outbound: Registered,
    pub(crate) inbound: Registered,
    pub(crate) rest_user: Registered,
}

impl Guide {
    pub(crate) fn register(simulator: &Simulator) -> Self {
        let register = |name| simulator.directory().register(name, TokenVersion::V1);
        Self {
            outbound: register("m365supportintegration_outbound"),
            inbound: register("m365supportintegration_inbound"),
            rest_user: register("m365supportintegration_servicenow_rest_user"),
        }
    }

    /// The secrets, which may be found nowhere.
    pub(crate) fn secrets(&self) -> [&str; 3] {
        [
            &self.outbound.client_secret,
            &self.inbound.client_secret,
            &self.rest_user.client_secret,
        ]
    }

    /// A workspace with the whole guide. The secrets come from the environment, in ephemeral variables.
    pub(crate) fn workspace(&self, simulator: &Simulator, terraform: &Terraform) -> Workspace {
        let mut workspace = simulator.workspace(terraform, &self.configuration(simulator));
        for (name, value) in [
            ("TF_VAR_outbound_secret", &self.outbound.client_secret),
            ("TF_VAR_inbound_secret", &self.inbound.client_secret),
            ("TF_VAR_rest_user_secret", &self.rest_user.client_secret),
        ] {
            workspace.set(name, value);
        }
        workspace
    }

    /// `main.tf`. A test that wants something wrong replaces a part of it.
    pub(crate) fn configuration(&self, simulator: &Simulator) -> String {
        let urls = simulator.urls();
        GUIDE
            .replace("$instance", &urls.instance)
            .replace("$login", &urls.login)
            .replace("$tenant", &simulator.tenant_id())
            .replace("$outbound", &self.outbound.client_id)
            .replace("$inbound", &self.inbound.client_id)
            .replace("$rest_user", &self.rest_user.client_id)
            .replace("$version", "1")
    }
}

const GUIDE: &str = r#"
variable "outbound_secret" {
  ephemeral = true
}
variable "inbound_secret" {
  ephemeral = true
}
variable "rest_user_secret" {
  ephemeral = true
}

resource "servicenow_oauth_entity" "outbound" {
  name                     = "m365supportintegration_outbound"
  client_id                = "$outbound"
  client_secret_wo         = var.outbound_secret
  client_secret_wo_version = "$version"
  token_url                = "$login/$tenant/oauth2/token"
  redirect_url             = "$instance/oauth_redirect.do"
}

resource "servicenow_oidc_provider" "inbound" {
  name                     = "m365supportintegration_inbound_aad"
  client_id                = "$inbound"
  client_secret_wo         = var.inbound_secret
  client_secret_wo_version = "$version"
  configuration = {
    name         = "m365supportintegration_oidc_provider"
    metadata_url = "$login/$tenant/.well-known/openid-configuration"
    user_claim   = "appid"
    user_field   = "user_name"
  }
}

resource "servicenow_integration_user" "rest_user" {
  user_name  = "$rest_user"
  first_name = "m365supportintegration_integration_user"
  roles      = ["incident_manager"]
}

resource "m365_support_settings" "this" {
  provider       = servicenow
  application_id = servicenow_oauth_entity.outbound.client_id
}

resource "m365_support_repository" "this" {
  provider                      = servicenow
  repository_id                 = "contoso"
  endpoint                      = "$instance/"
  client_id                     = servicenow_oidc_provider.inbound.client_id
  client_secret_wo              = var.inbound_secret
  client_secret_wo_version      = "$version"
  rest_user_name                = servicenow_integration_user.rest_user.user_name
  rest_user_password_wo         = var.rest_user_secret
  rest_user_password_wo_version = "$version"
}
"#;
