"""scripts/demo: what it takes along, what it leaves behind, and what it says when it cannot go on.

Run with: python3 -m unittest discover -s scripts/tests
"""

import argparse
import contextlib
import io
import json
import os
import pathlib
import pty
import re
import signal
import ssl
import stat
import subprocess
import sys
import tempfile
import unittest
import warnings
from unittest import mock

from signals import listen

DEMO = pathlib.Path(__file__).resolve().parent.parent / "demo"
sys.path.insert(0, str(DEMO))

import guide  # noqa: E402
import main  # noqa: E402
import simulator  # noqa: E402
import table  # noqa: E402
import terraform  # noqa: E402

# Announces itself and ends when it is interrupted, as the simulator does.
SIMULATOR = """#!{python}
import json, signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
print(json.dumps({announced!r}), flush=True)
signal.pause()
"""
PROVIDER = "#!/bin/sh\necho terraform-provider-servicenow v0.1.0\n"


class Demo(unittest.TestCase):
    def setUp(self):
        # Of a process that is kept, as it is meant to be.
        warnings.simplefilter("ignore", ResourceWarning)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tools = pathlib.Path(folder.name) / "tools"
        self.tools.mkdir()
        self.folder = pathlib.Path(folder.name) / "demo"
        authority = self.tools / "authority.pem"
        authority.write_text("the simulator's authority\n")
        self.announced = {
            **{f"{name}_url": f"https://127.0.0.1/{name}" for name in SERVICES},
            **{name: name for name in ("tenant_id", "tenant_domain", "client_id", "metadata_host", "username")},
            **{name: f"the {name}" for name in SECRETS},
            "ca_certificate": str(authority),
        }
        announcing = SIMULATOR.format(python=sys.executable, announced=self.announced)
        self.simulator = self.program("simulator", announcing)
        self.provider = self.program("provider", PROVIDER)

    def program(self, name: str, text: str) -> str:
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def words(self, **changed) -> list[str]:
        paths = {"terraform": "terraform", "provider": self.provider, "simulator": self.simulator, "folder": self.folder}
        return [f"--{name}={path}" for name, path in {**paths, **changed}.items()]

    def demo(self, *more: str, demonstrate=lambda *_: [], **changed) -> tuple[int, str, str]:
        """The demo without its middle part: exit code, output, errors."""
        with (
            mock.patch.object(main, "demonstrate", demonstrate),
            contextlib.redirect_stdout(io.StringIO()) as output,
            contextlib.redirect_stderr(io.StringIO()) as errors,
        ):
            status = main.main([*self.words(**changed), *more])
        return status, output.getvalue(), errors.getvalue()

    def kept(self) -> int:
        """The process that the demo left running; it does not outlive the test."""
        pid = json.loads((self.folder / "simulator.json").read_text())["pid"]
        self.addCleanup(lambda: simulator.stop(pid, simulator.identity(pid), lambda: reap(pid)))
        return pid


