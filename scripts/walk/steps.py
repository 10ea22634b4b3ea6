"""The first hour of a new user, step by step: what the pages tell to do, and what has to come of it."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from api_clients import TOUCHED, Instance, Tenant
from machine import Machine, WalkFailed, Workspace
from pages import PROJECT, block, filled, objects, read
from terraform import HOSTS, VALUES, copy
from wording import flat

ADDRESS = "https://contoso.service-now.com"
OUTBOUND, INBOUND, REST_USER = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "123")
SIGN_IN = "Error: Could not sign in to ServiceNow"
CAUSE = "did not accept the sign-in"
REMEDY = "Check username and password, that the user is active and not locked out"


class Skipped(Exception):
    """A part that cannot run here, and why."""


@dataclass
class Walk:
    """What all steps share."""

    machine: Machine
    instance: Instance
    tenant: Tenant
    announced: dict
    provider: Path
    azuread: Path | None
    initialised: Workspace | None = None  # a folder after `terraform init`, to be copied
    support: Workspace | None = None  # the module that the inbound check needs, applied
    applications: dict = field(default_factory=dict)  # of that module, in Entra

    def workspace(self, name: str, files: dict[str, str], **environment: str) -> Workspace:
        """A configuration that begins as README's does, and is initialised."""
        files = {"versions.tf": self.provider_block(), **files}
        return self.machine.workspace(name, files, self.initialised, **environment)

    def usage(self) -> str:
        return filled(block("README.md", "Usage"), {ADDRESS: self.announced["instance_url"]})

    def provider_block(self) -> str:
        return objects(self.usage(), "terraform ", "provider ")

    def inventory(self) -> set[tuple[str, str]]:
        """Every record, with its values: a mistake must not change one either."""
        records = {
            (table, json.dumps({name: value for name, value in record.items() if name not in ENCRYPTED}, sort_keys=True))
            for table in TOUCHED
            for record in self.instance.records(table)
        }
        return records | {("admin center", json.dumps(self.tenant.support_integration(), sort_keys=True))}

    def only(self, table: str, query: str) -> dict:
        found = self.instance.records(table, query)
        if len(found) != 1:
            raise WalkFailed(f"{table} has {len(found)} records with {query}, not one")
        return found[0]


