"""scripts/check-registry-archives.py: a release in order passes, and each fault that a registry would refuse is found.

Run with: python3 -m unittest discover -s scripts/tests
"""

import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = SCRIPTS / "check-registry-archives.py"
NAME = "terraform-provider-servicenow"
PREFIX = f"{NAME}_1.2.3_"
# The first bytes of programs, as far as the script reads them.
PROGRAMS = {
    "linux_amd64": b"\x7fELF" + bytes(14) + struct.pack("<H", 62) + bytes(40),
    "linux_arm64": b"\x7fELF" + bytes(14) + struct.pack("<H", 183) + bytes(40),
    "darwin_arm64": b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C) + bytes(40),
    "windows_amd64": b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664) + bytes(40),
}


class Release(unittest.TestCase):
    """A release of four archives, in order."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.release = self.folder / "release"
        self.release.mkdir()
        for platform in PROGRAMS:
            self.pack(platform)
        self.path("manifest.json").write_text(json.dumps({"version": 1, "metadata": {"protocol_versions": ["6.0"]}}))
        self.path("SHA256SUMS.sig").write_bytes(b"\x89\x01\x00")
        self.sum_up()

    def path(self, suffix):
        return self.release / (PREFIX + suffix)

    def pack(self, platform, program=None, name=f"{NAME}_v1.2.3", mode=0o100755, **others):
        name += ".exe" if platform.startswith("windows") else ""
        with zipfile.ZipFile(self.path(f"{platform}.zip"), "w") as archive:
            for entry, content in {name: program or PROGRAMS[platform], "LICENSE": b"text", **others}.items():
                info = zipfile.ZipInfo(entry)
                info.create_system = 3
                info.external_attr = (mode if entry == name else 0o100644) << 16
                archive.writestr(info, content)

    def sum_up(self, *more):
        files = [*sorted(self.release.glob("*.zip")), self.path("manifest.json"), *more]
        lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files if file.is_file()]
        self.path("SHA256SUMS").write_text("".join(lines))

    def check(self, *arguments):
        ended = subprocess.run(
            [sys.executable, SCRIPT, self.release, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        return ended.returncode, ended.stdout + ended.stderr

    def refused(self, expected, *arguments):
        status, said = self.check(*arguments)
        self.assertEqual(status, 1, said)
        self.assertIn(expected, said)
        self.assertEqual(said.count("error:"), 1, said)


class Archives(Release):
    def test_a_release_in_order_passes(self):
        status, said = self.check("--platforms", ",".join(PROGRAMS))

        self.assertEqual(status, 0, said)
        self.assertIn("1.2.3: 4 archives as both registries want them", said)

    def test_a_missing_and_a_surplus_platform(self):
        self.refused("no archive for darwin_amd64", "--platforms", ",".join([*PROGRAMS, "darwin_amd64"]))
        self.refused("windows_amd64, which was not asked for", "--platforms", "linux_amd64,linux_arm64,darwin_arm64")
        self.path("linux_amd64.zip").unlink()
        self.sum_up()
        status, said = self.check()
        self.assertEqual(status, 0)
        self.assertIn("warning: there is no archive for linux_amd64", said)

    def test_a_platform_that_a_registry_does_not_know(self):
        self.pack("linux_riscv64", PROGRAMS["linux_amd64"])
        self.sum_up()

        status, said = self.check()

        self.assertEqual(status, 1)
        self.assertIn("OpenTofu Registry has no platform linux_riscv64", said)

    def test_the_name_of_an_archive(self):
        self.path("linux_amd64.zip").rename(self.release / f"{NAME}_1.2.3_linux-amd64.zip")
        self.sum_up()

        status, said = self.check()

        self.assertEqual(status, 1)
        self.assertIn("its name must be", said)

    def test_what_is_in_an_archive(self):
        for change, expected in [
            ({"name": f"{NAME}_1.2.3"}, f"has no {NAME}_v1.2.3"),
            ({"name": f"bin/{NAME}_v1.2.3"}, f"has no {NAME}_v1.2.3"),
            ({"mode": 0o100644}, "is not executable"),
            ({"program": PROGRAMS["linux_arm64"]}, "was built for linux_arm64"),
            ({"program": b"#!/bin/sh\n"}, "is no program"),
            ({f"{NAME}_v1.2.2": b"old"}, "and the only one"),
            ({"../LICENSE": b"text"}, "leads out of the folder"),
        ]:
            with self.subTest(expected):
                self.pack("linux_amd64", **change)
                self.sum_up()
                status, said = self.check()
                self.assertEqual(status, 1)
                self.assertIn(expected, said)

    def test_an_archive_that_is_none(self):
        self.path("linux_amd64.zip").write_text("404: Not Found")
        self.sum_up()

        self.refused("is no zip archive")

    def test_the_manifest(self):
        for text, expected in [
            ('{"version": 1, "metadata": {"protocol_versions": ["6.0"],}}', "is not JSON"),
            ('{"version": 2, "metadata": {"protocol_versions": ["6.0"]}}', "version must be 1"),
            ('{"version": 1, "metadata": {"protocol_versions": "6.0"}}', "must be a list"),
            ('{"version": 1, "metadata": {"protocol_versions": ["5.0"]}}', "differs from terraform-registry-manifest.json"),
        ]:
            with self.subTest(expected):
                self.path("manifest.json").write_text(text)
                self.sum_up()
                status, said = self.check()
                self.assertEqual(status, 1)
                self.assertIn(expected, said)
        self.path("manifest.json").unlink()
        self.assertIn("manifest.json is missing", self.check()[1])

    def test_the_sums(self):
        bill = self.path("linux_amd64.cdx.json")
        bill.write_text("{}")
        self.sum_up(bill)
        self.refused("which is neither archive nor manifest")

        self.sum_up()
        sums = self.path("SHA256SUMS")
        whole = sums.read_text()
        sums.write_text(whole.split("\n", 1)[1])
        self.refused("does not list")
        sums.write_text(whole + whole.split("\n", 1)[0] + "\n")
        self.refused("twice")
        sums.write_text(whole.replace("  ", " *"))
        self.assertIn("two blanks", self.check()[1])
        sums.write_text(whole)
        self.pack("linux_amd64", others=b"changed")
        self.refused("is another one")

    def test_the_signature(self):
        signature = self.path("SHA256SUMS.sig")
        signature.write_text("-----BEGIN PGP SIGNATURE-----\n")
        self.refused("is armored")
        signature.write_text("no signature")
        self.refused("is no OpenPGP signature")
        signature.unlink()
        self.refused("is missing: both registries")
        self.assertEqual(self.check("--unsigned")[0], 0)

    def test_a_folder_without_a_release(self):
        self.path("SHA256SUMS").rename(self.release / f"{NAME}_v1.2.3_SHA256SUMS")
        self.assertIn("must be called", self.check()[1])
        (self.release / f"{NAME}_v1.2.3_SHA256SUMS").unlink()
        self.assertIn("has 0 files", self.check()[1])


@unittest.skipUnless(shutil.which("gpg"), "gpg is not installed")
class Keys(Release):
    def key(self, algorithm, identity, *options, expires="never"):
        """A key that signs the sums; its armored public half."""
        home = tempfile.mkdtemp(prefix="gpg-", dir=self.folder)
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", *options]
        self.addCleanup(subprocess.run, ["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)
        subprocess.run([*gpg, "--quick-generate-key", identity, algorithm, "sign", expires], check=True, capture_output=True)
        signature = self.path("SHA256SUMS.sig")
        subprocess.run([*gpg, "--output", signature, "--detach-sign", self.path("SHA256SUMS")], check=True, capture_output=True)
        armored = self.folder / f"{algorithm}.asc"
        armored.write_bytes(subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout)
        return armored

    def test_a_signature_by_the_key_passes(self):
        status, said = self.check("--public-key", self.key("rsa2048", "Releases <releases@contoso.com>"))

        self.assertEqual(status, 0, said)
        self.assertNotIn("warning", said)
        self.assertTrue(said.endswith("signed\n"), said)

    def test_a_signature_by_another_key_is_refused(self):
        key = self.key("rsa2048", "Releases <releases@contoso.com>")
        self.key("rsa3072", "Somebody else <other@contoso.com>")

        self.refused("is not a signature of this key", "--public-key", key)

    def test_a_signature_over_other_sums_is_refused(self):
        key = self.key("rsa2048", "Releases <releases@contoso.com>")
        self.pack("linux_amd64", others=b"changed")
        self.sum_up()

        self.refused("is not a signature of this key over these sums", "--public-key", key)

    def test_a_key_of_the_default_kind_is_refused(self):
        self.refused("accepts RSA and DSA keys", "--public-key", self.key("ed25519", "Releases <releases@contoso.com>"))

    def test_a_key_without_an_address_is_remarked_on(self):
        status, said = self.check("--public-key", self.key("rsa2048", "Releases"))

        self.assertEqual(status, 0, said)
        self.assertIn("warning: rsa2048.asc: has no identity with an address", said)

    def test_an_expired_key_is_refused(self):
        past = ("--faked-system-time", "20200101T000000")
        key = self.key("rsa2048", "Releases <releases@contoso.com>", *past, expires="1d")

        status, said = self.check("--public-key", key)

        self.assertEqual(status, 1)
        self.assertIn("is expired; the OpenTofu Registry refuses it", said)

    def test_a_file_that_is_no_key(self):
        key = self.folder / "key.asc"
        key.write_text("key")
        self.refused("is not an armored public key", "--public-key", key)


if __name__ == "__main__":
    unittest.main()
