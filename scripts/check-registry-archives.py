#!/usr/bin/env python3
"""A dry run of both registries: checks the files of a release against the rules that each of them documents.

    scripts/check-registry-archives.py target/package --public-key key.asc --platforms linux_amd64,linux_arm64
    scripts/check-registry-archives.py target/package --unsigned

--public-key  the armored key that the registries have: the signature must be its own, and the registries must accept it
--platforms   what has to be there, and nothing else
--unsigned    a package that is not signed, for a mirror: everything else is checked

Terraform Registry: https://developer.hashicorp.com/terraform/registry/providers/publishing. OpenTofu Registry: the source in
https://github.com/opentofu/registry (src/internal/provider), since its pages say less.
"""

import argparse
import hashlib
import json
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

PROJECT = Path(__file__).resolve().parent.parent
NAME = "servicenow"
# https://semver.org, without build metadata: a tag with "+" is no name of a file everywhere.
VERSION = r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?"
# OpenTofu asks for archives of these and ignores every other one.
SYSTEMS = ("darwin", "freebsd", "linux", "openbsd", "solaris", "windows")
MACHINES = ("386", "amd64", "arm", "arm64")
# OpenTofu computes its own hash and reads no more than this.
MOST_BYTES = 256 * 1024 * 1024
# Algorithms of OpenPGP: the Terraform Registry accepts these two.
ALGORITHMS = {"1": "RSA", "17": "DSA"}
EMAIL = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")


