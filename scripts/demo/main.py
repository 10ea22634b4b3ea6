"""Runs the demo: see scripts/demo.sh, which builds first."""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from api_clients import Http, Instance, Tenant
from failure import DemoFailed, explained
from guide import DONE, MANUAL, NOTHING, Guide, Row
from simulator import Simulator, empty
from table import table
from terraform import EXAMPLE, Terraform

ADMINISTRATOR = "demo.administrator"


def main(words: list[str] | None = None) -> int:
    arguments = parse(words)
    try:
        return run(arguments)
    except KeyboardInterrupt:
        print("\nerror: interrupted", file=sys.stderr)
        return 130
    except (DemoFailed, OSError, ValueError, subprocess.SubprocessError) as cause:
        print(f"\n{explained(cause, arguments.folder)}", file=sys.stderr)
        return 1


def run(arguments) -> int:
    folder = Path(arguments.folder)
    empty(folder)
    say("Starting the simulator: ServiceNow, Entra, Graph and the admin center on loopback")
    simulator = Simulator(arguments.simulator, folder, is_kept=arguments.keep)
    keep = False
    try:
        for name in ("instance_url", "login_url", "graph_url", "admin_url"):
            print(f"  {name:14} {simulator.announced[name]}")
        rows = demonstrate(arguments, simulator.announced)
        keep = arguments.keep
        print(f"\n{how_to_go_on(arguments, simulator)}")
    finally:
        if not keep:
            simulator.stop()
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
    terraform = Terraform(arguments, announced, variables(announced, applications))
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
    """Of examples/guide. Its secrets are ephemeral: no plan and no state holds them."""
    return {
        "instance_url": announced["instance_url"],
        "tenant": announced["tenant_domain"],
        "login_url": announced["login_url"],
        "manage_admin_center": True,
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


def how_to_go_on(arguments, simulator: Simulator) -> str:
    """Three commands, each with what it is good for."""
    if not arguments.keep:
        return """Three commands to go on with:

  # the same without the destroy at the end: look at the records on a page, change the configuration
  make demo KEEP=1
  # install this build where terraform finds it, for a configuration of your own
  make install
  # the guide for an instance of your own: fill in the copy, then see README.md beside it
  cd examples/guide && cp terraform.tfvars.example terraform.tfvars"""
    announced, folder = simulator.announced, shlex.quote(arguments.folder)
    authority = shlex.quote(announced["ca_certificate"])
    # The demo installs one where there is none.
    name = Path(arguments.terraform).name
    terraform = name if shutil.which(name) else shlex.quote(arguments.terraform)
    return f"""The simulator is still running:

  page       {announced["instance_url"]}/
             (the browser warns about the certificate, which the simulator signed itself: continue anyway)
  instance   {announced["instance_url"]}  ({announced["username"]} / {announced["password"]})
  variables  {arguments.folder}/environment.sh, to sign in from any folder with a configuration of your own

Three commands to go on with:

  # change main.tf in that folder, {name} apply, and reload the page
  cd {folder}/examples/{EXAMPLE} && source ../../environment.sh && {terraform} plan
  # the connection test again, with what each side has stored now
  curl --cacert {authority} -X POST {announced["connection_test_url"]}
  # stop the simulator; the next make demo does so too
  kill -INT {simulator.pid}"""


def parse(words: list[str] | None):
    parser = argparse.ArgumentParser()
    for name in ("terraform", "provider", "simulator", "folder"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("keep", "verbose"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args(words)


def say(text: str):
    print(f"\n==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
