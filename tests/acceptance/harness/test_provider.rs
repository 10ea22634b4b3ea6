//! A test of this binary as the provider that terraform starts: the real one with a change that only a test wants.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use servicenow_provider::http::secret;
use servicenow_provider::plugin::proto::tfplugin6::provider_server::Provider as Served;
use servicenow_provider::plugin::transport::{self, Plugin};
use servicenow_provider::provider::{ADDRESSES, Environment, Servicenow};

use super::Workspace;

impl Workspace {
    /// Puts a test of this binary, by its path, in the provider's place. Terraform takes nothing but the handshake on
    /// stdout, and the test harness says more.
    pub(crate) fn use_test_as_provider(&self, test: &str) {
        let provider = self.folder().join("provider/terraform-provider-servicenow");
        fs::remove_file(&provider).unwrap();
        let this = std::env::current_exe().unwrap();
        let script = format!(
            "#!/bin/sh\n{:?} --exact {test} --nocapture | grep --line-buffered '^1|'\n",
            this.display().to_string()
        );
        fs::write(&provider, script).unwrap();
        fs::set_permissions(&provider, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Serves this provider where terraform started the test; else there is nothing to see.
pub(crate) fn serve_if_started_by_terraform<P: Served>(provider: impl FnOnce(Servicenow) -> P) {
    if std::env::vars().any(|(name, _)| name == "TF_PLUGIN_MAGIC_COOKIE") {
        let plugin = Plugin {
            addresses: ADDRESSES,
            name: "servicenow",
            version: "0",
            mask: secret::mask,
        };
        transport::run_with(plugin, Vec::<OsString>::new(), || {
            let environment = Environment::of_process();
            provider(Servicenow { environment })
        });
    }
}
