"""Writes docs/demo.md from a run of the demo, or with --check says how the two differ. See scripts/demo-transcript.sh."""

import difflib
import itertools
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
PAGE = PROJECT / "docs" / "demo.md"
BEGIN, END = "```text\n$ make demo\n", "```\n"


def main() -> int:
    is_check = sys.argv[1:2] == ["--check"]
    command = [sys.executable, PROJECT / "scripts/demo/main.py", *sys.argv[1 + is_check :]]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        print(run.stdout, file=sys.stderr)
        print(f"error: the demo ended with {run.returncode}", file=sys.stderr)
        return 1
    transcript = normalised(run.stdout)
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    if not after:
        print(f"error: docs/demo.md has no block that begins with {BEGIN!r}", file=sys.stderr)
        return 1
    if not is_check:
        PAGE.write_text(before + BEGIN + transcript + END + after)
        return 0
    if written == transcript:
        return 0
    sys.stderr.writelines(difflib.unified_diff(written.splitlines(True), transcript.splitlines(True), "docs/demo.md", "make demo"))
    print("error: the output of the demo differs from docs/demo.md. Update it with: scripts/demo-transcript.sh", file=sys.stderr)
    return 1


def normalised(text: str) -> str:
    """The same text for every run: what differs by chance is replaced, the same thing by the same stand-in."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"after \d+m?\d*s", "after 0s", text)
    text = re.sub(r"\(unauthenticated\)|\(signed by [^)]*\)", "(…)", text)
    text = in_order(text)
    text = stand_ins(text, r"(?<=127\.0\.0\.1:)\d+", lambda number: str(8440 + number))
    text = stand_ins(text, r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", guid)
    text = stand_ins(text, r"\b[0-9a-f]{32}\b", lambda number: f"{number:032x}")
    return text.strip("\n") + "\n"


def in_order(text: str) -> str:
    """Terraform works on several resources at a time, so neighbours in its list may change places."""
    is_progress = lambda line: "Creation complete" in line or "Destruction complete" in line
    groups = itertools.groupby(text.splitlines(), is_progress)
    return "".join(f"{line}\n" for sort, lines in groups for line in (sorted(lines) if sort else lines))


def stand_ins(text: str, pattern: str, stand_in) -> str:
    known: dict[str, str] = {}
    return re.sub(pattern, lambda match: known.setdefault(match[0], stand_in(len(known) + 1)), text)


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


if __name__ == "__main__":
    sys.exit(main())