class Keeping(Demo):
    def test_the_next_run_stops_a_simulator_that_was_kept(self):
        status, first, _ = self.demo("--keep")
        self.assertEqual(status, 0)
        earlier = self.kept()
        self.assertIn(f"kill -INT {earlier}", first)
        self.assertIsNotNone(simulator.identity(earlier))

        status, second, errors = self.demo("--keep")

        self.assertEqual(status, 0)
        later = self.kept()
        self.assertIsNone(simulator.identity(earlier))
        self.assertIsNotNone(simulator.identity(later))
        self.assertIn(f"stopping the simulator that an earlier run left running (process {earlier})", errors)
        self.assertIn(f"kill -INT {later}", second)

    def test_a_process_that_has_the_number_by_chance_goes_on(self):
        self.folder.mkdir()
        program = [sys.executable, "-c", "print('ready', flush=True); input()"]
        other = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.assertEqual(other.stdout.readline(), "ready\n")
        earlier = simulator.identity(other.pid).replace(sys.executable, self.simulator)
        (self.folder / "simulator.json").write_text(json.dumps({"pid": other.pid, "identity": earlier}))

        status, _, errors = self.demo()

        self.assertEqual((status, errors), (0, ""))
        self.assertIsNone(other.poll())

    def test_without_it_nothing_stays(self):
        pids = []
        started = simulator.Simulator.__init__

        def noting(one, *arguments, **named):
            started(one, *arguments, **named)
            pids.append(one.pid)

        with mock.patch.object(simulator.Simulator, "__init__", noting):
            self.demo()
            self.assertEqual(self.demo(demonstrate=failing(KeyboardInterrupt()))[0], 130)
        self.assertEqual([simulator.identity(pid) for pid in pids], [None, None])

    def test_both_ways_end_with_three_commands(self):
        for more in [], ["--keep"]:
            with self.subTest(more):
                _, output, _ = self.demo(*more)
                if more:
                    self.kept()
                _, _, commands = output.partition("Three commands to go on with:\n\n")
                lines = commands.splitlines()
                self.assertEqual([line.startswith("  # ") for line in lines], [True, False] * 3, output)

    def test_the_environment_is_for_any_configuration_and_for_its_owner_alone(self):
        one = self.terraform()
        path = self.folder / "environment.sh"
        one.write_environment(path)

        shell = subprocess.run(
            ["bash", "-euc", f'source "{path}"; exec env'],
            env={"PATH": os.environ["PATH"], "no_proxy": "example.com"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )

        variables = dict(line.split("=", 1) for line in shell.stdout.splitlines())
        self.assertEqual([name for name in variables if name.startswith("TF_VAR_")], [])
        self.assertEqual(variables["SERVICENOW_INSTANCE_URL"], self.announced["instance_url"])
        for name, value in (("SERVICENOW_PASSWORD", "password"), ("ARM_CLIENT_SECRET", "client_secret")):
            self.assertEqual(variables[name], self.announced[value])
        self.assertEqual(variables["M365_REFRESH_TOKEN"], self.announced["refresh_token"])
        self.assertEqual(variables["NO_PROXY"], "127.0.0.1,example.com")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        # Providers come out of registries too, so the system's authorities are trusted as well.
        authorities = pathlib.Path(variables["SSL_CERT_FILE"]).read_text()
        self.assertIn("the simulator's authority", authorities)
        system = next((file for file in map(pathlib.Path, terraform.SYSTEM_AUTHORITIES) if file.is_file()), None)
        if system and "SSL_CERT_FILE" not in os.environ:
            self.assertIn(system.read_text(), authorities)

    def test_the_examples_variables_are_in_a_file_beside_it(self):
        path = self.terraform().folder / "terraform.auto.tfvars.json"
        self.assertEqual(json.loads(path.read_text()), {"instance_url": "https://127.0.0.1/instance"})
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_other_providers_come_from_their_registry(self):
        self.terraform()
        configuration = (self.folder / "terraform.rc").read_text()
        hosts = ("registry.terraform.io", "registry.opentofu.org")
        ours = "include = " + json.dumps([f"{host}/servicenow-m365/servicenow" for host in hosts])
        self.assertRegex(configuration, rf"(?s)filesystem_mirror {{.*{re.escape(ours)}\n  }}\n  direct {{.*exclude")

    def terraform(self):
        arguments = argparse.Namespace(terraform="terraform", provider=self.provider, folder=str(self.folder), verbose=False)
        return terraform.Terraform(arguments, self.announced, {"instance_url": self.announced["instance_url"]})


class Copy(Demo):
    def test_what_terraform_left_in_a_folder_stays_there(self):
        source = self.tools / "modules"
        for name in (*OF_THE_PROJECT, *VALUES, *TRIED_OUT):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text("")
        # As `terraform init` makes one for a provider out of a mirror that is gone by now.
        (source / "one/.terraform/providers/linux_amd64").symlink_to("/no/such/mirror")

        terraform.copy(source, self.folder / "modules")
        terraform.copy(source, self.folder / "example", *terraform.VALUES)

        self.assertEqual(files(self.folder / "modules"), sorted([*OF_THE_PROJECT, *VALUES]))
        self.assertEqual(files(self.folder / "example"), sorted(OF_THE_PROJECT))


class Failures(Demo):
    def test_each_is_a_problem_with_a_remedy_and_no_traceback(self):
        cases = [
            (dict(simulator="/no/such/simulator"), "No such file or directory: '/no/such/simulator'"),
            (dict(simulator=self.program("silent", "#!/bin/sh\nexit 3\n")), "the simulator ended with 3 before"),
            (dict(simulator=self.program("chatty", "#!/bin/sh\necho Usage\n")), "the simulator said 'Usage' before"),
            (dict(folder=self.tools / "authority.pem"), "Not a directory"),
            (dict(demonstrate=failing(PermissionError(13, "Permission denied", "/some/file"))), "'/some/file'"),
            (dict(demonstrate=failing(subprocess.CalledProcessError(1, ["provider", "-v"]))), "provider -v ended with 1"),
            (dict(demonstrate=failing(subprocess.TimeoutExpired("terraform", 5))), "timed out after 5 seconds"),
        ]
        for changed, expected in cases:
            with self.subTest(expected):
                status, _, errors = self.demo(**changed)
                problem, *advice = errors.strip().splitlines()
                self.assertEqual(status, 1)
                self.assertTrue(problem.startswith("error: ") and expected in problem, errors)
                self.assertTrue(advice and all(line.startswith("       ") for line in advice), errors)

    def test_a_server_that_is_away_is_named(self):
        with mock.patch("ssl.create_default_context", return_value=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)):
            http = main.Http("authority.pem")
        with self.assertRaisesRegex(main.DemoFailed, "GET http://127.0.0.1:1/ had no answer: .*refused"):
            http.send("GET", "http://127.0.0.1:1/", {})


