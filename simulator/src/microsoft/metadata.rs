//! The cloud's list of endpoints, as Azure Resource Manager publishes it: what `metadata_host` points the azuread
//! provider at.

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use crate::microsoft::answer;

/// Serves the list; it names this simulator's login and Graph.
pub(crate) fn router(login_url: &str, graph_url: &str) -> Router {
    let endpoints = endpoints(login_url, graph_url);
    Router::new().route("/metadata/endpoints", get(async move || answer(200, &endpoints)))
}

fn endpoints(login_url: &str, graph_url: &str) -> Value {
    json!({
        "name": "Simulated",
        "portal": "https://portal.azure.com",
        "resourceManager": "https://management.azure.com/",
        "authentication": {
            "loginEndpoint": login_url,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": graph_url,
        "graphAudience": graph_url,
        // The azuread provider takes the address of Graph from here and from nowhere else.
        "microsoftGraphResourceId": graph_url,
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "batch": "https://batch.core.windows.net/",
        "media": "https://rest.media.azure.net",
        "gallery": "https://gallery.azure.com/",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "vmImageAliasDoc": "https://example.invalid/aliases.json",
        "suffixes": {
            "keyVaultDns": "vault.azure.net",
            "storage": "core.windows.net",
            "sqlServerHostname": "database.windows.net",
            "acrLoginServer": "azurecr.io",
        },
    })
}
