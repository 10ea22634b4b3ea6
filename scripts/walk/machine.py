"""A new user's machine: a home folder with nothing in it, a shell's environment, and folders with configurations."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from failure import DemoFailed
from terraform import NO_QUESTIONS, bundle
from wording import faults, flat


class WalkFailed(DemoFailed):
    """A step that did not end as the pages say, with the output."""


class Machine:
    """A home folder, the Terraform in use, and where the simulator is."""

    def __init__(self, folder: Path, binary: str, announced: dict):
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.folder = folder
        authorities = folder / "authorities.pem"
        authorities.write_text(bundle(announced["ca_certificate"]))
        self.environment = {
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "SSL_CERT_FILE": str(authorities),
            # The simulator is on loopback, which a proxy of this machine does not reach.
            **{name: value for name, value in os.environ.items() if name.lower() in PROXY},
            "NO_PROXY": "127.0.0.1",
        }
        self.sign_in = {
            "SERVICENOW_INSTANCE_URL": announced["instance_url"],
            "SERVICENOW_USERNAME": announced["username"],
            "SERVICENOW_PASSWORD": announced["password"],
        }
        self.microsoft = {
            "ARM_TENANT_ID": announced["tenant_id"],
            "ARM_CLIENT_ID": announced["client_id"],
            "ARM_CLIENT_SECRET": announced["client_secret"],
            "M365_REFRESH_TOKEN": announced["refresh_token"],
            "M365_LOGIN_URL": announced["login_url"],
            "M365_ADMIN_URL": announced["admin_url"],
        }
        self.secrets = {announced[name] for name in ("password", "client_secret", "refresh_token")}
        self.binary = binary
        # "Terraform v1.15.5", "OpenTofu v1.11.0"
        first = subprocess.check_output([binary, "version"], env=self.environment, text=True).splitlines()[0]
        self.product, _, version = first.partition(" v")
        self.version = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        self.name = first

    def has(self, *since: int) -> bool:
        """Whether this is a Terraform of that version; OpenTofu has none of what is asked for here."""
        return self.product == "Terraform" and self.version >= since

    def secret(self, text: str) -> str:
        """A secret, which no output may have from now on."""
        self.secrets.add(text)
        return text

    def workspace(self, name: str, files: dict[str, str], like: "Workspace | None" = None, **environment: str) -> "Workspace":
        """A folder with these files; `like` is one that was initialised with the same providers."""
        folder = self.folder / name
        if like:
            folder.mkdir(parents=True)
            shutil.copytree(like.folder / ".terraform", folder / ".terraform", symlinks=True)
            shutil.copy2(like.folder / ".terraform.lock.hcl", folder)
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(text)
        return Workspace(self, folder, {**self.environment, **self.sign_in, **environment})


class Workspace:
    """A folder with a configuration."""

    def __init__(self, machine: Machine, folder: Path, environment: dict[str, str]):
        self.folder = folder
        self.environment = environment
        self._machine = machine
        self.keeps_secrets = False  # in the state, by another provider

    def write(self, file: str, text: str):
        (self.folder / file).write_text(text)

    def remove(self, file: str):
        (self.folder / file).unlink()

    def run(self, *words: str, says: Sequence[str] = (), status: int = 0, **environment: str) -> str:
        """Runs one command, which has to end with this status, say all of this, and give no secret away."""
        # Init of 1.15 knows the options of `plan` too, so one list fits every Terraform.
        command = [self._machine.binary, words[0], *OPTIONS.get(words[0], ["-no-color"]), *words[1:]]
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env={name: value for name, value in {**self.environment, **environment}.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        wrong = [f"it does not say {part!r}" for part in says if part not in flat(ended.stdout)]
        if ended.returncode != status:
            wrong.insert(0, f"it ended with {ended.returncode}, not {status}")
        wrong += faults(ended.stdout, self._machine.secrets)
        if not self.keeps_secrets:
            wrong += [f"a secret is in {path}" for path in self._with_secrets()]
        if wrong:
            raise WalkFailed(f"terraform {' '.join(words)}: {'; '.join(wrong)}\n{ended.stdout}")
        return ended.stdout

    def is_applied(self):
        """Nothing is left to do."""
        self.run("plan", "-detailed-exitcode", says=["No changes."])

    def _with_secrets(self) -> list[str]:
        """Files that Terraform wrote and that have a secret in clear."""
        found = []
        for path in self.folder.glob("*.tfstate*"):
            with contextlib.suppress(FileNotFoundError):
                text = path.read_text()
                found += [path.name] if any(secret in text for secret in self._machine.secrets) else []
        return found


OPTIONS = {**NO_QUESTIONS, "query": ["-no-color"], "import": ["-input=false", "-no-color"]}
PROXY = ("http_proxy", "https_proxy", "all_proxy")
PATIENCE = 120
