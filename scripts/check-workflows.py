#!/usr/bin/env python3
"""Checks what zizmor does not: check-workflows.py FOLDER...

Of every folder: workflow files parse, each template that they use is there and gets the parameters it has, and an action has
the same pin everywhere. Of `.github`: every job is hardened and ends, versions are those of the project and of `versions.json`, issue forms
are complete, and code owners own something.
"""

import json
import re
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent
HARDENED = "step-security/harden-runner"
PIN = re.compile(r"uses:\s*([\w.-]+/[\w./-]+)@(\S+)(?:\s*#\s*(\S+))?")
ELEMENTS = {"markdown", "input", "textarea", "dropdown", "checkboxes"}


def main(folders: list[Path], project: Path = PROJECT) -> int:
    problems = []
    texts = {}
    for folder in folders:
        is_github = (folder / "workflows").is_dir()
        workflows = folder / "workflows" if is_github else folder
        found = {path.name: path.read_text() for path in sorted(workflows.glob("*.yml"))}
        texts |= {f"{workflows.name}/{name}": text for name, text in found.items()}
        files = {name: yaml.safe_load(text) for name, text in found.items()}
        problems += [] if files else [f"{workflows} has no workflow files"]
        problems += [f"{name} is no mapping" for name, content in files.items() if not isinstance(content, dict)]
        files = {name: content for name, content in files.items() if isinstance(content, dict)}
        problems += of_templates(files)
        if is_github:
            problems += of_jobs(files)
            problems += of_versions(files, project)
            problems += of_forms(folder / "ISSUE_TEMPLATE")
            problems += of_owners(folder / "CODEOWNERS", project)
    problems += of_pins(texts)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


def of_templates(files):
    """Azure's templates: each must be there, and gets the parameters that it has."""
    problems = []
    for name, content in files.items():
        for template, given in templates(content):
            if template not in files:
                problems.append(f"{name} uses {template}, which is not there")
                continue
            parameters = files[template].get("parameters", [])
            known = {parameter["name"] for parameter in parameters}
            needed = {parameter["name"] for parameter in parameters if "default" not in parameter}
            problems += [f"{name} gives {template} the parameter {extra}, which it has not" for extra in given - known]
            problems += [f"{name} does not give {template} the parameter {missing}" for missing in needed - given]
    return problems


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


def of_pins(texts):
    """Dependabot raises the pins in `.github` only, and a hash without its version cannot be read."""
    problems, pins = [], {}
    for name, text in texts.items():
        for action, commit, version in PIN.findall(text):
            # `init` and `analyze` are two actions of one repository.
            repository = "/".join(action.split("/")[:2])
            first = pins.setdefault(repository, (commit, version, name))
            if not version:
                problems.append(f"{name} pins {action} without the version behind it: # v1.2.3")
            elif (commit, version) != first[:2]:
                problems.append(f"{name} has {repository} {version}, and {first[2]} has {first[1]}, or another commit of it")
    return problems


def of_jobs(files):
    """A job that hangs costs six hours, and one that is not watched tells nobody whom it called."""
    problems = []
    for name, content in files.items():
        for job, described in content.get("jobs", {}).items():
            steps = described.get("steps", [])
            if "timeout-minutes" not in described:
                problems.append(f"{name}: the job {job} has no timeout-minutes")
            if "permissions" not in described:
                problems.append(f"{name}: the job {job} does not say its permissions")
            if not steps or not steps[0].get("uses", "").startswith(HARDENED + "@"):
                problems.append(f"{name}: the job {job} does not begin with {HARDENED}")
    return problems


def of_versions(files, project):
    """Rust and Terraform are those of the project."""
    problems = []
    rust = re.search(r'^rust-version = "(.+)"', (project / "Cargo.toml").read_text(), re.MULTILINE)[1]
    container = (project / ".devcontainer" / "devcontainer.json").read_text()
    used = {"devcontainer.json": set(re.findall(r"rustup (?:toolchain install|default) ([\d.]+)", container))}
    used |= {name: {content["env"]["RUST"]} for name, content in files.items() if "RUST" in content.get("env", {})}
    for name, versions in used.items():
        for version in sorted(map(str, versions)):
            if version != f"{rust}.0":
                problems.append(f"{name} has Rust {version}, and Cargo.toml {rust}")
    listed = json.loads((project / ".github" / "versions.json").read_text())
    supported = set(listed["terraform"])
    listed = {version for versions in listed.values() for version in versions}
    installed = {version for content in files.values() for version in settings(content, "terraform_version", "tofu_version", "tofu")}
    installed |= set(re.findall(r'features/terraform:1": \{ "version": "([\d.]+)"', container))
    installed |= set(re.findall(r"^readonly terraform_version=(.+)$", (project / "scripts/find-terraform.sh").read_text(), re.MULTILINE))
    problems += [f"{version} is installed, but .github/versions.json does not list it" for version in sorted(installed - listed)]
    problems += [f"{version} is listed in .github/versions.json, but nothing installs it" for version in sorted(supported - installed)]
    tested = (project / "README.md").read_text()
    problems += [f"{version} is tested, but README.md says nothing of it" for version in sorted(listed) if version not in tested]
    return problems


def settings(node, *names):
    """The values of these settings anywhere below a node; an expression is none."""
    if isinstance(node, dict):
        for key, child in node.items():
            if key in names:
                yield from (str(each) for each in (child if isinstance(child, list) else [child]) if "${{" not in str(each))
            yield from settings(child, *names)
    elif isinstance(node, list):
        for child in node:
            yield from settings(child, *names)


def of_forms(folder):
    """GitHub shows a broken form to nobody and says so to nobody."""
    problems = []
    forms = sorted(folder.glob("*.yml"))
    if not (folder / "config.yml").is_file():
        problems.append(f"{folder.name} has no config.yml")
    for path in forms:
        form = yaml.safe_load(path.read_text())
        if path.name == "config.yml":
            for link in form.get("contact_links", []):
                problems += [f"config.yml: a link has no {key}" for key in ("name", "url", "about") if not link.get(key)]
            continue
        problems += [f"{path.name} has no {key}" for key in ("name", "description", "body") if not form.get(key)]
        elements = form.get("body") or []
        ids = [element["id"] for element in elements if "id" in element]
        problems += [f"{path.name} has two elements {each}" for each in sorted({each for each in ids if ids.count(each) > 1})]
        if all(element.get("type") == "markdown" for element in elements):
            problems.append(f"{path.name} asks nothing")
        for number, element in enumerate(elements, 1):
            kind, attributes = element.get("type"), element.get("attributes", {})
            needed = {"markdown": ["value"], "dropdown": ["label", "options"], "checkboxes": ["label", "options"]}
            if kind not in ELEMENTS:
                problems.append(f"{path.name}: element {number} is of the unknown type {kind}")
                continue
            missing = [key for key in needed.get(kind, ["label"]) if not attributes.get(key)]
            problems += [f"{path.name}: element {number} has no {key}" for key in missing]
            if kind != "markdown" and "id" not in element:
                problems.append(f"{path.name}: element {number} has no id")
    return problems


def of_owners(path, project):
    """A line of CODEOWNERS that matches nothing protects nothing."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    problems = [f"CODEOWNERS: {line[0]} has no owner" for line in lines if len(line) < 2]
    paths = [line[0] for line in lines if line[0] != "*"]
    return problems + [f"CODEOWNERS: there is no {each}" for each in paths if not (project / each.strip("/")).exists()]


if __name__ == "__main__":
    sys.exit(main([Path(folder) for folder in sys.argv[1:]]))
