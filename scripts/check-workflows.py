#!/usr/bin/env python3
"""Parses the workflow files in a folder, and checks that each template is there and gets the parameters it has."""

import sys
from pathlib import Path

import yaml


def main(folder: Path) -> int:
    files = {path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yml"))}
    problems = [] if files else [f"{folder} has no workflow files"]
    for name, content in files.items():
        if not isinstance(content, dict):
            problems.append(f"{name} is no mapping")
            continue
        for template, given in templates(content):
            if template not in files:
                problems.append(f"{name} uses {template}, which is not there")
                continue
            parameters = files[template].get("parameters", [])
            known = {parameter["name"] for parameter in parameters}
            needed = {parameter["name"] for parameter in parameters if "default" not in parameter}
            problems += [f"{name} gives {template} the parameter {extra}, which it has not" for extra in given - known]
            problems += [f"{name} does not give {template} the parameter {missing}" for missing in needed - given]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


def templates(node):
    """Each template below a node, with the names of the parameters it is given."""
    if isinstance(node, dict):
        if "template" in node:
            yield node["template"], set(node.get("parameters", {}))
        for child in node.values():
            yield from templates(child)
    elif isinstance(node, list):
        for child in node:
            yield from templates(child)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
