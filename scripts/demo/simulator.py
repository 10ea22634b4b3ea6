"""The simulator that the demo runs against, and what an earlier run left of one."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from failure import DemoFailed


class Simulator:
    """A running simulator. Its process is noted in the demo's folder, so that the next run can stop it."""

    def __init__(self, binary: str, folder: Path, is_kept: bool):
        self._note = folder / NOTE
        # In a session of its own, so that Ctrl-C reaches the demo, which stops it in order. One that is kept may not hold the
        # demo's own output open: whoever reads it through a pipe would wait for ever.
        with contextlib.ExitStack() as closing:
            log = closing.enter_context((folder / "simulator.log").open("w")) if is_kept else None
            self._process = subprocess.Popen(
                [binary],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.pid = self._process.pid
        announcement = self._process.stdout.readline()
        try:
            self.announced = json.loads(announcement)
        except ValueError:
            self.stop()
            told = f"said {announcement.strip()!r}" if announcement else f"ended with {self._process.wait()}"
            problem = f"the simulator {told} before it said where it listens"
            raise DemoFailed(problem, f"Start it by hand to see why: {binary}") from None
        self._note.write_text(json.dumps({"pid": self.pid, "identity": identity(self.pid)}))

    def stop(self):
        stop(self.pid, identity(self.pid), self._process.poll)
        self._process.stdout.close()
        self._note.unlink(missing_ok=True)


def empty(folder: Path):
    """Makes the folder anew. A simulator that an earlier run left is stopped: it would be out of everybody's sight."""
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
        note = json.loads((folder / NOTE).read_text())
        # The system gives the number of a process that ended to another one, which is not ours to stop.
        if note["identity"] and identity(note["pid"]) == note["identity"]:
            print(f"    stopping the simulator that an earlier run left running (process {note['pid']})", file=sys.stderr)
            stop(note["pid"], note["identity"])
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def stop(pid: int, known: str | None, reap=lambda: None):
    """Interrupts a process, and kills it when that does not help."""
    if known is None:
        return
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            reap()
            if identity(pid) != known:
                return
            time.sleep(0.02)


def identity(pid: int) -> str | None:
    """Tells a process from any other that has or had its number: when it started, and its command."""
    if Path("/proc/self/stat").exists():
        try:
            # The name of the program, in parentheses, may contain anything; the time of start is the 20th field after it.
            started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            return None
        return f"{started} {command}" if command else None  # a process that has ended has no command any more
    shown = subprocess.run(["ps", "-ww", "-o", "lstart=,command=", "-p", str(pid)], capture_output=True, text=True)
    return shown.stdout.strip() or None


NOTE = "simulator.json"
PATIENCE = 10
