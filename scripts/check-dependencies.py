#!/usr/bin/env python3
"""Checks every dependency against the bans, licences and sources of deny.toml.

cargo-deny does this better, and takes longer to compile than this project; where it is not installed, this reads the
same policy file. Exits with 1 and one line per violation.
"""

import json
import re
import subprocess
import sys
import tomllib

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"  # cargo's own name for its default registry


def main() -> int:
    with open("deny.toml", "rb") as file:
        policy = tomllib.load(file)
    # The metadata lists every package that the lock file knows, also behind features that nobody can switch on. The
    # tree has those that are really built, for some target.
    built = {
        tuple(line.split()[:2])
        for line in cargo("tree", "--workspace", "--all-features", "--target=all", "--edges=all", "--prefix=none")
        .splitlines()
        if line
    }
    metadata = json.loads(cargo("metadata", "--all-features", "--format-version=1"))
    packages = [package for package in metadata["packages"] if (package["name"], "v" + package["version"]) in built]
    violations = [line for package in packages for line in violations_of(package, policy)]
    for line in violations:
        print(f"error: {line}", file=sys.stderr)
    if not violations:
        print(f"    {len(packages)} packages: no banned one, every licence allowed, one registry", file=sys.stderr)
    return 1 if violations else 0


def cargo(*arguments: str) -> str:
    command = ["cargo", arguments[0], "--locked", "--quiet", *arguments[1:]]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def violations_of(package: dict, policy: dict):
    name = f"{package['name']} {package['version']}"
    for ban in policy["bans"]["deny"]:
        if ban["crate"] == package["name"]:
            yield f"{name} is banned: {ban['reason']}. Who pulls it in: cargo tree -i {package['name']}"
    if package["source"] not in (None, REGISTRY):
        yield f"{name} comes from {package['source']}, which is not the one registry that is allowed"
    licence = package["license"]
    if licence is None:
        yield f"{name} names no licence"
    elif not is_allowed(licence, set(policy["licenses"]["allow"])):
        yield f"{name} has the licence {licence!r}, which deny.toml does not allow"


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Evaluates an SPDX expression. Old manifests write `/` for OR."""
    tokens = re.findall(r"\(|\)|[A-Za-z0-9.+-]+", expression.replace("/", " OR "))

    def any_of() -> bool:
        value = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            other = all_of()  # not in one expression with `or`: both sides must be read
            value = value or other
        return value

    def all_of() -> bool:
        value = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            other = one()
            value = value and other
        return value

    def one() -> bool:
        token = tokens.pop(0)
        if token == "(":
            value = any_of()
            tokens.pop(0)
            return value
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return token in allowed

    return any_of()


if __name__ == "__main__":
    sys.exit(main())
