"""The steps of Microsoft's guide, and for each the record that implements it.

Step names are those of docs/guides: P prerequisites, O optional network step, C the application's wizard, M the
Microsoft 365 admin center, U users, L linking. Each is looked up where it must have arrived, never in terraform's state.
"""

from dataclasses import dataclass

DONE, MANUAL, NOTHING = "✓", "manual", "–"


@dataclass
class Row:
    step: str
    asks: str
    implemented_by: str
    result: str  # DONE, MANUAL, NOTHING (there is nothing to save), or the cause of a failure


class Wrong(Exception):
    """A record that is missing, or differs from what the guide asks."""


class Guide:
    """Evaluates every step against the simulator."""

    def __init__(self, announced: dict, instance, tenant, applications: dict, administrator: str, connection: dict):
        self._announced = announced
        self._instance = instance
        self._tenant = tenant
        self._applications = applications
        self._administrator = administrator
        self._connection = connection

    def rows(self, by_hand: list[dict]) -> list[Row]:
        rows = [self._checked(step, asks, check) for step, asks, check in self._steps()]
        for row in rows:
            if row.result == MANUAL:
                values = [entry for entry in by_hand if entry["step"] == row.step]
                row.implemented_by = "; ".join(f"{entry['field']}: {entry['value']}" for entry in values) or row.implemented_by
        return rows

    def _checked(self, step: str, asks: str, check) -> Row:
        try:
            implemented_by, result = check()
        except Exception as cause:  # whatever goes wrong with one step is that step's result
            implemented_by, result = "", str(cause) or type(cause).__name__
        return Row(step, asks, implemented_by, result)

    def _steps(self):
        navigation = lambda: ("navigation, nothing is saved", NOTHING)
        wizard = lambda: ("the application's wizard has no API", MANUAL)
        return [
            ("P1", "Register the outbound application", lambda: self._application("outbound")),
            ("P2", "Its redirect URI", self._redirect_uri),
            ("P3", "Its client secret", lambda: self._secret("outbound")),
            ("P4", "Register the REST API application", lambda: self._application("inbound")),
            ("P5", "Its client secret", lambda: self._secret("inbound")),
            ("P6", "Register the REST user application", lambda: self._application("rest_user")),
            ("P7", "Its client secret", lambda: self._secret("rest_user")),
            ("P8", "Scope Global", lambda: self._scope(self._oauth_entity())),
            ("P9", "Open the application registry", navigation),
            ("P10", "OAuth provider, with its default profile", self._outbound),
            ("P11", "Scope Global", lambda: self._scope(self._oidc_entity())),
            ("P12", "Open the application registry", navigation),
            ("P13", "OIDC provider", lambda: self._named("oauth_oidc_entity", self._oidc_entity())),
            ("P14", "Its configuration: metadata URL, claim, field", self._configuration),
            ("P15", "Client ID of the REST API application", self._inbound),
            ("P16", "Integration user with incident_manager", self._integration_user),
            ("O1", "Allow the connector's addresses (optional)", lambda: ("not asked for here", NOTHING)),
            ("C1", "Switch to the application's scope", navigation),
            ("C2", "Let the application read oauth_entity", self._table_access),
            ("C3", "Accept the consent prompt", wizard),
            ("C4", "Kind of environment, basic authentication", wizard),
            ("C5", "Microsoft 365 tenant domain", wizard),
            ("C6a", "Outbound, part 1", wizard),
            ("C6b", "Outbound, part 2: the OAuth profile", wizard),
            ("C7a", "Inbound, part 1", wizard),
            ("C7b", "Inbound, part 2: the OIDC registration", wizard),
            ("C7c", "Inbound, part 3", wizard),
            ("C7d", "Inbound, part 4: the integration user", wizard),
            ("M1", "Check the wizard's summary", lambda: ("a check, nothing is saved", NOTHING)),
            ("M2", "Open the admin center's page", self._page),
            ("M3", "Support tool and application ID", self._settings),
            ("M4", "Repository", self._repository),
            ("M5", "Go back to ServiceNow", navigation),
            ("M6", "Connection test", self._connection_test),
            ("U1", "Role of an administrator", self._role_of_administrator),
            ("L1", "Link an administrator's account (optional)", wizard),
        ]

    # Microsoft Entra

    def _application(self, role: str):
        made = self._applications[role]
        found = self._tenant.application(made["id"])
        expect("signInAudience", found["signInAudience"], "AzureADMyOrg")
        return f"application {found['displayName']}", DONE

    def _redirect_uri(self):
        found = self._tenant.application(self._applications["outbound"]["id"])
        expect("web.redirectUris", found["web"]["redirectUris"], [self._redirect_url()])
        return f"application {found['displayName']}, web.redirectUris", DONE

    def _secret(self, role: str):
        found = self._tenant.application(self._applications[role]["id"])
        expect("number of secrets", len(found["passwordCredentials"]), 1)
        return f"application {found['displayName']}, passwordCredentials", DONE

    # ServiceNow

    def _oauth_entity(self) -> dict:
        client_id = self._applications["outbound"]["client_id"]
        return self._only("oauth_entity", f"client_id={client_id}^type=oauth_provider")

    def _oidc_entity(self) -> dict:
        return self._only("oauth_oidc_entity", f"client_id={self._applications['inbound']['client_id']}")

    def _scope(self, record: dict):
        expect("sys_scope", record["sys_scope"], "global")
        return f"{record['name']}, sys_scope", DONE

    def _outbound(self):
        entity = self._oauth_entity()
        login, tenant = self._announced["login_url"], self._announced["tenant_domain"]
        expect("default_grant_type", entity["default_grant_type"], "client_credentials")
        expect("token_url", entity["token_url"], f"{login}/{tenant}/oauth2/token")
        expect("redirect_url", entity["redirect_url"], self._redirect_url())
        profile = self._only("oauth_entity_profile", f"oauth_entity={entity['sys_id']}^default=true")
        return f"oauth_entity {entity['name']} and oauth_entity_profile {profile['name']}", DONE

    def _configuration(self):
        found = self._only("oidc_provider_configuration", f"sys_id={self._oidc_entity()['oidc_provider_configuration']}")
        login, tenant = self._announced["login_url"], self._announced["tenant_domain"]
        expect("oidc_url", found["oidc_url"], f"{login}/{tenant}/.well-known/openid-configuration")
        expect("user_claim", found["user_claim"], "appid")
        expect("user_field", found["user_field"], "user_name")
        return f"oidc_provider_configuration {found['name']}", DONE

    def _inbound(self):
        entity = self._oidc_entity()
        expect("redirect_url", entity["redirect_url"], self._redirect_url())
        return f"oauth_oidc_entity {entity['name']}, client_id", DONE

    def _integration_user(self):
        user = self._only("sys_user", f"user_name={self._applications['rest_user']['client_id']}")
        expect("active", user["active"], "true")
        expect("web_service_access_only", user["web_service_access_only"], "true")
        self._only("sys_user_has_role", f"user={user['sys_id']}^role.name=incident_manager^inherited=false")
        return f"sys_user {user['user_name']} and sys_user_has_role", DONE

    def _table_access(self):
        query = "source_scope.scope=x_mioms_m365_assis^target_name=oauth_entity^operation=read^status=allowed"
        if self._instance.records("sys_scope_privilege", query):
            return "sys_scope_privilege, written by the application's installation", DONE
        return "only where the wizard shows the error: readable_by_application = true", NOTHING

    def _role_of_administrator(self):
        role = "x_mioms_m365_assis.administrator"
        self._only("sys_user_has_role", f"user.user_name={self._administrator}^role.name={role}")
        return f"sys_user_has_role: {self._administrator}, {role}", DONE

    # Microsoft 365 admin center

    def _page(self):
        self._tenant.support_integration()
        return "GET /admin/api/supportRepository/my", DONE

    def _settings(self):
        page = self._tenant.support_integration()
        expect("SupportTool", page["SupportTool"], "ServiceNow")
        expect("ApplicationId", page["ApplicationId"], self._applications["outbound"]["client_id"])
        return "settings of the admin center", DONE

    def _repository(self):
        repositories = self._tenant.support_integration()["Repositories"]
        expect("number of repositories", len(repositories), 1)
        found = repositories[0]
        expect("Endpoint", found["Endpoint"], self._announced["instance_url"] + "/")
        expect("AuthenticationType", found["AuthenticationType"], "AAD")
        expect("ClientId", found["ClientId"], self._applications["inbound"]["client_id"])
        expect("RestUserName", found["RestUserName"], self._applications["rest_user"]["client_id"])
        return f"repository {found['RepositoryId']}", DONE

    def _connection_test(self):
        for leg in self._connection["legs"]:
            if not leg["ok"]:
                raise Wrong(f"{leg['name']}: {leg['cause']}")
        expect("connection test", self._connection["ok"], True)
        return "both directions, run by the simulator", DONE

    def _redirect_url(self) -> str:
        return self._announced["instance_url"] + "/oauth_redirect.do"

    def _named(self, table: str, record: dict):
        return f"{table} {record['name']}", DONE

    def _only(self, table: str, query: str) -> dict:
        found = self._instance.records(table, query)
        if len(found) != 1:
            raise Wrong(f"{table} has {len(found)} records with {query}, not one")
        return found[0]


def expect(name: str, value, expected):
    if value != expected:
        raise Wrong(f"{name} is {value!r}, not {expected!r}")
