"""The table of the guide's steps, as wide as a terminal of 100 columns."""

import itertools
import textwrap

from guide import DONE, MANUAL, NOTHING, Row

WIDTH = 100
STEP, ASKS, RESULT = 4, 36, 6
IMPLEMENTED_BY = WIDTH - len("  ") - STEP - ASKS - RESULT - len("   ")


def table(rows: list[Row]) -> str:
    """A line of heads, the rows, and how many there are of each result."""
    lines = [line("step", "the guide asks for", "implemented by", "result"), "  " + "-" * (WIDTH - 2)]
    for row in rows:
        is_failure = row.result not in (DONE, MANUAL, NOTHING)
        columns = (
            [row.step],
            wrapped(row.asks, ASKS),
            wrapped(row.implemented_by, IMPLEMENTED_BY),
            ["✗" if is_failure else row.result],
        )
        lines += [line(*cells) for cells in itertools.zip_longest(*columns, fillvalue="")]
        if is_failure:
            lines += wrapped(row.result, WIDTH, initial_indent=" " * 7 + "✗ ", subsequent_indent=" " * 9)
    count = lambda result: sum(row.result == result for row in rows)
    failed = len(rows) - count(DONE) - count(MANUAL) - count(NOTHING)
    lines += [
        "",
        f"  {count(DONE)} verified in the simulator, {count(MANUAL)} remain manual, "
        f"{count(NOTHING)} save nothing, {failed} failed",
    ]
    return "\n".join(lines)


def wrapped(text: str, width: int, **indents) -> list[str]:
    # An identifier is copied whole, so it does not end at one of its hyphens.
    return textwrap.wrap(text, width, break_on_hyphens=False, **indents)


def line(step: str, asks: str, implemented_by: str, result: str) -> str:
    return f"  {step:{STEP}} {asks:{ASKS}} {implemented_by:{IMPLEMENTED_BY}} {result}".rstrip()