def install(walk: Walk):
    """README: `make install`, then `terraform init` without any CLI configuration."""
    machine = walk.machine
    # rustc is found by its own home folder, which would be in the new user's otherwise.
    rustup = os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))
    ended = subprocess.run(
        [PROJECT / "scripts/install.sh", "--program", walk.provider],
        env={**os.environ, "HOME": str(machine.home), "RUSTUP_HOME": rustup},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode != 0 or "make install: PASSED" not in ended.stdout:
        raise WalkFailed(f"scripts/install.sh ended with {ended.returncode}\n{ended.stdout}")
    copy(PROJECT / "modules", machine.folder / "modules")
    copy(PROJECT / "examples", machine.folder / "examples", *VALUES)
    for package in walk.azuread.glob("*/*") if walk.azuread else []:
        for host in HOSTS:
            # Terraform follows a link at this depth only: version, platform.
            installed = machine.home / ".terraform.d/plugins" / host / "hashicorp/azuread" / package.parent.name / package.name
            installed.parent.mkdir(parents=True, exist_ok=True)
            installed.symlink_to(package.resolve())
    workspace = machine.workspace("initialised", {"main.tf": walk.provider_block()})
    workspace.run("init", says=["Installed servicenow-m365/servicenow v", "successfully initialized!"])
    workspace.run("validate", says=["Success! The configuration is valid"])
    walk.initialised = workspace


def sign_in(walk: Walk):
    """A wrong password is refused once, with its cause, and is not tried again; the right one works."""
    # A plan that only creates does not sign in, says docs/guides/sign-in-servicenow.md: one that reads does.
    files = {"main.tf": read("examples/data-sources/servicenow_role/data-source.tf")}
    workspace = walk.workspace("sign-in", files)
    wrong = walk.machine.secret("not-the-password")
    said = workspace.run("plan", status=1, says=[SIGN_IN, CAUSE, REMEDY], SERVICENOW_PASSWORD=wrong)
    times(said, {SIGN_IN: 1})
    workspace.run("plan", says=["role_id"])
    workspace = walk.workspace("sign-in-of-three", three(walk), TF_VAR_client_secret=walk.machine.secret("the-first-secret"))
    workspace.run("plan", says=["Plan: 3 to add"], SERVICENOW_PASSWORD=wrong)
    said = workspace.run("apply", status=1, says=[SIGN_IN], SERVICENOW_PASSWORD=wrong)
    times(said, {SIGN_IN: 3, CAUSE: 1, REMEDY: 1, "Another error of this run with the same title": 2})


def three(walk: Walk) -> dict[str, str]:
    """README's configuration has two resources; the third is the example of its page."""
    oauth = read("examples/resources/servicenow_oauth_entity/resource.tf")
    return {"versions.tf": "", "main.tf": walk.usage(), "oauth.tf": oauth}


def three_resources(walk: Walk):
    """README's configuration and the example of the OAuth entity: apply, an empty plan, destroy."""
    workspace = walk.workspace("three", three(walk), TF_VAR_client_secret=walk.machine.secret("the-second-secret"))
    workspace.run("plan", says=["Plan: 3 to add, 0 to change, 0 to destroy."])
    profile = 'profile = "m365supportintegration_outbound default_profile"'
    workspace.run("apply", says=["3 added, 0 changed, 0 destroyed", profile])
    user = walk.only("sys_user", f"user_name={REST_USER}")
    walk.only("sys_user_has_role", f"user={user['sys_id']}^role.name=incident_manager")
    walk.only("oauth_entity", f"client_id={OUTBOUND}^type=oauth_provider")
    walk.only("oauth_oidc_entity", f"client_id={INBOUND}")
    workspace.is_applied()
    workspace.run("destroy", says=["3 destroyed"])


def support_module(walk: Walk):
    """examples/guide, as its README says, with applications that were registered in Entra before."""
    machine, announced = walk.machine, walk.announced
    redirect_uri = announced["instance_url"] + "/oauth_redirect.do"
    registered = {
        "outbound": walk.tenant.register("walk outbound", redirect_uri),
        "inbound": walk.tenant.register("walk inbound"),
        "rest_user": walk.tenant.register("walk rest user"),
    }
    walk.applications = registered
    secrets = {name: machine.secret(application["client_secret"]) for name, application in registered.items()}
    own = {OUTBOUND: "outbound", INBOUND: "inbound", REST_USER: "rest_user"}
    values = {ADDRESS: announced["instance_url"], **{shown: registered[name]["client_id"] for shown, name in own.items()}}
    walk.support = machine.workspace(
        "examples/guide",
        {"terraform.tfvars": filled(read("examples/guide/terraform.tfvars.example"), values)},
        TF_VAR_client_secrets=json.dumps(secrets),
    )
    walk.support.run("init", says=["successfully initialized!"])
    walk.support.run("apply", says=["4 added, 0 changed, 0 destroyed"])
    walk.support.run("output", "values_to_enter_by_hand", says=[registered["inbound"]["client_id"]])
    walk.support.is_applied()
    # The second half of the README: the admin center, with a person's sign-in.
    walk.support.environment |= {"TF_VAR_manage_admin_center": "true", **machine.microsoft}
    walk.support.run("apply", says=["2 added, 0 changed, 0 destroyed"])
    walk.support.is_applied()
    connected(walk)


def inbound_check(walk: Walk):
    """The page of the ephemeral resource, and from Terraform 1.14 on that of the action."""
    values, environment = check_values(walk)
    text = block("docs/ephemeral-resources/inbound_check.md", "Example Usage")
    workspace = walk.workspace("inbound-check", {"main.tf": filled(text, values)}, **environment)
    workspace.run("plan", says=["No changes."])
    if not walk.machine.has(1, 14):
        raise Skipped("the action needs Terraform 1.14; its ephemeral resource passed")
    text = block("docs/actions/inbound_check.md", "Example Usage")
    workspace.write("main.tf", filled(text, values))
    workspace.run("apply", "-invoke=action.servicenow_inbound_check.now", says=["Actions: 1 invoked."])


def check_values(walk: Walk) -> tuple[dict[str, str], dict[str, str]]:
    """What to fill in for the inbound check, and its environment."""
    inbound, rest_user = (walk.applications[name] for name in ("inbound", "rest_user"))
    values = {INBOUND: inbound["client_id"], REST_USER: rest_user["client_id"]}
    environment = {
        "TF_VAR_rest_user_client_secret": rest_user["client_secret"],
        "M365_LOGIN_URL": walk.announced["login_url"],
    }
    return values, environment


def module_rotation(walk: Walk):
    """examples/guide: "pass the new one and change `secret_version` of its application"; both secrets work meanwhile."""
    workspace, application = walk.support, walk.applications["outbound"]
    old = [it["keyId"] for it in walk.tenant.application(application["id"])["passwordCredentials"]]
    secret = walk.machine.secret(walk.tenant.add_secret(application["id"]))
    secrets = {**json.loads(workspace.environment["TF_VAR_client_secrets"]), "outbound": secret}
    workspace.environment["TF_VAR_client_secrets"] = json.dumps(secrets)
    workspace.is_applied()  # "`*_wo` alone: nothing", says the table of the page
    shown = f'outbound  = {{ client_id = "{application["client_id"]}" }}'
    renewed = f'outbound = {{ client_id = "{application["client_id"]}", secret_version = "2" }}'
    path = workspace.folder / "terraform.tfvars"
    path.write_text(filled(path.read_text(), {shown: renewed}))
    workspace.run("apply", says=["0 added, 1 changed, 0 destroyed"])
    for key_id in old:
        walk.tenant.remove_secret(application["id"], key_id)
    connected(walk)
    workspace.is_applied()


def support_destroyed(walk: Walk):
    walk.support.run("destroy", says=["6 destroyed"])
    for application in walk.applications.values():
        walk.tenant.unregister(application["id"])


def rotation(walk: Walk):
    """docs/guides/rotation.md, "Without the modules": a new version sends the secret, and nothing else changes."""
    secret = walk.machine.secret
    text = block("docs/guides/rotation.md", "Without the modules")
    first = {"TF_VAR_outbound_secret": secret("the-old-secret"), "TF_VAR_outbound_secret_version": "1"}
    workspace = walk.workspace("rotation", {"main.tf": text}, **first)
    workspace.run("apply", says=["1 added, 0 changed, 0 destroyed"])
    new = {"TF_VAR_outbound_secret": secret("the-new-secret")}
    workspace.run("plan", "-detailed-exitcode", says=["No changes."], **new)
    said = workspace.run(
        "plan", says=["Plan: 0 to add, 1 to change, 0 to destroy."], **new, TF_VAR_outbound_secret_version="2"
    )
    # OpenTofu lists a write-only argument too, without a value.
    listed = [line for line in said.splitlines() if line.startswith("      ~ ") and "(write-only attribute)" not in line]
    changed = [line.split()[1] for line in listed]
    if changed != ["client_secret_wo_version"]:
        raise WalkFailed(f"the plan should change client_secret_wo_version and nothing else, not {changed}\n{said}")
    workspace.run("apply", says=["0 added, 1 changed, 0 destroyed"], **new, TF_VAR_outbound_secret_version="2")
    workspace.run("destroy", says=["1 destroyed"])


def copilot_module(walk: Walk):
    """modules/copilot-connector, its example without azuread."""
    workspace = walk.machine.workspace("modules/copilot-connector/examples/federated", {})
    workspace.run("init", says=["successfully initialized!"])
    workspace.run("apply", says=["2 added, 0 changed, 0 destroyed"])
    workspace.is_applied()
    workspace.run("destroy", says=["2 destroyed"])


def entra_module(walk: Walk):
    """modules/entra-apps, in examples/complete, with the azuread provider."""
    if not walk.azuread:
        raise Skipped("modules/entra-apps needs the azuread provider, which is not at hand (AZUREAD_MIRROR)")
    machine, announced = walk.machine, walk.announced
    workspace = machine.workspace(
        "examples/complete",
        {},
        **machine.microsoft,
        ARM_METADATA_HOSTNAME=announced["metadata_host"],
        ARM_USE_CLI="false",
        TF_VAR_instance_url=announced["instance_url"],
        TF_VAR_tenant=announced["tenant_domain"],
    )
    workspace.keeps_secrets = True  # azuread has no write-only arguments, says docs/guides/rotation.md
    workspace.run("init", says=["successfully initialized!"])
    workspace.run("apply", says=["Apply complete!"])
    workspace.is_applied()
    workspace.run("apply", "-var", "rotate=2", says=["Apply complete!"])
    workspace.run("destroy", says=["Destroy complete!"])


def import_existing(walk: Walk):
    """docs/guides/bring-existing.md: a record that was made by hand is imported without a change."""
    text = block("docs/guides/bring-existing.md", "Import it")
    made = by_hand(walk)
    workspace = walk.workspace("import", {"main.tf": text})
    workspace.run("plan", says=["Plan: 1 to import, 0 to add, 0 to change, 0 to destroy."])
    workspace.run("apply", says=["1 imported, 0 added, 0 changed, 0 destroyed"])
    workspace.is_applied()
    # "To keep the record and only remove it from the state"
    workspace.write("main.tf", block("docs/guides/bring-existing.md", "Remove what is no longer needed"))
    workspace.run("apply", says=["0 added, 0 changed, 0 destroyed"])
    walk.only("oauth_entity", f"sys_id={made}")
    # The command, and a destroy
    workspace.write("main.tf", objects(text, "resource "))
    workspace.run("import", "servicenow_oauth_entity.outbound", made, says=["Import successful!"])
    workspace.is_applied()
    workspace.run("destroy", says=["1 destroyed"])


def query(walk: Walk):
    """docs/guides/bring-existing.md: `terraform query` finds what was made by hand and writes the configuration."""
    if not walk.machine.has(1, 14):
        raise Skipped("terraform query needs Terraform 1.14")
    made = by_hand(walk)
    text = block("docs/guides/bring-existing.md", "Find it: `terraform query` (Terraform 1.14 or later)")
    workspace = walk.workspace("query", {"found.tfquery.hcl": text})
    workspace.run("query", says=["list.servicenow_oauth_entity.microsoft", "m365supportintegration_outbound", made])
    workspace.run("query", "-generate-config-out=found.tf", says=[made])
    said = flat(workspace.run("plan", says=["to import, 0 to add, 0 to change, 0 to destroy."]))
    number = int(said.partition("Plan: ")[2].split()[0])
    workspace.run("apply", says=[f"{number} imported, 0 added, 0 changed, 0 destroyed"])
    workspace.is_applied()
    for record in walk.instance.records("oauth_entity_profile", f"oauth_entity={made}"):
        walk.instance.delete("oauth_entity_profile", record["sys_id"])
    walk.instance.delete("oauth_entity", made)


def by_hand(walk: Walk) -> str:
    """The entry that the page's configuration describes, as a person would have entered it in the form."""
    record = {
        "name": "m365supportintegration_outbound",
        "client_id": OUTBOUND,
        "client_secret": walk.machine.secret("entered-by-hand"),
        "type": "oauth_provider",
        "default_grant_type": "client_credentials",
        "token_url": "https://login.microsoftonline.com/contoso.com/oauth2/token",
    }
    return walk.instance.insert("oauth_entity", record)["sys_id"]


def connected(walk: Walk):
    """The connection test that the guide ends with."""
    report = walk.tenant.connection_test()
    if not report["ok"]:
        raise WalkFailed(f"the connection test fails: {[leg.get('cause') for leg in report['legs']]}")


def times(said: str, expected: dict[str, int]):
    text = flat(said)
    for part, number in expected.items():
        if text.count(part) != number:
            raise WalkFailed(f"{part!r} should be there {number} times, and is {text.count(part)} times\n{said}")


@dataclass
class Part:
    name: str
    run: Callable[[Walk], None]
    leaves: bool = False  # records that a later part uses and removes


STEPS = [
    Part("make install, terraform init", install),
    Part("sign in, first with a wrong password", sign_in),
    Part("three resources, empty plan, destroy", three_resources),
    Part("rotation of a secret without the modules", rotation),
    Part("module copilot-connector, empty plan, destroy", copilot_module),
    Part("module entra-apps, empty plan, rotation, destroy", entra_module),
    Part("import of an existing record, without a change", import_existing),
    Part("terraform query, generated configuration", query),
    Part("module m365-support-integration, empty plan", support_module, leaves=True),
    Part("inbound check", inbound_check, leaves=True),
    Part("rotation of a secret of the module", module_rotation, leaves=True),
]
# After the mistakes: some of them meet what the module made.
LAST = Part("destroy of the module", support_destroyed)
# Columns that read differently each time.
ENCRYPTED = ("user_password", "client_secret")
