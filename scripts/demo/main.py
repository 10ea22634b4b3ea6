"""Runs the demo: see scripts/demo.sh, which builds first."""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from api_clients import CloudError, Http, Instance, Tenant
from guide import DONE, MANUAL, NOTHING, Guide, Row
from table import table

PROJECT = Path(__file__).resolve().parent.parent.parent
ADDRESS = "registry.terraform.io/servicenow-m365/servicenow"
EXAMPLE = "guide"
ADMINISTRATOR = "demo.administrator"


class DemoFailed(Exception):
    """The demo cannot go on; says why."""


class Terraform:
    """The real binary, in a copy of the example, with the provider out of a filesystem mirror."""

    def __init__(self, arguments, variables: dict, ca_certificate: str):
        self._binary = arguments.terraform
        self._verbose = arguments.verbose
        folder = Path(arguments.folder)
        self.folder = folder / "examples" / EXAMPLE
        for source in (f"examples/{EXAMPLE}", "modules"):
            shutil.copytree(PROJECT / source, folder / source)
        mirror(Path(arguments.provider), folder / "mirror")
        config = folder / "terraform.rc"
        config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}\n}}\n')
        # Nothing else of the machine's environment: what works here works anywhere.
        self._environment = {
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "SSL_CERT_FILE": ca_certificate,
            "TF_CLI_CONFIG_FILE": str(config),
            "TF_IN_AUTOMATION": "1",
            **{
                f"TF_VAR_{name}": value if isinstance(value, str) else json.dumps(value)
                for name, value in variables.items()
            },
        }

    def run(self, *arguments: str, accepted=(0,)) -> str:
        """Runs one command; shows how it goes, and everything when it fails."""
        print(f"\n$ terraform {' '.join(arguments)}", flush=True)
        command = [self._binary, arguments[0], *NO_QUESTIONS.get(arguments[0], []), *arguments[1:]]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = []
        for line in process.stdout:
            lines.append(line)
            if self._verbose or any(word in line for word in TELLING):
                print(f"  {line.rstrip()}", flush=True)
        if process.wait() not in accepted:
            raise DemoFailed(f"terraform {arguments[0]} ended with {process.returncode}:\n{''.join(lines)}")
        return "".join(lines)

    def output(self, name: str):
        command = [self._binary, "output", "-json", name]
        return json.loads(subprocess.check_output(command, cwd=self.folder, env=self._environment))

    def write_environment(self, path: Path):
        """Lets a person go on by hand where the demo stopped."""
        wanted = {name: value for name, value in self._environment.items() if name not in ("HOME", "PATH")}
        path.touch(mode=0o600)
        path.write_text("".join(f"export {name}={quoted(value)}\n" for name, value in wanted.items()))


