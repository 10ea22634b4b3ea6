"""Tests a package: see scripts/smoke.sh, which builds first.

The second half runs in its own network namespace, so that a name server can use the port that resolvers query.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "demo"))
from api_clients import Http, Instance  # noqa: E402  the path is set above
from nameserver import NameServer, raise_loopback  # noqa: E402

NAME = "terraform-provider-servicenow"
SOURCE = "servicenow-m365/servicenow"
CONFIGURATION = """
terraform {
  required_providers {
    servicenow = {
      source = "servicenow-m365/servicenow"
    }
  }
}

provider "servicenow" {}

resource "servicenow_oauth_entity" "outbound" {
  name             = "smoke outbound"
  client_id        = "11111111-1111-4111-8111-111111111111"
  token_url        = provider::servicenow::entra_token_url("contoso.com")
  client_secret_wo = "test-secret-of-the-smoke-test"

  client_secret_wo_version = "1"
}

resource "servicenow_integration_user" "robot" {
  user_name = "smoke.robot"
  last_name = "Smoke"
  roles     = ["itil"]
}
"""


class SmokeFailed(Exception):
    """What a user would have run into."""


class Workspace:
    """A folder, a terraform, and nothing of the machine's environment."""

    def __init__(self, folder: Path, terraform: str, installation: str, **environment: str):
        self.folder = folder
        self._terraform = terraform
        folder.mkdir()
        (folder / "main.tf").write_text(CONFIGURATION)
        config = folder / "terraform.rc"
        config.write_text(f"provider_installation {{\n{installation}\n}}\n")
        self.environment = {
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "TF_CLI_CONFIG_FILE": str(config),
            "TF_INPUT": "0",
            "TF_IN_AUTOMATION": "1",
            **environment,
        }

    def run(self, *arguments: str, expected: int = 0, saying: str = "") -> str:
        """Runs one command, which must end as expected and say this."""
        ended = subprocess.run(
            [self._terraform, arguments[0], "-no-color", *arguments[1:]],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = " ".join(ended.stdout.replace("│", " ").split())
        if ended.returncode != expected or saying not in said:
            wanted = f"{expected}" + (f' saying "{saying}"' if saying else "")
            raise SmokeFailed(
                f"terraform {' '.join(arguments)} should have ended with {wanted}, ended with {ended.returncode}:\n{ended.stdout}"
            )
        return ended.stdout


class Simulator:
    """The simulator in a process of its own, and what it holds."""

    def __init__(self, binary: str):
        self._process = subprocess.Popen([binary], stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.announced = json.loads(self._process.stdout.readline())
        self._instance = Instance(Http(self.announced["ca_certificate"]), self.announced)
        self.environment = {
            "SERVICENOW_INSTANCE_URL": self.announced["instance_url"],
            "SERVICENOW_USERNAME": self.announced["username"],
            "SERVICENOW_PASSWORD": self.announced["password"],
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=10)

    def holds(self, number: int):
        """Checks that terraform did what it says it did."""
        users = self._instance.records("sys_user", "user_name=smoke.robot")
        entities = self._instance.records("oauth_entity", "name=smoke outbound")
        if (len(users), len(entities)) != (number, number):
            raise SmokeFailed(f"the instance should hold {number} of each: {users} {entities}")


def main() -> int:
    arguments = parse()
    archive = own_archive(arguments.package)
    not_shown = []
    try:
        with tempfile.TemporaryDirectory(prefix="sn-") as folder:
            if arguments.isolated:
                empty_root(Path(folder), archive, arguments)
                return 0
            for number, terraform in enumerate(arguments.terraforms.split(":")):
                say(f"From a mirror, with {version(terraform)}")
                installed(Path(folder) / str(number), archive, terraform, arguments)
            say("Without CLI configuration, after scripts/install.sh")
            installed_without_configuration(Path(folder) / "implied", arguments)
        if sys.platform == "linux":
            not_shown += in_isolation()
        else:
            not_shown.append("the empty root directory: only on Linux")
    except SmokeFailed as cause:
        print(f"\nerror: {cause}", file=sys.stderr)
        return 1
    if arguments.not_shown:
        arguments.not_shown.write_text("".join(f"not shown here: {part}" for part in not_shown))
    return 0


def installed(folder: Path, archive: Path, terraform: str, arguments):
    """The way of a user whose organization has a mirror."""
    folder.mkdir()
    mirror = folder / "mirror" / address(terraform)
    mirror.mkdir(parents=True)
    shutil.copy(archive, mirror)
    with Simulator(arguments.simulator) as simulator:
        installation = f'  filesystem_mirror {{\n    path = "{folder}/mirror"\n  }}'
        trust = {"SSL_CERT_FILE": simulator.announced["ca_certificate"]}
        workspace = Workspace(folder / "work", terraform, installation, **simulator.environment, **trust)
        workspace.run("init", saying="Installing servicenow-m365/servicenow v")
        locked = (workspace.folder / ".terraform.lock.hcl").read_text()
        if content_hash(archive) not in locked:
            raise SmokeFailed(f"the lock file should have {content_hash(archive)}:\n{locked}")
        note("init installed it and locked its hash")
        apply_and_destroy(workspace, simulator)

        shutil.rmtree(workspace.folder / ".terraform")
        workspace.run("init", "-lockfile=readonly")
        shutil.rmtree(workspace.folder / ".terraform")
        with zipfile.ZipFile(mirror / archive.name, "a") as tampered:
            tampered.writestr("more", "than was locked")
        workspace.run("init", "-lockfile=readonly", expected=1, saying="doesn't match any of the checksums")
        note("a package with other content is refused")


def installed_without_configuration(folder: Path, arguments):
    """The way of a user who has nothing but the archive: the implied local mirror."""
    folder.mkdir()
    script = Path(__file__).resolve().parent.parent / "install.sh"
    environment = {**os.environ, "HOME": str(folder)}
    subprocess.run([script, arguments.package.resolve()], env=environment, check=True)
    terraform = arguments.terraforms.split(":")[0]
    with Simulator(arguments.simulator) as simulator:
        trust = {"SSL_CERT_FILE": simulator.announced["ca_certificate"]}
        workspace = Workspace(folder / "work", terraform, "", **simulator.environment, **trust)
        workspace.environment["HOME"] = str(folder)
        workspace.environment["TF_CLI_CONFIG_FILE"] = os.devnull
        workspace.run("init", saying="Installing servicenow-m365/servicenow v")
        apply_and_destroy(workspace, simulator)


def in_isolation() -> list[str]:
    """Starts this program again where it may change root and owns the network; answers what cannot be shown here."""
    for isolation in (["unshare", "--user", "--map-root-user", "--net"], ["unshare", "--net"]):
        if shutil.which("unshare") and subprocess.run([*isolation, "true"], capture_output=True, check=False).returncode == 0:
            command = [*isolation, sys.executable, *sys.argv, "--isolated"]
            if subprocess.run(command, check=False).returncode != 0:
                raise SmokeFailed("it does not run in an empty root directory; see above")
            return []
    return ["the empty root directory, for which this machine gives no namespace (unshare)"]


def empty_root(folder: Path, archive: Path, arguments):
    """The provider sees nothing but its binary and a folder for the socket, which Terraform has to reach by the same name."""
    terraform = arguments.terraforms.split(":")[0]
    say(f"In an empty root directory, with {version(terraform)}")
    raise_loopback()
    root = folder / "root"
    root.mkdir()
    with zipfile.ZipFile(archive) as packed:
        (binary,) = [name for name in packed.namelist() if name.startswith(NAME)]
        (root / "provider").write_bytes(packed.read(binary))
    (root / "provider").chmod(0o755)
    sockets = Path(tempfile.mkdtemp(prefix="sn-"))
    sockets.rmdir()
    (root / sockets.relative_to("/")).mkdir(parents=True)
    wrapper = folder / "bin" / NAME
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec chroot "{root}" /provider "$@"\n')
    wrapper.chmod(0o755)
    sockets.symlink_to(root / sockets.relative_to("/"))
    try:
        with Simulator(arguments.simulator) as simulator:
            installation = f'  dev_overrides {{\n    "{address(terraform)}" = "{wrapper.parent}"\n  }}\n  direct {{}}'
            temporary = {"TMPDIR": str(sockets)}
            workspace = Workspace(folder / "work", terraform, installation, **simulator.environment, **temporary)
            note(f"its root directory holds: {sorted(path.name for path in root.rglob('*'))}")
            without_roots_or_names(workspace, simulator, root)
            with_names(workspace, simulator, root)
    finally:
        sockets.unlink()


def without_roots_or_names(workspace: Workspace, simulator: Simulator, root: Path):
    """What an empty root lacks is said, and nothing else is needed."""
    workspace.run("apply", "-auto-approve", expected=1, saying="has no trusted certificate authorities")
    note("without certificate authorities it says so")
    shutil.copy(simulator.announced["ca_certificate"], root / "authority.pem")
    workspace.environment["SSL_CERT_FILE"] = "/authority.pem"
    apply_and_destroy(workspace, simulator)


def with_names(workspace: Workspace, simulator: Simulator, root: Path):
    """Names are the hard part of a static binary: glibc would load a library for them."""
    port = urllib.parse.urlsplit(simulator.announced["instance_url"]).port
    workspace.environment["SERVICENOW_INSTANCE_URL"] = f"https://localhost:{port}"
    (root / "etc").mkdir()
    workspace.run("apply", "-auto-approve", expected=1, saying="cannot be resolved")
    note("a name that nobody knows is an error with the name in it")

    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    workspace.run("apply", "-auto-approve")
    note("a name is found in /etc/hosts")
    (root / "etc/hosts").unlink()

    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    with NameServer({"localhost": "127.0.0.1"}) as names:
        for switch in ("", "hosts: files dns\n", "hosts: files mymachines resolve [!UNAVAIL=return] myhostname dns\n"):
            (root / "etc/nsswitch.conf").write_text(switch)
            before = len(names.asked)
            workspace.run("plan", "-detailed-exitcode")
            if len(names.asked) == before:
                raise SmokeFailed("the name server was not asked, so nothing was shown")
        note("a name is found by a name server, also where nsswitch.conf names modules that are not there")
        workspace.run("destroy", "-auto-approve")
    simulator.holds(0)


def apply_and_destroy(workspace: Workspace, simulator: Simulator):
    workspace.run("apply", "-auto-approve", saying="2 added")
    simulator.holds(1)
    workspace.run("plan", "-detailed-exitcode")
    workspace.run("destroy", "-auto-approve", saying="2 destroyed")
    simulator.holds(0)
    note("apply, an empty plan, destroy; nothing is left")


def own_archive(package: Path) -> Path:
    """The archive for this machine, after its sum was checked."""
    system = {"linux": "linux", "darwin": "darwin"}[sys.platform]
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
    (sums,) = package.glob("*_SHA256SUMS")
    for line in sums.read_text().splitlines():
        expected, name = line.split()
        if hashlib.sha256((package / name).read_bytes()).hexdigest() != expected:
            raise SystemExit(f"error: {name} has another sum than {sums.name} says")
    (archive,) = package.glob(f"*_{system}_{machine}.zip")
    return archive


def content_hash(archive: Path) -> str:
    """Terraform's `h1:`: the hash over the hashes of the files, so that the packing does not count."""
    with zipfile.ZipFile(archive) as packed:
        lines = [f"{hashlib.sha256(packed.read(name)).hexdigest()}  {name}\n" for name in sorted(packed.namelist())]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def version(terraform: str) -> str:
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return subprocess.check_output([terraform, "version"], env=environment, text=True).splitlines()[0]


def address(terraform: str) -> str:
    """Where this Terraform or OpenTofu looks for the provider."""
    host = "registry.opentofu.org" if version(terraform).startswith("OpenTofu") else "registry.terraform.io"
    return f"{host}/{SOURCE}"


def say(text: str):
    print(f"\n==> {text}", flush=True)


def note(text: str):
    print(f"    {text}", flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--package", type=Path, required=True, help="folder that `make package` wrote")
    parser.add_argument("--simulator", required=True, help="the simulator's binary")
    parser.add_argument("--terraforms", required=True, help="terraform binaries, joined by :")
    parser.add_argument("--not-shown", type=Path, help="where to write what this machine cannot show")
    parser.add_argument("--isolated", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