class Table(unittest.TestCase):
    def test_it_fits_a_terminal_and_loses_no_word(self):
        guid = "00000003-0000-4000-8000-000000000003"
        registration = f"External OIDC provider registration: {guid}; Integration user: {guid}"
        cause = f"sys_user has 2 records with user_name={guid}, not one, " + "and more " * 20
        rows = [
            guide.Row("P14", "Its configuration: metadata URL, claim, field", "configuration " + "a_name " * 9, guide.DONE),
            guide.Row("C7b", "Inbound, part 2", registration, guide.MANUAL),
            guide.Row("O1", "Allow the connector's addresses (optional)", "", guide.NOTHING),
            guide.Row("P16", "Integration user", "", cause),
        ]

        shown = table.table(rows)

        self.assertLessEqual(max(map(len, shown.splitlines())), 100, shown)
        for row in rows:
            for word in f"{row.step} {row.asks} {row.implemented_by} {row.result}".split():
                self.assertIn(word, shown)
        self.assertIn("1 verified in the simulator, 1 remain manual, 1 save nothing, 1 failed", shown)


class Fold(unittest.TestCase):
    """What a terminal shows while cargo builds."""

    def run_on_terminal(self, script: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        command = [sys.executable, str(DEMO / "fold.py"), "bash", "-c", script]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal whose other end is closed tells so
            while chunk := os.read(ours, 4096):
                shown += chunk
        os.close(ours)
        return process.wait(timeout=30), shown.decode()

    def test_a_build_that_succeeds_leaves_no_line(self):
        status, shown = self.run_on_terminal(f"{BUILD}; exit 0")
        self.assertEqual((status, shown.count("\n")), (0, 0), shown)
        self.assertIn("Compiling first", shown)
        self.assertIn("Building [=> ] 1/2: second", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), shown)

    def test_a_build_that_fails_shows_all_that_it_wrote(self):
        status, shown = self.run_on_terminal(f"{BUILD}; echo 'error: no' >&2; exit 101")
        self.assertEqual(status, 101)
        after = shown.rpartition("\r\x1b[K")[2]
        self.assertEqual(after.split(), ["Compiling", "first", "Compiling", "second", "error:", "no"])

    def test_without_a_terminal_everything_passes_through(self):
        command = [sys.executable, str(DEMO / "fold.py"), "bash", "-c", "echo Compiling >&2; echo out; exit 7"]
        ended = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (7, "out\n", "Compiling\n"))

    def test_without_a_terminal_an_interruption_ends_without_a_traceback(self):
        command = [sys.executable, str(DEMO / "fold.py"), "bash", "-c", "echo started; exec sleep 30"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, process_group=0, preexec_fn=listen, **pipes)
        self.assertEqual(process.stdout.readline(), "started\n")
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=30)
        self.assertEqual((process.returncode, error), (130, ""))


def files(folder: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def failing(cause: BaseException):
    def demonstrate(*_):
        raise cause

    return demonstrate


def reap(pid: int):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


SERVICES = ("instance", "login", "graph", "admin", "connection_test")
SECRETS = ("password", "client_secret", "refresh_token")
OF_THE_PROJECT = ("main.tf", "one/tests/one.tftest.hcl", "terraform.tfvars.example")
VALUES = ("one/tests/terraform.tfvars", "one/mine.auto.tfvars.json")
TRIED_OUT = (
    "one/.terraform/providers/terraform-provider-other",
    "one/.terraform.lock.hcl",
    "one/terraform.tfstate",
    "one/terraform.tfstate.backup",
    "one/mine_override.tf",
)
BUILD = r"printf 'Compiling first\nBuilding [=> ] 1/2: second\rCompiling second\n' >&2"

if __name__ == "__main__":
    unittest.main()
