"""What a new user copies from the pages: configurations, to the letter, with the values of the instance filled in."""

import re
from pathlib import Path

from failure import DemoFailed

PROJECT = Path(__file__).resolve().parent.parent.parent


def read(path: str) -> str:
    """A file of the project, such as an example."""
    return (PROJECT / path).read_text()


def block(page: str, heading: str) -> str:
    """The first configuration below a heading of a page."""
    level, fence, text = 0, None, []
    for line in read(page).splitlines():
        if fence is not None:
            if line == "```":
                if level and fence in ("terraform", "hcl"):
                    return "".join(f"{one}\n" for one in text)
                fence, text = None, []
            else:
                text.append(line)
        elif line.startswith("```"):
            fence = line[3:]
        elif marks := re.match(r"(#+) ", line):
            if line[marks.end() :] == heading:
                level = len(marks[1])
            elif level and len(marks[1]) <= level:
                break
    raise DemoFailed(f'{page} has no configuration below a heading "{heading}"', ADVICE)


def filled(text: str, values: dict[str, str]) -> str:
    """A text with one's own values in place of those that it shows."""
    for shown, own in values.items():
        if shown not in text:
            raise DemoFailed(f"{shown!r} should be replaced, and is not in this configuration:\n{text}", ADVICE)
        text = text.replace(shown, own)
    return text


def objects(text: str, *kinds: str) -> str:
    """Those top-level blocks of a formatted configuration that begin with one of these words."""
    found = re.findall(r"^\w[^\n]*\{(?:\}|\n.*?^\})\n", text, re.MULTILINE | re.DOTALL)
    return "\n".join(one for one in found if one.startswith(kinds))


ADVICE = "The walk takes its configurations from the pages: correct scripts/walk, or the page."
