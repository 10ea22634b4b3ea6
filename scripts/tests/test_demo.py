"""scripts/demo: what it takes along, what it leaves behind, and what it says when it cannot go on.

Run with: python3 -m unittest discover -s scripts/tests
"""

import contextlib
import os
import pathlib
import pty
import subprocess
import sys
import unittest

DEMO = pathlib.Path(__file__).resolve().parent.parent / "demo"
sys.path.insert(0, str(DEMO))

import guide  # noqa: E402
import table  # noqa: E402


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


BUILD = r"printf 'Compiling first\nBuilding [=> ] 1/2: second\rCompiling second\n' >&2"

if __name__ == "__main__":
    unittest.main()
