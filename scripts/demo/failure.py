"""Why the demo cannot go on, in words for whoever started it."""

import subprocess


class DemoFailed(Exception):
    """The demo cannot go on: what is wrong, then what to do."""

    def __init__(self, problem: str, *advice: str):
        super().__init__(problem)
        self.advice = advice


class CloudError(DemoFailed):
    """A request that was refused, with the answer's text, or had no answer."""

    def __init__(self, problem: str):
        super().__init__(problem, "Test the simulator with: cargo test -p servicenow-simulator")


def explained(cause: Exception, folder: str) -> str:
    """The problem, and each piece of advice on a line of its own."""
    match cause:
        case DemoFailed():
            problem, advice = str(cause), cause.advice
        case subprocess.CalledProcessError():
            command = " ".join(str(word) for word in cause.cmd)
            problem, advice = f"{command} ended with {cause.returncode}", ["Build it anew: make clean && make demo"]
        case OSError():
            # shutil.Error holds a list of files, each with its cause.
            causes = cause.args[0] if cause.args and isinstance(cause.args[0], list) else [cause]
            problem = "; ".join(str(one[-1] if isinstance(one, tuple) else one) for one in causes[:3])
            advice = [f"The demo writes to {folder}: see whether you may, and whether the disk has room. Then start it again."]
        case _:
            problem, advice = f"{type(cause).__name__}: {cause}", ["See all of terraform's output with: make demo VERBOSE=1"]
    return "\n".join([f"error: {problem}", *(f"       {line}" for line in advice)])
