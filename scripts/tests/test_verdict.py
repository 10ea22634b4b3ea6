"""scripts/lib.sh: the last line of a script says how it ended, whatever ended it.

Run with: python3 -m unittest discover -s scripts/tests
"""

import os
import pathlib
import signal
import subprocess
import unittest

from signals import SIGNALS, listen

LIB = pathlib.Path(__file__).resolve().parent.parent / "lib.sh"


class Verdict(unittest.TestCase):
    def start(self, commands):
        return subprocess.Popen(
            ["bash", "-c", f'source "{LIB}"; verdict "the script"; {commands}'],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=listen,
        )

    def test_success_and_failure(self):
        for commands, status, expected in [
            ("true", 0, "the script: PASSED"),
            ("false; true", 1, "the script: FAILED (exit code 1)"),
            ('fail "No key." "Make one."', 1, "the script: FAILED (exit code 1)"),
        ]:
            with self.subTest(commands):
                script = self.start(commands)
                _, errors = script.communicate(timeout=30)
                self.assertEqual((script.returncode, errors.splitlines()[-1]), (status, expected))

    def test_a_script_that_a_signal_ends_has_failed(self):
        for name in SIGNALS:
            with self.subTest(name):
                script = self.start("echo ready; while true; do sleep 0.1; done")
                self.assertEqual(script.stdout.readline(), "ready\n")
                # A command that bash is just about to start may swallow the signal; bash itself acts once that command has ended.
                os.killpg(script.pid, signal.Signals[name])
                _, errors = script.communicate(timeout=30)
                status = 128 + signal.Signals[name]
                self.assertEqual((script.returncode, errors.splitlines()[-1]), (status, f"the script: FAILED (exit code {status})"))


if __name__ == "__main__":
    unittest.main()
