"""scripts/package/files.py: what goes into a release, and that the same content gives the same bytes.

Run with: python3 -m unittest discover -s scripts/tests
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "package" / "files.py"
NAME = "terraform-provider-servicenow"


class ReleaseFiles(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_script(self, *arguments, expected=0):
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        command = [sys.executable, SCRIPT, *map(str, arguments)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(ended.returncode, expected, ended.stderr)
        return ended.stderr

    def write(self, name, content="content"):
        path = self.folder / name
        path.write_text(content)
        return path

    def test_an_archive_depends_on_content_alone(self):
        program, licence = self.write("program"), self.write("licence", "text")
        self.run_script("archive", "--output", self.folder / "1.zip", f"{program}={NAME}_v1.2.3", f"{licence}=LICENSE")
        os.utime(program, (1, 1))
        program.chmod(0o600)
        self.run_script("archive", "--output", self.folder / "2.zip", f"{licence}=LICENSE", f"{program}={NAME}_v1.2.3")

        self.assertEqual((self.folder / "1.zip").read_bytes(), (self.folder / "2.zip").read_bytes())
        with zipfile.ZipFile(self.folder / "1.zip") as archive:
            modes = {entry.filename: oct(entry.external_attr >> 16) for entry in archive.infolist()}
        self.assertEqual(modes, {"LICENSE": "0o100644", f"{NAME}_v1.2.3": "0o100755"})

    def test_the_sums_list_archives_and_manifest_and_nothing_else(self):
        for name in (f"{NAME}_1.2.3_linux_arm64.zip", f"{NAME}_1.2.3_linux_amd64.zip"):
            self.write(name)
        self.write(f"{NAME}_1.2.3_linux_amd64.cdx.json")
        self.write(f"{NAME}_1.2.2_linux_amd64.zip")

        self.run_script("sums", "--folder", self.folder, "--name", NAME, "--version", "1.2.3")

        lines = (self.folder / f"{NAME}_1.2.3_SHA256SUMS").read_text().splitlines()
        listed = [line.split("  ")[1] for line in lines]
        self.assertEqual(listed, [f"{NAME}_1.2.3_{part}" for part in ("linux_amd64.zip", "linux_arm64.zip", "manifest.json")])
        self.assertEqual(lines[0].split("  ")[0], hashlib.sha256(b"content").hexdigest())
        manifest = json.loads((self.folder / f"{NAME}_1.2.3_manifest.json").read_text())
        self.assertEqual(manifest, {"version": 1, "metadata": {"protocol_versions": ["6.0"]}})

    def test_sums_over_nothing_are_refused(self):
        said = self.run_script("sums", "--folder", self.folder, "--name", NAME, "--version", "1.2.3", expected=1)
        self.assertIn("has no archive", said)

    def bill(self, built_in, expected=0):
        listed = self.folder / "listed"
        listed.write_bytes(zlib.compress(json.dumps({"packages": built_in}).encode()))
        sbom = {
            "serialNumber": "urn:uuid:1",
            "metadata": {
                "timestamp": "2026-01-01T00:00:00Z",
                "component": {"name": NAME, "version": "1.2.3", "bom-ref": f"path+file:///somewhere/else#{NAME}@1.2.3"},
            },
            "components": [{"name": "serde", "version": "1.0.0", "purl": f"pkg:cargo/{NAME}@1?download_url=file:///somewhere"}],
        }
        output = self.folder / "bill.json"
        said = self.run_script(
            "bill", "--output", output, "--built-in", listed, self.write("sbom", json.dumps(sbom)), expected=expected
        )
        return said if expected else output.read_text()

    def test_a_bill_of_materials_names_no_folder_and_no_moment(self):
        text = self.bill([{"name": NAME, "version": "1.2.3"}, {"name": "serde", "version": "1.0.0"}])

        self.assertNotIn("somewhere", text)
        self.assertRegex(json.loads(text)["serialNumber"], r"^urn:uuid:[0-9a-f-]{36}$")
        self.assertEqual(text, self.bill([{"name": NAME, "version": "1.2.3"}]))
        self.assertIn("2023-11-14T22:13:20Z", text)

    def test_a_bill_that_lacks_what_the_binary_has_is_refused(self):
        said = self.bill([{"name": "forgotten", "version": "0.1.0"}], expected=1)

        self.assertIn("forgotten 0.1.0", said)


if __name__ == "__main__":
    unittest.main()
