"""Runs a cargo command with its progress on one line. Everything that it wrote is shown when it fails.

Where standard error is no terminal, cargo writes to it as usual.
"""

import os
import re
import shutil
import subprocess
import sys


def main(command: list[str]) -> int:
    if not sys.stderr.isatty():
        try:
            status = subprocess.run(command).returncode
        except KeyboardInterrupt:
            return 130
        return 128 - status if status < 0 else status
    width = shutil.get_terminal_size().columns - 1
    environment = {**os.environ, "CARGO_TERM_PROGRESS_WHEN": "always", "CARGO_TERM_PROGRESS_WIDTH": str(width)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    written = []
    try:
        for piece in pieces(process.stderr):
            text = COLOURS.sub("", piece).strip()
            if "Building [" not in text:
                written.append(piece)
            if text:
                print(f"\r\x1b[K{text[:width]}", end="", file=sys.stderr, flush=True)
        status = process.wait()
    except KeyboardInterrupt:
        status = process.wait() or 130
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if status != 0:
        sys.stderr.write("\n".join(written) + "\n")
    # A signal ends the script that started this as it would have ended it without.
    return 128 - status if status < 0 else status


def pieces(stream):
    """Lines, and what a carriage return ends: a state of cargo's progress bar, which the next one overwrites."""
    waiting = b""
    while chunk := os.read(stream.fileno(), 65536):
        *complete, waiting = re.split(rb"\r\n|[\r\n]", waiting + chunk)
        yield from (piece.decode(errors="replace") for piece in complete)
    if waiting:
        yield waiting.decode(errors="replace")


COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
