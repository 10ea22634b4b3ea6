"""What no output may have: a secret, and mistakes of language that a text put together from parts is prone to."""

import re


def flat(output: str) -> str:
    """An output as one line, without the frame and the line breaks that Terraform adds."""
    return " ".join(re.sub(r"[│╷╵]", " ", output).split())


def faults(output: str, secrets: set[str]) -> list[str]:
    text = flat(output)
    found = ["a secret is in the output"] if any(secret in output for secret in secrets) else []
    for fault, pattern in FAULTS.items():
        found += [f"{fault}: {text[max(0, it.start() - 60) : it.end() + 30]!r}" for it in pattern.finditer(text)]
    return found


FAULTS = {
    # Not an ellipsis, and not the folder above.
    "a doubled full stop": re.compile(r"(?<![./])\.\.(?![./])|\. \.(?!\w)"),
    # By the sound: "a user", "a one-time", "an OAuth". A capital letter within a sentence is a name, as in "application A".
    "a wrong article": re.compile(
        r"(?:\ba|(?<=\. )A) (?:(?!one\b|once\b|u(?:ni|s)|eu)[aeiou][a-z]|[AEIO][A-Za-z])|\b[Aa]n (?:[b-df-gj-np-tv-z][a-z]|u(?:ni|s)|U)"
    ),
}