class Release:
    """A folder, and what is wrong with it."""

    def __init__(self, folder, version):
        self.folder = folder
        self.version = version
        self.prefix = f"terraform-provider-{NAME}_{version}_"
        self.problems = []
        self.warnings = []

    def path(self, suffix):
        return self.folder / (self.prefix + suffix)

    def archives(self):
        return sorted(self.folder.glob("*.zip"))

    def check(self, platforms):
        self.check_sums()
        self.check_manifest()
        found = set()
        for archive in self.archives():
            platform = self.platform(archive)
            if platform:
                found.add("_".join(platform))
                self.check_archive(archive, *platform)
        if "linux_amd64" not in found:
            self.warnings.append("there is no archive for linux_amd64, on which HCP Terraform runs providers")
        if platforms:
            self.problems += [f"there is no archive for {each}" for each in sorted(platforms - found)]
            self.problems += [f"there is an archive for {each}, which was not asked for" for each in sorted(found - platforms)]

    def platform(self, archive):
        """System and machine from the name, the one place where the registries look for them."""
        parts = re.fullmatch(re.escape(self.prefix) + r"([a-z0-9]+)_([a-z0-9]+)\.zip", archive.name)
        if not parts:
            self.problems.append(f"{archive.name}: its name must be {self.prefix}SYSTEM_MACHINE.zip")
            return None
        system, machine = parts.groups()
        if system not in SYSTEMS or machine not in MACHINES:
            self.problems.append(f"{archive.name}: the OpenTofu Registry has no platform {system}_{machine}")
        return system, machine

    def check_archive(self, archive, system, machine):
        if archive.stat().st_size > MOST_BYTES:
            self.problems.append(f"{archive.name}: has more than 256 MiB, which the OpenTofu Registry refuses")
            return
        program = f"terraform-provider-{NAME}_v{self.version}" + (".exe" if system == "windows" else "")
        try:
            with zipfile.ZipFile(archive) as content:
                damaged = content.testzip()
                entries = content.infolist()
                start = content.read(program)[:4096] if program in content.namelist() else None
        except zipfile.BadZipFile as error:
            self.problems.append(f"{archive.name}: is no zip archive ({error})")
            return
        if damaged:
            self.problems.append(f"{archive.name}: {damaged} is damaged in it")
        names = [entry.filename for entry in entries]
        for name in sorted(set(names)):
            if names.count(name) > 1:
                self.problems.append(f"{archive.name}: has {name} twice")
            if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
                self.problems.append(f"{archive.name}: {name} leads out of the folder")
            # Terraform starts the first file of this name.
            if name != program and PurePosixPath(name).name.startswith(f"terraform-provider-{NAME}"):
                self.problems.append(f"{archive.name}: has {name}; the program must be {program}, and the only one")
        if start is None:
            self.problems.append(f"{archive.name}: has no {program}")
            return
        mode = next(entry.external_attr >> 16 for entry in entries if entry.filename == program)
        if system != "windows" and not mode & stat.S_IXUSR:
            self.problems.append(f"{archive.name}: {program} is not executable in it")
        built_for = platform_of(start)
        if built_for and built_for != (system, machine):
            self.problems.append(f"{archive.name}: {program} was built for {'_'.join(built_for)}")
        if built_for is None:
            self.problems.append(f"{archive.name}: {program} is no program that this script knows")

    def check_manifest(self):
        path = self.path("manifest.json")
        if not path.is_file():
            # Both registries take a release without one for protocol 5.0, and Terraform then refuses the provider.
            self.problems.append(f"{path.name} is missing")
            return
        try:
            manifest = json.loads(path.read_text())
        except ValueError as error:
            self.problems.append(f"{path.name}: is not JSON ({error})")
            return
        versions = manifest.get("metadata", {}).get("protocol_versions") if isinstance(manifest, dict) else None
        if not isinstance(manifest, dict) or manifest.get("version") != 1:
            self.problems.append(f"{path.name}: version must be 1, that of the format")
        if not isinstance(versions, list) or not versions or not all(re.fullmatch(r"\d+\.\d+", str(each)) for each in versions):
            self.problems.append(f'{path.name}: metadata.protocol_versions must be a list such as ["6.0"]')
        elif manifest != json.loads((PROJECT / "terraform-registry-manifest.json").read_text()):
            self.problems.append(f"{path.name}: differs from terraform-registry-manifest.json")

    def check_sums(self):
        path = self.path("SHA256SUMS")
        sums = {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            parts = re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)
            if not parts:
                self.problems.append(f"{path.name}:{number}: must be a sum in small letters, two blanks and a name")
            elif parts[2] in sums:
                self.problems.append(f"{path.name}:{number}: lists {parts[2]} twice")
            else:
                sums[parts[2]] = parts[1]
        wanted = {archive.name for archive in self.archives()} | {self.path("manifest.json").name}
        self.problems += [f"{path.name}: does not list {name}" for name in sorted(wanted - sums.keys())]
        # The Terraform Registry refuses sums over anything else.
        self.problems += [f"{path.name}: lists {name}, which is neither archive nor manifest" for name in sorted(sums.keys() - wanted)]
        for name in sorted(wanted & sums.keys()):
            file = self.folder / name
            if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() != sums[name]:
                self.problems.append(f"{path.name}: the sum of {name} is another one")

    def check_signature(self, public_key):
        path = self.path("SHA256SUMS.sig")
        if not path.is_file():
            self.problems.append(f"{path.name} is missing: both registries accept signed releases only")
            return
        content = path.read_bytes()
        if content.lstrip().startswith(b"-----BEGIN"):
            self.problems.append(f"{path.name}: is armored; it must be binary: gpg --detach-sign without --armor")
        elif not is_signature(content):
            self.problems.append(f"{path.name}: is no OpenPGP signature")
        elif public_key:
            self.check_key(public_key, path)

    def check_key(self, public_key, signature):
        if "BEGIN PGP PUBLIC KEY BLOCK" not in public_key.read_text(errors="replace"):
            self.problems.append(f"{public_key.name}: is not an armored public key: gpg --armor --export KEY")
            return
        if not shutil.which("gpg"):
            raise SystemExit("error: gpg is missing. Install it with: apt-get install gnupg")
        with tempfile.TemporaryDirectory(prefix="gpg-") as home:
            gpg = ["gpg", "--homedir", home, "--batch", "--with-colons", "--status-fd", "1"]
            listed = subprocess.run([*gpg, "--show-keys", public_key], capture_output=True, text=True, check=False).stdout
            self.check_listed(public_key.name, [line.split(":") for line in listed.splitlines()])
            subprocess.run([*gpg, "--import", public_key], capture_output=True, check=False)
            verified = subprocess.run(
                [*gpg, "--verify", signature, self.path("SHA256SUMS")], capture_output=True, text=True, check=False
            )
        if verified.returncode != 0:
            reason = (verified.stderr.strip().splitlines() or ["no reason given"])[-1]
            self.problems.append(f"{signature.name}: is not a signature of this key over these sums ({reason})")

    def check_listed(self, name, lines):
        keys = [line for line in lines if line[0] == "pub"]
        if len(keys) != 1:
            self.problems.append(f"{name}: has {len(keys)} keys; it must have one")
            return
        validity, algorithm = keys[0][1], keys[0][3]
        if algorithm not in ALGORITHMS:
            self.problems.append(f"{name}: the Terraform Registry accepts RSA and DSA keys, not algorithm {algorithm}")
        if validity in ("e", "r"):
            self.problems.append(f"{name}: is {'expired' if validity == 'e' else 'revoked'}; the OpenTofu Registry refuses it")
        if not any(EMAIL.search(line[9]) for line in lines if line[0] == "uid"):
            self.warnings.append(f"{name}: has no identity with an address; the OpenTofu Registry remarks on it")


