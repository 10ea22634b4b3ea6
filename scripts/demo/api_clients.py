"""The demo's own HTTP client for the two clouds, independent of the provider.

What terraform says it did is checked here with a second pair of eyes.
"""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

from failure import CloudError


class Http:
    """JSON over HTTPS, trusting the simulator's authority only."""

    def __init__(self, ca_certificate: str):
        context = ssl.create_default_context(cafile=ca_certificate)
        # Everything is on loopback, which the proxy of this machine does not reach.
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        self._opener = urllib.request.build_opener(*handlers)

    def send(self, method: str, url: str, headers: dict, body: dict | None = None, form: dict | None = None):
        data = None
        headers = {"Accept": "application/json", **headers}
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise CloudError(f"{method} {url} answered {error.code}: {error.read().decode(errors='replace')[:400]}") from error
        except (OSError, http.client.HTTPException) as error:
            raise CloudError(f"{method} {url} had no answer: {getattr(error, 'reason', error)}") from error
        return json.loads(text) if text else None


class Instance:
    """A ServiceNow instance, by its Table API."""

    def __init__(self, http: Http, announced: dict):
        self._http = http
        self._url = announced["instance_url"]
        account = f"{announced['username']}:{announced['password']}".encode()
        self._headers = {"Authorization": "Basic " + base64.b64encode(account).decode()}

    def records(self, table: str, query: str = "", fields: str = "") -> list[dict]:
        wanted = {"sysparm_query": query, "sysparm_fields": fields, "sysparm_exclude_reference_link": "true"}
        parameters = urllib.parse.urlencode({name: value for name, value in wanted.items() if value})
        return self._http.send("GET", f"{self._url}/api/now/table/{table}?{parameters}", self._headers)["result"]

    def insert(self, table: str, record: dict) -> dict:
        return self._http.send("POST", f"{self._url}/api/now/table/{table}", self._headers, record)["result"]

    def delete(self, table: str, sys_id: str):
        self._http.send("DELETE", f"{self._url}/api/now/table/{table}/{sys_id}", self._headers)

    def inventory(self) -> set[tuple[str, str]]:
        """Every record of the tables that the guide touches."""
        return {(table, record["sys_id"]) for table in TOUCHED for record in self.records(table, fields="sys_id")}


class Tenant:
    """A Microsoft Entra tenant by Graph, and its Microsoft 365 admin center."""

    def __init__(self, http: Http, announced: dict):
        self._http = http
        self._announced = announced
        self._graph = announced["graph_url"].rstrip("/") + "/v1.0"

    def register(self, name: str, redirect_uri: str | None = None) -> dict:
        """Steps P1 to P3 for one application, in the calls that the azuread provider makes."""
        headers = self._graph_headers()
        application = {
            "displayName": name,
            "signInAudience": "AzureADMyOrg",
            # The audience decides the version of its tokens; the guide's claim, appid, exists in version 1 only.
            "api": {"requestedAccessTokenVersion": 1},
        }
        if redirect_uri:
            application["web"] = {"redirectUris": [redirect_uri]}
        made = self._http.send("POST", f"{self._graph}/applications", headers, application)
        self._http.send("POST", f"{self._graph}/servicePrincipals", headers, {"appId": made["appId"]})
        secret = self.add_secret(made["id"])
        return {"id": made["id"], "client_id": made["appId"], "client_secret": secret, "name": name}

    def add_secret(self, object_id: str) -> str:
        password = {"passwordCredential": {"displayName": "demo"}}
        url = f"{self._graph}/applications/{object_id}/addPassword"
        return self._http.send("POST", url, self._graph_headers(), password)["secretText"]

    def remove_secret(self, object_id: str, key_id: str):
        url = f"{self._graph}/applications/{object_id}/removePassword"
        self._http.send("POST", url, self._graph_headers(), {"keyId": key_id})

    def application(self, object_id: str) -> dict:
        return self._http.send("GET", f"{self._graph}/applications/{object_id}", self._graph_headers())

    def unregister(self, object_id: str):
        self._http.send("DELETE", f"{self._graph}/applications/{object_id}", self._graph_headers())

    def support_integration(self) -> dict:
        """Step M2: what the admin center's page shows."""
        token = self._token(
            {
                "grant_type": "refresh_token",
                "refresh_token": self._announced["refresh_token"],
                "scope": "https://admin.microsoft.com/.default",
            }
        )
        url = self._announced["admin_url"].rstrip("/") + "/admin/api/supportRepository/my"
        return self._http.send("GET", url, {"Authorization": f"Bearer {token}"})

    def connection_test(self) -> dict:
        """What the guide ends with: both directions, tried with what each side has stored."""
        return self._http.send("POST", self._announced["connection_test_url"], {})

    def _graph_headers(self) -> dict:
        form = {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
        return {"Authorization": f"Bearer {self._token(form)}"}

    def _token(self, form: dict) -> str:
        url = f"{self._announced['login_url']}/{self._announced['tenant_id']}/oauth2/v2.0/token"
        account = {name: self._announced[name] for name in ("client_id", "client_secret")}
        return self._http.send("POST", url, {}, form={**account, **form})["access_token"]


TOUCHED = [
    "ip_access",
    "oauth_entity",
    "oauth_entity_profile",
    "oauth_oidc_entity",
    "oidc_provider_configuration",
    "sys_scope_privilege",
    "sys_user",
    "sys_user_grmember",
    "sys_user_has_role",
]
