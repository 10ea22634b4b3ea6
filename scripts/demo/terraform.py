"""The real terraform, in a copy of the example, with the provider out of a filesystem mirror."""

import json
import os
import platform
import shutil
import ssl
import subprocess
from pathlib import Path

from failure import DemoFailed

PROJECT = Path(__file__).resolve().parent.parent.parent
PROVIDER = "servicenow-m365/servicenow"
# Where Terraform and OpenTofu look for it.
HOSTS = ("registry.terraform.io", "registry.opentofu.org")
EXAMPLE = "guide"


class Terraform:
    """One working directory. Signs in by the environment, as examples/guide/README.md says."""

    def __init__(self, arguments, announced: dict, variables: dict):
        self._binary = arguments.terraform
        self._verbose = arguments.verbose
        folder = Path(arguments.folder).resolve()
        self.folder = folder / "examples" / EXAMPLE
        copy(PROJECT / "examples" / EXAMPLE, self.folder, *VALUES)
        copy(PROJECT / "modules", folder / "modules")
        # In a file and not in the environment: there, TF_VAR_* would be variables of every other configuration too.
        private(self.folder / "terraform.auto.tfvars.json", json.dumps(variables, indent=2) + "\n")
        mirror(Path(arguments.provider), folder / "mirror")
        config = folder / "terraform.rc"
        config.write_text(cli_configuration(folder / "mirror"))
        authorities = folder / "authorities.pem"
        authorities.write_text(bundle(announced["ca_certificate"]))
        self._sign_in = {
            "SERVICENOW_INSTANCE_URL": announced["instance_url"],
            "SERVICENOW_USERNAME": announced["username"],
            "SERVICENOW_PASSWORD": announced["password"],
            "ARM_TENANT_ID": announced["tenant_id"],
            "ARM_CLIENT_ID": announced["client_id"],
            "ARM_CLIENT_SECRET": announced["client_secret"],
            # For the azuread provider, which signs in by ARM_* as well.
            "ARM_METADATA_HOSTNAME": announced["metadata_host"],
            "M365_REFRESH_TOKEN": announced["refresh_token"],
            "M365_LOGIN_URL": announced["login_url"],
            "M365_ADMIN_URL": announced["admin_url"],
            "SSL_CERT_FILE": str(authorities),
            "TF_CLI_CONFIG_FILE": str(config),
        }
        # Nothing else of the machine's environment: what works here works anywhere.
        self._environment = {
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "TF_IN_AUTOMATION": "1",
            **self._sign_in,
        }

    def run(self, *arguments: str, accepted=(0,)) -> str:
        """Runs one command; shows how it goes, and everything when it fails."""
        print(f"\n$ {Path(self._binary).name} {' '.join(arguments)}", flush=True)
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
        try:
            for line in process.stdout:
                lines.append(line)
                if self._verbose or any(word in line for word in TELLING):
                    print(f"  {line.rstrip()}", flush=True)
        finally:
            # Ctrl-C reached it too, and it ends what it is doing.
            status = process.wait()
        if status not in accepted:
            raise DemoFailed(f"{Path(self._binary).name} {arguments[0]} ended with {status}:\n{''.join(lines)}")
        return "".join(lines)

    def output(self, name: str):
        command = [self._binary, "output", "-json", name]
        return json.loads(subprocess.check_output(command, cwd=self.folder, env=self._environment))

    def write_environment(self, path: Path):
        """Lets a person go on where the demo stopped, or with a configuration of their own."""
        lines = [f"export {name}={quoted(value)}\n" for name, value in self._sign_in.items()]
        # The simulator is on loopback, which a proxy of this machine does not reach.
        lines.append('export NO_PROXY="127.0.0.1,${NO_PROXY:-${no_proxy:-}}"\nexport no_proxy="$NO_PROXY"\n')
        private(path, "".join(lines))


def copy(source: Path, target: Path, *more: str):
    """What the project consists of, without what trying it out left beside it: `more` are patterns of further names."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*TRIED_OUT, *more))


def private(path: Path, text: str):
    """Writes a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(text)


def cli_configuration(mirror: Path) -> str:
    """This build of our provider, for Terraform and for OpenTofu, and any other one out of its registry."""
    ours = json.dumps([f"{host}/{PROVIDER}" for host in HOSTS])
    return (
        "provider_installation {\n"
        f"  filesystem_mirror {{\n    path    = {json.dumps(str(mirror))}\n    include = {ours}\n  }}\n"
        f"  direct {{\n    exclude = {ours}\n  }}\n"
        "}\n"
    )


def bundle(ca_certificate: str) -> str:
    """The simulator's authority and those of the system: SSL_CERT_FILE replaces them, and registries need them."""
    files = [os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *SYSTEM_AUTHORITIES]
    system = next((Path(file) for file in files if file and Path(file).is_file()), None)
    texts = [Path(ca_certificate).read_text()]
    if system:
        texts.append(system.read_text(errors="replace"))
    return "\n".join(texts)


def mirror(provider: Path, folder: Path):
    version = subprocess.check_output([provider, "--version"], text=True).split()[-1].lstrip("v")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    for host in HOSTS:
        place = folder / host / PROVIDER / version / f"{platform.system().lower()}_{machine}"
        place.mkdir(parents=True)
        shutil.copy2(provider, place / f"terraform-provider-servicenow_v{version}")


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
# What terraform writes, and overrides that would count here too.
TRIED_OUT = (".terraform*", "*.tfstate*", "override.tf", "*_override.tf")
# Of the example: somebody's own, which would count beside the demo's. The modules' tests have some that belong to the project.
VALUES = ("*.tfvars", "*.tfvars.json")
# Where Go, and so terraform, looks for them: Debian and Alpine, Fedora, openSUSE, macOS.
SYSTEM_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
