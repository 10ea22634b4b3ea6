//! HCP Terraform as an issuer of workload identity tokens.

use serde_json::{Value, json};

use crate::microsoft::ids;
use crate::microsoft::keys::{self, Claims, Thumbprint};

/// The issuer, without a slash at the end: federated credentials compare it literally.
pub const ISSUER: &str = "https://app.terraform.io";

/// Mints tokens as a run of a workspace gets them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hcp;

/// Which run a token is for.
#[derive(Clone, Debug)]
pub struct Run {
    /// Organization, project, workspace: names.
    pub organization: String,
    /// Name of the project.
    pub project: String,
    /// Name of the workspace.
    pub workspace: String,
    /// `plan` or `apply`; the subject differs between them.
    pub phase: String,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            organization: "contoso".to_owned(),
            project: "identity".to_owned(),
            workspace: "m365-support".to_owned(),
            phase: "plan".to_owned(),
        }
    }
}

impl Run {
    /// The claim `sub` of the run's tokens.
    pub fn subject(&self) -> String {
        let Run {
            organization,
            project,
            workspace,
            phase,
        } = self;
        format!("organization:{organization}:project:{project}:workspace:{workspace}:run_phase:{phase}")
    }
}

impl Hcp {
    /// The token that `TFC_WORKLOAD_IDENTITY_TOKEN` would hold, good for an hour.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn workload_identity_token(&self, run: &Run, audience: &str) -> anyhow::Result<String> {
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "jti": ids::guid(),
            "iss": ISSUER,
            "sub": run.subject(),
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "terraform_run_id": "run-simulated",
            "terraform_run_phase": run.phase,
            "terraform_organization_id": "org-simulated",
            "terraform_organization_name": run.organization,
            "terraform_project_id": "prj-simulated",
            "terraform_project_name": run.project,
            "terraform_workspace_id": format!("ws-{}", run.workspace),
            "terraform_workspace_name": run.workspace,
            "terraform_full_workspace": run.subject(),
        });
        self.sign(&serde_json::from_value(claims)?)
    }

    /// A token with exactly these claims.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn sign(&self, claims: &Claims) -> anyhow::Result<String> {
        keys::hcp()?.sign(Thumbprint::Absent, claims)
    }

    /// The documents under the issuer's address.
    pub(crate) fn document(&self, url: &str) -> Option<Value> {
        match url.strip_prefix(ISSUER)? {
            "/.well-known/openid-configuration" => Some(json!({
                "issuer": ISSUER,
                "jwks_uri": format!("{ISSUER}/.well-known/jwks"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
                "claims_supported": ["sub", "aud", "exp", "iat", "iss", "jti", "nbf"],
            })),
            "/.well-known/jwks" => Some(keys::hcp().ok()?.key_set()),
            _ => None,
        }
    }
}
