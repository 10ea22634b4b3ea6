"""Writes the files of a release so that the same content gives the same bytes. See scripts/package.sh.

files.py archive --output ZIP PATH=NAME...   a zip archive with these files
files.py bill --output FILE [--built-in F] SBOM
                                             a bill of materials without the folders of the machine that wrote it, which
                                             has every crate that cargo-auditable listed in F
files.py sums --folder F --name N --version V   the registry's manifest and the sums over it and the archives
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import time
import uuid
import zipfile
import zlib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent


def archive(arguments):
    """Order, times and permissions are fixed; only the content counts."""
    made = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
    files = dict(reversed(pair.rsplit("=", 1)) for pair in arguments.files)
    with zipfile.ZipFile(arguments.output, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, made)
            entry.create_system = 3  # Unix, wherever this runs: without it there are no permissions
            is_program = name.startswith("terraform-provider-")
            entry.external_attr = (0o100755 if is_program else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, Path(files[name]).read_bytes(), compresslevel=9)
    tell(arguments.output)


def bill(arguments):
    """Packages of this repository are named by the folder they were built in, which is nobody's business."""
    text = arguments.sbom.read_text()
    text = re.sub(r"path\+file://[^#\"]*?/?(simulator|tools/docs|tools/facts|tools/recordings)?#", lambda found: f"path+file:///{found[1] or ''}#", text)
    text = re.sub(r"(\?|&)download_url=file://[^\"#&]*", "", text)
    document = json.loads(text)
    # Random otherwise, and without one an attestation of the bill is refused.
    document.pop("serialNumber", None)
    if arguments.built_in:
        same_as_built_in(document, arguments.built_in)
    document["metadata"]["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True)).urn
    text = json.dumps(document, indent=2) + "\n"
    for folder in (str(PROJECT), str(Path.home())):
        if len(folder) > 3 and folder + "/" in text:
            raise SystemExit(f"error: the bill of materials names a folder of this machine, {folder}")
    arguments.output.write_text(text)
    tell(arguments.output)


def same_as_built_in(document, section):
    """Two tools listed the crates; what one of them has missed would be missed by whoever reads it."""
    built_in = {(each["name"], each["version"]) for each in json.loads(zlib.decompress(section.read_bytes()))["packages"]}
    billed = {(each["name"], each["version"]) for each in [document["metadata"]["component"], *document["components"]]}
    missing = sorted(" ".join(each) for each in built_in - billed)
    if missing:
        raise SystemExit(f"error: the binary lists crates that the bill of materials does not: {', '.join(missing)}")
    print(f"    {len(built_in)} crates are listed in the binary, and all of them in the bill of materials")


def sums(arguments):
    """The registry refuses a release whose sums list anything but archives and manifest."""
    prefix = f"{arguments.name}_{arguments.version}_"
    manifest = arguments.folder / f"{prefix}manifest.json"
    shutil.copyfile(PROJECT / "terraform-registry-manifest.json", manifest)
    archives = sorted(arguments.folder.glob(f"{prefix}*.zip"))
    if not archives:
        raise SystemExit(f"error: {arguments.folder} has no archive {prefix}*.zip")
    sums = arguments.folder / f"{prefix}SHA256SUMS"
    with open(sums, "w", newline="\n") as file:
        for path in [*archives, manifest]:
            file.write(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    tell(sums)
    print(sums.read_text(), end="")


def tell(path):
    print(f"    {path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path}  {path.stat().st_size // 1024} KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("archive")
    packing.add_argument("--output", type=Path, required=True)
    packing.add_argument("files", nargs="+", metavar="PATH=NAME")
    packing.set_defaults(run=archive)
    listing = commands.add_parser("bill")
    listing.add_argument("--output", type=Path, required=True)
    listing.add_argument("--built-in", type=Path)
    listing.add_argument("sbom", type=Path)
    listing.set_defaults(run=bill)
    summing = commands.add_parser("sums")
    summing.add_argument("--folder", type=Path, required=True)
    summing.add_argument("--name", required=True)
    summing.add_argument("--version", required=True)
    summing.set_defaults(run=sums)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
