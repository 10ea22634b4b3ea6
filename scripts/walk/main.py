"""Runs the walk: see scripts/walk.sh, which builds first."""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "demo"))
from api_clients import Http, Instance, Tenant  # noqa: E402  the path is set above
from failure import DemoFailed  # noqa: E402
from machine import Machine, WalkFailed  # noqa: E402
from mistakes import LONGER, MISTAKES, Mistake  # noqa: E402
from simulator import Simulator  # noqa: E402
from steps import LAST, STEPS, Part, Skipped, Walk  # noqa: E402


def main() -> int:
    arguments = parse()
    # Ends by `finally`, which stops the simulator.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed, skipped, has_opentofu = 0, [], False
    try:
        for binary in arguments.terraforms.split(":"):
            with tempfile.TemporaryDirectory(prefix="sn-walk-") as folder:
                number, parts, product = walked(Path(folder).resolve(), binary, arguments)
            failed += number
            skipped += parts
            has_opentofu |= product == "OpenTofu"
    except KeyboardInterrupt:
        print("\nerror: interrupted", file=sys.stderr)
        return 130
    except (DemoFailed, OSError, ValueError, subprocess.SubprocessError) as cause:
        print(f"\nerror: {cause}", file=sys.stderr)
        return 1
    if not has_opentofu:
        skipped.append("OpenTofu: there is no tofu on PATH")
        print("\n    OpenTofu is not at hand (tofu on PATH), so its part is skipped", flush=True)
    if arguments.skipped and skipped:
        arguments.skipped.write_text("skipped: " + "; ".join(dict.fromkeys(skipped)))
    return 1 if failed else 0


def walked(folder: Path, binary: str, arguments) -> tuple[int, list[str], str]:
    """One Terraform: how many parts failed, which were skipped, and whose it is."""
    simulator = Simulator(arguments.simulator, folder, is_kept=False)
    try:
        machine = Machine(folder, binary, simulator.announced)
        http = Http(simulator.announced["ca_certificate"])
        instance, tenant = Instance(http, simulator.announced), Tenant(http, simulator.announced)
        walk = Walk(machine, instance, tenant, simulator.announced, arguments.provider, arguments.azuread)
        print(f"\n    {machine.name}\n", flush=True)
        verdicts = Verdicts(walk)
        for part in STEPS:
            verdicts.add(part)
            if not walk.initialised:
                break  # every other part begins with what `terraform init` installed
        else:
            print("\n    mistakes\n", flush=True)
            for part in [*MISTAKES, *(Part(name, run) for name, run in LONGER)]:
                verdicts.add(part, is_mistake=True)
            print(flush=True)
            verdicts.add(LAST)
    finally:
        simulator.stop()
    print(f"\n    {verdicts.summary()}", flush=True)
    return verdicts.failed, [f"{machine.name}: {reason}" for reason in verdicts.skipped], machine.product


class Verdicts:
    """How each part ended, and that it left nothing behind."""

    def __init__(self, walk: Walk):
        self._walk = walk
        self._started = time.monotonic()
        self._before = None
        self._number = 0
        self.failed = 0
        self.skipped: list[str] = []

    def add(self, part: Part | Mistake, is_mistake: bool = False):
        """Runs one part and prints how it ended. Whatever comes of it, the next one follows."""
        started = time.monotonic()
        reason = problem = None
        try:
            reason = self._run(part, is_mistake)
        except (DemoFailed, OSError, ValueError, LookupError, AttributeError, subprocess.SubprocessError) as cause:
            problem = str(cause) if isinstance(cause, DemoFailed) else f"{type(cause).__name__}: {cause}"
        sign = FAILED if problem else SKIPPED if reason else PASSED
        took = f"{time.monotonic() - started:5.1f} s"
        print(f"    {sign} {part.name:{WIDTH}} {took}{f'  skipped: {reason}' if reason else ''}", flush=True)
        self._number += 1
        self.failed += bool(problem)
        if reason:
            self.skipped.append(reason)
        if problem:
            print(f"\n{problem}\n", flush=True)

    def _run(self, part: Part | Mistake, is_mistake: bool) -> str | None:
        now = self._walk.inventory()
        before = now if is_mistake else self._before or now
        leaves = not is_mistake and part.leaves
        if not is_mistake:
            self._before = before if leaves else None
        reason = None
        try:
            part.run(self._walk)
        except Skipped as cause:
            reason = str(cause)
        changed = set() if leaves else before ^ self._walk.inventory()
        if changed:
            listed = "\n".join(f"  {table} {record}" for table, record in sorted(changed))
            raise WalkFailed(f"the simulator is not as it was before:\n{listed}")
        return reason

    def summary(self) -> str:
        took = time.monotonic() - self._started
        return (
            f"{self._walk.machine.name}: {self._number} parts in {took:.0f} s, {self.failed} failed, "
            f"{len(self.skipped)} skipped in whole or in part"
        )


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--terraforms", required=True, help="binaries of Terraform and OpenTofu, joined by :")
    parser.add_argument("--provider", type=Path, required=True, help="the provider's binary")
    parser.add_argument("--simulator", required=True, help="the simulator's binary")
    parser.add_argument("--azuread", type=Path, help="folder of the azuread provider in a mirror")
    parser.add_argument("--skipped", type=Path, help="where to write what was skipped, and why")
    return parser.parse_args()


PASSED, FAILED, SKIPPED = "✓", "✗", "–"
WIDTH = 60

if __name__ == "__main__":
    sys.exit(main())