def is_signature(content):
    """Whether the first packet of OpenPGP is a signature, of the old format or the new one."""
    if not content or not content[0] & 0x80:
        return False
    tag = content[0] & 0x3F if content[0] & 0x40 else (content[0] & 0x3C) >> 2
    return tag == 2


def platform_of(start):
    """For what a program was built, from its first bytes."""
    if start[:4] == b"\x7fELF" and len(start) > 20:
        machine = {3: "386", 40: "arm", 62: "amd64", 183: "arm64"}.get(struct.unpack_from("<H", start, 18)[0])
        # 9 is FreeBSD. Linux leaves the field empty mostly, and so may others.
        system = {9: "freebsd"}.get(start[7], "linux")
        return (system, machine) if machine else None
    if start[:4] == b"\xcf\xfa\xed\xfe" and len(start) > 8:
        machine = {0x01000007: "amd64", 0x0100000C: "arm64"}.get(struct.unpack_from("<I", start, 4)[0])
        return ("darwin", machine) if machine else None
    if start[:2] == b"MZ" and len(start) > 0x40:
        header = struct.unpack_from("<I", start, 0x3C)[0]
        if start[header : header + 4] == b"PE\0\0":
            code = struct.unpack_from("<H", start, header + 4)[0]
            machine = {0x014C: "386", 0x8664: "amd64", 0xAA64: "arm64"}.get(code)
            return ("windows", machine) if machine else None
    return None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--public-key", type=Path)
    parser.add_argument("--platforms", type=lambda text: set(text.split(",")), default=set())
    parser.add_argument("--unsigned", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    sums = sorted(options.folder.glob("*SHA256SUMS"))
    if len(sums) != 1:
        raise SystemExit(f"error: {options.folder} has {len(sums)} files *SHA256SUMS; a release has one")
    named = re.fullmatch(rf"terraform-provider-{NAME}_({VERSION})_SHA256SUMS", sums[0].name)
    if not named:
        raise SystemExit(f"error: {sums[0].name} must be called terraform-provider-{NAME}_VERSION_SHA256SUMS")
    release = Release(options.folder, named[1])
    release.check(options.platforms)
    if not options.unsigned:
        release.check_signature(options.public_key)
    for warning in release.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for problem in release.problems:
        print(f"error: {problem}", file=sys.stderr)
    if release.problems:
        return 1
    signed = "not signed" if options.unsigned else "signed" if options.public_key else "signed by a key that was not compared"
    print(f"    {release.version}: {len(release.archives())} archives as both registries want them, {signed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
