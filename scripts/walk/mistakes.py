"""What a new user gets wrong, and the words that have to help: what is wrong, and what to do about it.

Each mistake is one change of a configuration from a page, or of the environment. None may change anything on the simulator.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from machine import WalkFailed
from pages import block, filled, read
from steps import INBOUND, REST_USER, SIGN_IN, Walk, check_values, times

USER = "examples/resources/servicenow_integration_user/resource.tf"
OAUTH = "examples/resources/servicenow_oauth_entity/resource.tf"
OIDC = "examples/resources/servicenow_oidc_provider/resource.tf"
ROLE = "examples/data-sources/servicenow_role/data-source.tf"
SETTINGS = "examples/resources/m365_support_settings/resource.tf"
METADATA = 'provider::servicenow::entra_oidc_metadata_url("contoso.com", "1.0")'
UNKNOWN = "0123456789abcdef0123456789abcdef"


@dataclass
class Mistake:
    """A file of the project, the change that is wrong, and parts of what has to be said."""

    name: str
    page: str
    change: dict[str, str]
    says: list[str]
    command: str = "plan"
    environment: dict[str, str] = field(default_factory=dict)
    url: Callable[[str], str] | None = None  # of the instance's address, in the provider block
    more: str = ""  # at the end of the configuration
    is_warned_of: bool = False  # and not refused

    def run(self, walk: Walk):
        """It ends in one error, or one warning, of these words."""
        values = {"TF_VAR_client_secret": walk.machine.secret("of-a-mistake"), **self.environment}
        files = {"main.tf": filled(read(self.page), self.change) + self.more}
        if self.url:
            address = walk.announced["instance_url"]
            files["versions.tf"] = filled(walk.provider_block(), {address: self.url(address)})
        workspace = walk.workspace(f"mistakes/{self.name}".replace(" ", "-"), files, **values)
        if self.is_warned_of:
            times(workspace.run(self.command, says=self.says), {"Warning: ": 1})
        else:
            once(workspace.run(self.command, status=1, says=self.says))


def once(said: str):
    """One mistake, one error: a second one would hide what is to be corrected."""
    times(said, {"Error: ": 1})


def importing(kind: str, to: str, identifier: str) -> str:
    return f'import {{\n  to = {kind}.{to}\n  id = "{identifier}"\n}}\n'


def misspelt_table(walk: Walk):
    """The configuration of the check that passed, with another table."""
    text = block("docs/ephemeral-resources/inbound_check.md", "Example Usage")
    values, environment = check_values(walk)
    argument = '  tenant        = "contoso.com"\n'
    text = filled(text, {**values, argument: f'{argument}  table         = "incidnt"\n'})
    workspace = walk.workspace("mistakes/table", {"main.tf": text}, **environment)
    once(workspace.run("plan", status=1, says=["Error: The inbound check failed", "The instance has no table incidnt.", "Did you mean incident?"]))


def wrong_secret_of_the_check(walk: Walk):
    values, environment = check_values(walk)
    text = filled(block("docs/ephemeral-resources/inbound_check.md", "Example Usage"), values)
    environment["TF_VAR_rest_user_client_secret"] = walk.machine.secret("not-the-secret-of-the-application")
    workspace = walk.workspace("mistakes/check", {"main.tf": text}, **environment)
    says = ["Error: The inbound check failed", "AADSTS7000215", "The client secret is wrong"]
    once(workspace.run("plan", status=1, says=says))


def without_provider(walk: Walk):
    """docs/guides/troubleshooting.md: Terraform then looks for a provider of its own guess."""
    files = {"main.tf": filled(read(SETTINGS), {"  provider = servicenow\n": ""})}
    workspace = walk.workspace("mistakes/m365", files)
    workspace.run("plan", status=1, says=["hashicorp/m365"])
    if "the same with *hashicorp/m365*" not in read("docs/guides/troubleshooting.md"):
        raise WalkFailed("docs/guides/troubleshooting.md does not say what hashicorp/m365 means")


def existing_entry(walk: Walk):
    """What the module made is in the way, and stays as it is."""
    application = walk.applications["outbound"]["client_id"]
    text = filled(read(OAUTH), {"11111111-1111-4111-8111-111111111111": application})
    workspace = walk.workspace("mistakes/entry", {"main.tf": text}, TF_VAR_client_secret=walk.machine.secret("of-an-entry"))
    (entry,) = walk.instance.records("oauth_entity", f"client_id={application}")
    says = [
        "Error: The registry entry already exists",
        "created by admin",
        f"terraform import servicenow_oauth_entity.<name> {entry['sys_id']}",
        "use another name",
    ]
    once(workspace.run("apply", status=1, says=says))


def existing_provider(walk: Walk):
    application = walk.applications["inbound"]["client_id"]
    workspace = walk.workspace("mistakes/provider", {"main.tf": filled(read(OIDC), {INBOUND: application})})
    command = "terraform import servicenow_oidc_provider.<name>"
    says = ["Error: The OIDC provider already exists", command, "use another client id"]
    once(workspace.run("apply", status=1, says=says))


def versions_of_a_secret(walk: Walk):
    """A new version without the secret is refused; a new secret without a version is not sent, with a warning."""
    text = block("docs/guides/rotation.md", "Without the modules")
    secret = "  client_secret_wo         = var.outbound_secret\n"
    version = "  client_secret_wo_version = var.outbound_secret_version\n"
    values = {"TF_VAR_outbound_secret": walk.machine.secret("of-versions"), "TF_VAR_outbound_secret_version": "1"}
    text = filled(text, {'"Microsoft 365 outbound"': '"Versions"'})
    workspace = walk.workspace("mistakes/versions", {"main.tf": text}, **values)
    workspace.run("apply")
    workspace.write("main.tf", filled(text, {secret: ""}))
    says = ["Error: client_secret_wo is missing", 'changes from "1" to "2"', 'Set it, or leave the version at "1"']
    once(workspace.run("plan", status=1, says=says, TF_VAR_outbound_secret_version="2"))
    workspace.run("destroy")
    workspace.write("main.tf", filled(text, {version: ""}))
    workspace.run("apply")
    other = walk.machine.secret("of-no-version")
    says = ["Warning: client_secret_wo is not sent", "set `client_secret_wo_version`", "0 added, 0 changed, 0 destroyed"]
    workspace.run("apply", says=says, TF_VAR_outbound_secret=other)
    workspace.run("destroy")


MISTAKES = [
    # The configuration
    Mistake("misspelt argument", USER, {"last_name ": "last_nam "}, ["Error: Unsupported argument", 'Did you mean "last_name"?']),
    Mistake(
        "missing required argument",
        OAUTH,
        {'  name               = "m365supportintegration_outbound"\n': ""},
        ["Error: Missing required argument", 'The argument "name" is required'],
    ),
    Mistake(
        "type of the OAuth entity misspelt",
        OAUTH,
        {"  client_id          =": '  type               = "oauth_providr"\n  client_id          ='},
        ["Error: Invalid value for type", 'Did you mean "oauth_provider"?'],
    ),
    Mistake(
        "grant type of the OAuth entity misspelt",
        OAUTH,
        {'"client_credentials"': '"client_credential"'},
        ["Warning: Unknown value of default_grant_type", 'Did you mean "client_credentials"?'],
        is_warned_of=True,
    ),
    Mistake(
        "user_field that does not exist",
        OIDC,
        {'"user_name"': '"user_id"'},
        ["Error: Invalid value for configuration.user_field", "there is no `user_id`", 'Use "user_name"'],
    ),
    Mistake(
        "metadata address without https://",
        OIDC,
        {METADATA: '"login.microsoftonline.com/contoso.com/.well-known/openid-configuration"'},
        ["Error: Invalid value for configuration.metadata_url", "is not a valid URL", "Use the full address"],
    ),
    Mistake(
        "version of tokens that does not exist",
        OIDC,
        {'"1.0"': '"1.1"'},
        ["Error: Invalid function argument", "is not a version of Entra tokens", 'Use "1.0", or "2.0"'],
    ),
    Mistake(
        "address of a tenant in place of its domain",
        OIDC,
        {'"contoso.com"': '"https://contoso.com"'},
        ["Error: Invalid function argument", "is neither the GUID of a tenant nor a domain name such as contoso.com"],
    ),
    Mistake(
        "configuration and configuration_id",
        OIDC,
        {"  configuration = {": f'  configuration_id = "{UNKNOWN}"\n  configuration = {{'},
        ["Error: Two configurations are given", "Remove configuration_id to create a configuration", "or remove configuration"],
        command="apply",
    ),
    Mistake(
        "secret given twice",
        OAUTH,
        # Not the variable: it is ephemeral, which Terraform refuses here by itself.
        {"  client_secret_wo         =": '  client_secret            = "in clear"\n  client_secret_wo         ='},
        ["Error: Invalid value for client_secret", "cannot be used together with `client_secret_wo`", "Remove one of them"],
    ),
    Mistake(
        "user name that is too long",
        USER,
        {REST_USER: f"{REST_USER}@contoso.com"},
        ["Error: Invalid value for user_name", "The value has 48 characters; at most 40 fit"],
    ),
    Mistake(
        "variable of a secret not set",
        OAUTH,
        {},
        ["Error: No value for required variable", '"client_secret" is not set'],
        environment={"TF_VAR_client_secret": ""},
    ),
    # The address and the sign-in
    Mistake(
        "instance address without https://",
        ROLE,
        {},
        ["Error: Invalid value for instance_url", "it does not begin with https://", 'Use "https://127.0.0.1:'],
        url=lambda address: address.removeprefix("https://"),
    ),
    Mistake(
        "address of a page of the instance",
        ROLE,
        {},
        ["Error: Invalid value for instance_url", "it is the address of a page of the instance", 'Use "https://127.0.0.1:'],
        url=lambda address: f"{address}/now/nav/ui/home",
    ),
    Mistake(
        "wrong port",
        ROLE,
        {},
        ["Error: Could not reach https://127.0.0.1:1", "Connection refused", "Check the address, the port and the network path"],
        url=lambda _: "https://127.0.0.1:1",
    ),
    Mistake(
        "unknown host",
        ROLE,
        {},
        ["Error: Could not reach https://contosso.invalid", "cannot be resolved", "Check the address for typing errors"],
        url=lambda _: "https://contosso.invalid",
        # A proxy would look the name up in its own way.
        environment={name: "" for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")},
    ),
    Mistake(
        "authority of the certificate not trusted",
        ROLE,
        {},
        ["Error: Could not reach", "is signed by an untrusted authority", "Set ca_certificate_path or SSL_CERT_FILE"],
        environment={"SSL_CERT_FILE": ""},
    ),
    Mistake(
        "wrong password",
        ROLE,
        {},
        [SIGN_IN, "did not accept the sign-in (basic)", "Check username and password"],
        environment={"SERVICENOW_PASSWORD": "not-the-password"},
    ),
    Mistake(
        "password not set",
        ROLE,
        {},
        ["Error: ServiceNow is not configured", "username is set by SERVICENOW_USERNAME, but password is missing (SERVICENOW_PASSWORD", "or by an environment variable"],
        environment={"SERVICENOW_PASSWORD": ""},
    ),
    Mistake(
        "grant type of the provider misspelt",
        ROLE,
        {},
        ["Error: Unknown grant type", "expected one of client_credentials, password", "environment variable SERVICENOW_GRANT_TYPE. Correct it there."],
        environment={"SERVICENOW_GRANT_TYPE": "client_credential"},
    ),
    # What the instance has
    Mistake(
        "role that does not exist",
        USER,
        {'"incident_manager"': '"incident_manger"'},
        ["Error: Could not find the role", 'did you mean "incident_manager"?', "Correct the name"],
        command="apply",
    ),
    Mistake(
        "group that does not exist",
        USER,
        {'roles                   = ["incident_manager"]': 'groups                  = ["Servce Desk"]'},
        ["Error: Could not find the group", 'did you mean "Service Desk"?', "Correct the name"],
        command="apply",
    ),
    # Imports
    Mistake(
        "import of a record that does not exist",
        OIDC,
        {},
        ["Error: Nothing to import", 'has name = "nobody"', "Check the value, and the account's role"],
        more=importing("servicenow_oidc_provider", "inbound", "name=nobody"),
    ),
    Mistake(
        "import of a sys_id that does not exist",
        OIDC,
        {},
        ["Error: Cannot import non-existent remote object", "is correct and that it is associated with the provider's configured region or endpoint"],
        more=importing("servicenow_oidc_provider", "inbound", UNKNOWN),
    ),
    Mistake(
        "import by a misspelt column",
        OIDC,
        {},
        ["Error: Invalid import ID", f"Did you mean client_id={INBOUND}?", "Use one of: name, client_id"],
        more=importing("servicenow_oidc_provider", "inbound", f"clientid={INBOUND}"),
    ),
    Mistake(
        "import by a name without its column",
        OIDC,
        {},
        ["Error: Invalid import ID", "is neither a valid sys_id (32 hexadecimal digits) nor column=value"],
        more=importing("servicenow_oidc_provider", "inbound", "contoso_application_inbound_api"),
    ),
    # Microsoft 365
    Mistake(
        "no sign-in to Microsoft 365",
        SETTINGS,
        {},
        ["Error: Microsoft 365 is not configured", "Set client_id and refresh_token, or access_token"],
        command="apply",
    ),
]
# Those that need more than one command.
LONGER = [
    ("m365_* resource without its provider", without_provider),
    ("registry entry that exists already", existing_entry),
    ("OIDC provider that exists already", existing_provider),
    ("version without a secret, secret without a version", versions_of_a_secret),
    ("misspelt table of the inbound check", misspelt_table),
    ("wrong secret of the inbound check", wrong_secret_of_the_check),
]
