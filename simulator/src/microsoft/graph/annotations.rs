//! What Graph adds to answers and accepts in addresses: `@odata` annotations, headers, and keys in round brackets.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::microsoft::directory::{Directory, Tenant};
use crate::microsoft::ids;

/// What is looked up for it.
#[derive(Clone)]
pub(super) struct Annotations {
    pub(super) directory: Directory,
    /// Where Graph is served, without a version.
    pub(super) url: Arc<str>,
}

/// Response extension: where the next page of a list begins.
#[derive(Clone, Copy)]
pub(super) struct NextPage(pub(super) usize);

/// Completes what goes out, and finds the object behind an address such as `applications(appId='…')`.
pub(super) async fn annotate(State(graph): State<Annotations>, mut request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let client_request = request.headers().get(&CLIENT_REQUEST_ID).cloned();
    if let Some(found) = graph.directory.with(|tenant| by_alternate_key(tenant, &uri)) {
        *request.uri_mut() = found;
    }
    let response = next.run(request).await;

    let (mut parts, body) = response.into_parts();
    let id = parts.headers.entry(REQUEST_ID).or_insert_with(guid).clone();
    parts.headers.insert(CLIENT_REQUEST_ID, client_request.unwrap_or(id));
    parts.headers.insert(
        HeaderName::from_static("odata-version"),
        HeaderValue::from_static("4.0"),
    );
    let is_json = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/json");
    if !parts.status.is_success() || !is_json {
        return Response::from_parts(parts, body);
    }
    let text = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut object: Value = serde_json::from_slice(&text).unwrap_or_default();
    if let Some(context) = context(&uri, &object) {
        object["@odata.context"] = json!(format!("{}{context}", graph.url));
    }
    if let Some(NextPage(offset)) = parts.extensions.get() {
        object["@odata.nextLink"] = json!(format!("{}{}", graph.url, next_page(&uri, *offset)));
    }
    if parts.status == StatusCode::CREATED
        && let Some(id) = object["id"].as_str()
        && let Ok(location) = HeaderValue::from_str(&format!("{}{}/{id}", graph.url, uri.path()))
    {
        parts.headers.insert(header::LOCATION, location);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(object.to_string()))
}

/// The same address with the object id in place of `(appId='…')`; an unknown key stays as it is, and is found nowhere.
fn by_alternate_key(tenant: &Tenant, uri: &Uri) -> Option<Uri> {
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
    let named = segments.get(2)?.clone();
    let (set, key) = named.strip_suffix("')")?.split_once("(appId='")?;
    let id = match set {
        "applications" => tenant.application(key).map(|found| found.object_id.clone()),
        "servicePrincipals" => tenant.service_principal(key).map(|found| found.object_id.clone()),
        _ => return None,
    };
    segments[2] = format!("{set}/{}", id.unwrap_or_else(|| key.to_owned()));
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{}{query}", segments.join("/")).parse().ok()
}

/// `/v1.0/$metadata#applications/$entity`
fn context(uri: &Uri, object: &Value) -> Option<String> {
    let mut segments = uri.path().trim_matches('/').split('/');
    let version = segments.next()?;
    let segments: Vec<&str> = segments.collect();
    let selected = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "$select")
        .map(|(_, names)| format!("({names})"))
        .unwrap_or_default();
    let is_list = object["value"].is_array();
    let what = match segments.as_slice() {
        [set] if is_list => format!("{set}{selected}"),
        [set] | [set, _] => format!("{set}{selected}/$entity"),
        [_, _, "owners"] => "directoryObjects".to_owned(),
        [_, _, "addPassword"] => "microsoft.graph.passwordCredential".to_owned(),
        [_, _, "addTokenSigningCertificate"] => "microsoft.graph.selfSignedCertificate".to_owned(),
        [set, id, relationship] if is_list => format!("{set}('{id}')/{relationship}"),
        [set, id, relationship, ..] => format!("{set}('{id}')/{relationship}/$entity"),
        [] => return None,
    };
    Some(format!("/{version}/$metadata#{what}"))
}

fn next_page(uri: &Uri, offset: usize) -> String {
    let kept =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).filter(|(name, _)| name != "$skiptoken");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("$skiptoken", &offset.to_string())
        .finish();
    format!("{}?{query}", uri.path())
}

fn guid() -> HeaderValue {
    HeaderValue::from_str(&ids::guid()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Header with the id of the request at Graph.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