def main() -> int:
    arguments = parse()
    folder = Path(arguments.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    say("Starting the simulator: ServiceNow, Entra, Graph and the admin center on loopback")
    # In a session of its own, so that Ctrl-C reaches the demo, which stops it in order. One that is kept may not hold the
    # demo's own output open: whoever reads it through a pipe would wait for ever.
    log = (folder / "simulator.log").open("w") if arguments.keep else None
    simulator = subprocess.Popen(
        [arguments.simulator],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    keep = False
    try:
        announced = json.loads(simulator.stdout.readline())
        for name in ("instance_url", "login_url", "graph_url", "admin_url"):
            print(f"  {name:14} {announced[name]}")
        rows = demonstrate(arguments, announced)
        keep = arguments.keep
        if keep:
            explain_keeping(arguments, simulator.pid, announced)
    except (DemoFailed, CloudError) as cause:
        print(f"\nerror: {cause}", file=sys.stderr)
        return 1
    finally:
        if not keep:
            simulator.send_signal(signal.SIGINT)
            simulator.wait(timeout=10)
    failed = [row for row in rows if row.result not in (DONE, MANUAL, NOTHING)]
    return 1 if failed else 0


def demonstrate(arguments, announced: dict) -> list[Row]:
    http = Http(announced["ca_certificate"])
    instance, tenant = Instance(http, announced), Tenant(http, announced)
    before = (instance.inventory(), tenant.support_integration())

    say("Registering the three Entra applications with Graph (modules/entra-apps does this with the azuread provider)")
    applications = register(tenant, announced)
    for role, application in applications.items():
        print(f"  {role:9} {application['client_id']}")
    if not instance.records("sys_user", f"user_name={ADMINISTRATOR}"):
        # Somebody who works with the integration (step U1) and stays when it goes.
        instance.insert("sys_user", {"user_name": ADMINISTRATOR, "last_name": "Administrator"})
        before = (instance.inventory(), before[1])

    say("Connection test before anything is set up: it has to fail")
    if show_connection(tenant.connection_test())["ok"]:
        raise DemoFailed("the connection test passes although nothing is set up, so it proves nothing")

    say("The guide, in one apply")
    terraform = Terraform(arguments, variables(announced, applications), announced["ca_certificate"])
    terraform.run("init")
    terraform.run("apply")

    say("Connection test: each side uses what it has stored about the other")
    connection = show_connection(tenant.connection_test())
    rows = Guide(announced, instance, tenant, applications, ADMINISTRATOR, connection).rows(
        terraform.output("values_to_enter_by_hand")
    )

    say("Nothing left to do: the next plan is empty")
    terraform.run("plan", "-detailed-exitcode")

    if arguments.keep:
        terraform.write_environment(Path(arguments.folder) / "environment.sh")
    else:
        say("Destroying everything")
        terraform.run("destroy")
        rows.append(compare(before, (instance.inventory(), tenant.support_integration())))
        for application in applications.values():
            tenant.unregister(application["id"])
    print(f"\nWhat implements each step of the guide\n\n{table(rows)}")
    return rows


def register(tenant: Tenant, announced: dict) -> dict:
    redirect_uri = announced["instance_url"] + "/oauth_redirect.do"
    return {
        "outbound": tenant.register("demo_outbound", redirect_uri),
        "inbound": tenant.register("demo_inbound_aad"),
        "rest_user": tenant.register("demo_servicenow_rest_user"),
    }


def variables(announced: dict, applications: dict) -> dict:
    """Of examples/guide. Secrets are in ephemeral variables: no plan and no state holds them."""
    return {
        "instance_url": announced["instance_url"],
        "username": announced["username"],
        "password": announced["password"],
        "microsoft365": {
            name: announced[name]
            for name in ("tenant_id", "client_id", "client_secret", "refresh_token", "login_url", "admin_url")
        },
        "tenant": announced["tenant_domain"],
        "login_url": announced["login_url"],
        "administrators": [ADMINISTRATOR],
        **{role: {"client_id": application["client_id"]} for role, application in applications.items()},
        "client_secrets": {role: application["client_secret"] for role, application in applications.items()},
    }


def compare(before, after) -> Row:
    asks = "Destroy leaves everything as it was"
    left = [f"{table} {sys_id} was left over" for table, sys_id in sorted(after[0] - before[0])]
    gone = [f"{table} {sys_id} is gone" for table, sys_id in sorted(before[0] - after[0])]
    # Settings cannot be deleted, so the support tool may stay; repositories may not.
    kept = ["a repository was left over"] if after[1].get("Repositories") != before[1].get("Repositories") else []
    return Row("", asks, f"{len(before[0])} records compared", "; ".join(left + gone + kept) or DONE)


def show_connection(report: dict) -> dict:
    for leg in report["legs"]:
        print(f"  {'✓' if leg['ok'] else '✗'} {leg['name']}")
        for done in leg["steps"]:
            print(f"      {done}")
        if leg.get("cause"):
            print(f"      ✗ {leg['cause']}")
    if not report["legs"]:
        print("  ✗ there is nothing to test")
    return report


def explain_keeping(arguments, process: int, announced: dict):
    print(
        textwrap.dedent(
            f"""
            The simulator is still running. Look at the records, or continue manually:

              page           {announced["instance_url"]}/
                             (the browser warns about the certificate, which the simulator signed itself: continue anyway)
              instance       {announced["instance_url"]}  ({announced["username"]} / {announced["password"]})
              authority      {announced["ca_certificate"]}
              connection     curl --cacert {announced["ca_certificate"]} -X POST {announced["connection_test_url"]}
              terraform      cd {arguments.folder}/examples/{EXAMPLE} && source ../../environment.sh && terraform plan
                             change main.tf there, terraform apply, and reload the page
              stop           kill -INT {process}
            """
        )
    )


def mirror(provider: Path, folder: Path):
    version = subprocess.check_output([provider, "--version"], text=True).split()[-1].lstrip("v")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    place = folder / ADDRESS / version / f"{platform.system().lower()}_{machine}"
    place.mkdir(parents=True)
    shutil.copy2(provider, place / f"terraform-provider-servicenow_v{version}")


def parse():
    parser = argparse.ArgumentParser()
    for name in ("terraform", "provider", "simulator", "folder"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("keep", "verbose"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args()


def say(text: str):
    print(f"\n==> {text}", flush=True)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


NO_QUESTIONS = {
    "init": ["-input=false", "-no-color"],
    "plan": ["-input=false", "-no-color"],
    "apply": ["-input=false", "-no-color", "-auto-approve"],
    "destroy": ["-input=false", "-no-color", "-auto-approve"],
}
# Lines worth showing while a command runs.
TELLING = (
    "Installing ",
    "Installed ",
    "successfully initialized",
    "Creation complete",
    "Destruction complete",
    "Apply complete!",
    "Destroy complete!",
    "No changes.",
    "Warning:",
)

if __name__ == "__main__":
    sys.exit(main())
