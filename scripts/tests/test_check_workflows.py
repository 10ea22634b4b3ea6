"""scripts/check-workflows.py: each thing that it looks for, it finds.

Run with: python3 -m unittest discover -s scripts/tests
"""

import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPT = PROJECT / "scripts" / "check-workflows.py"
# Where `make lint` installs what the script needs.
INSTALLED = sorted(PROJECT.glob("target/tools/PyYAML-*/bin/python"))
PYTHON = sys.executable if importlib.util.find_spec("yaml") else next(map(str, INSTALLED), None)
COPIED = ("scripts/check-workflows.py", "scripts/find-terraform.sh", "Cargo.toml", "README.md", ".devcontainer/devcontainer.json")


@unittest.skipUnless(PYTHON, "PyYAML is not installed; make lint installs it")
class CheckWorkflows(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = pathlib.Path(folder.name)
        for name in COPIED:
            (self.project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, self.project / name)
        for name in (".github", "examples/continuous-integration"):
            shutil.copytree(PROJECT / name, self.project / name)
        for name in (".ci", "scripts/package"):
            (self.project / name).mkdir(exist_ok=True)
        for name in ("deny.toml", "Cargo.lock", "scripts/package.sh"):
            (self.project / name).touch()

    def check(self):
        script = self.project / "scripts" / "check-workflows.py"
        command = [PYTHON, script, self.project / ".github", self.project / "examples/continuous-integration"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stderr

    def replace(self, name, old, new):
        path = self.project / name
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))

    def test_the_projects_own_are_in_order(self):
        self.assertEqual(self.check(), (0, ""))

    def test_each_fault_is_found(self):
        test, audit, bug = ".github/workflows/test.yml", ".github/workflows/audit.yml", ".github/ISSUE_TEMPLATE/bug.yml"
        example = "examples/continuous-integration/github-actions.yml"
        checkout = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
        for name, old, new, expected in [
            (test, "    timeout-minutes: 60\n", "", "test.yml: the job gate has no timeout-minutes"),
            (test, "    permissions:\n      contents: read\n", "", "test.yml: the job versions does not say its permissions"),
            (test, "step-security/harden-runner@", "else/where@", "test.yml: the job versions does not begin with"),
            (test, "RUST: 1.95.0", "RUST: 1.94.0", "test.yml has Rust 1.94.0, and Cargo.toml"),
            (test, "terraform_version: 1.11.4", "terraform_version: 1.9.9", "1.9.9 is installed"),
            (".github/versions.json", '"1.12.6"', '"1.99.0"', "1.99.0 is tested, but README.md"),
            (".github/versions.json", '"1.15.5"', '"1.15.5", "1.13.0"', "1.13.0 is listed"),
            ("scripts/find-terraform.sh", "terraform_version=1.15.5", "terraform_version=1.15.6", "1.15.6 is installed"),
            (audit, checkout, "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "without the version behind it"),
            (example, checkout, f"actions/checkout@{'0' * 40} # v7.0.1", "actions/checkout v7.0.1, and workflows/audit.yml"),
            (".devcontainer/devcontainer.json", "install 1.95.0", "install 1.90.0", "devcontainer.json has Rust 1.90.0"),
            (bug, "name: Bug\n", "", "bug.yml has no name"),
            (bug, "id: configuration", "id: happened", "bug.yml has two elements happened"),
            (bug, "type: input", "type: inputs", "unknown type inputs"),
            (bug, "      label: Versions\n", "", "has no label"),
            (".github/CODEOWNERS", "/deny.toml ", "/denied.toml ", "there is no /denied.toml"),
            ("examples/continuous-integration/azure-pipelines.yml", "azure-pipelines-steps.yml", "gone.yml", "gone.yml"),
        ]:
            with self.subTest(expected):
                before = (self.project / name).read_text()
                self.replace(name, old, new)
                status, said = self.check()
                (self.project / name).write_text(before)
                self.assertEqual(status, 1)
                self.assertIn(expected, said)


if __name__ == "__main__":
    unittest.main()
