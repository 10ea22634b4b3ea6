"""scripts/publish-private-registry against a fake of the registry's API on loopback.

Run with: python3 -m unittest discover -s scripts/tests
"""

import collections
import hashlib
import http.server
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "publish-private-registry"
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINB\n-----END PGP PUBLIC KEY BLOCK-----\n"
TOKEN = "test-token-of-the-owners"
ORG = "/api/v2/organizations/contoso"
PROVIDER = f"{ORG}/registry-providers/private/contoso/servicenow"


class StandIn(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted, refuses duplicates and strangers, and hands out upload addresses as the registry does."""

    def do_GET(self):
        path = self.path.split("?")[0]
        if not self.allowed():
            return
        if path.endswith("/gpg-keys"):
            self.answer(200, {"data": [{"attributes": key} for key in self.server.keys]})
        elif path in self.server.documents:
            self.answer(200, self.document(path))
        else:
            self.answer(404, {"errors": [{"title": "not found"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
        if not self.allowed():
            return
        attributes = body["attributes"]
        if self.headers["Content-Type"] != "application/vnd.api+json":
            self.answer(415, {"errors": [{"title": "content type"}]})
            return
        path = {
            "gpg-keys": lambda: self.path + "/key",
            "registry-providers": lambda: f"{self.path}/private/{attributes['namespace']}/{attributes['name']}",
            "registry-provider-versions": lambda: f"{self.path}/{attributes['version']}",
            "registry-provider-platforms": lambda: f"{self.path}/{attributes['os']}/{attributes['arch']}",
            "registry-modules": lambda: f"{self.path}/private/contoso/{attributes['name']}/{attributes['provider']}",
            "registry-module-versions": lambda: f"{self.path}/{attributes['version']}",
        }[body["type"]]()
        if path in self.server.documents:
            self.answer(422, {"errors": [{"detail": "has already been taken"}]})
            return
        if body["type"] == "gpg-keys":
            attributes["key-id"] = "32966F3FB5AC1129"
            self.server.keys.append(attributes)
        self.server.posted.append(path)
        self.server.documents[path] = (body["type"], attributes)
        self.answer(201, self.document(path))

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if "Authorization" in self.headers:
            self.server.complaints.append(f"the token was sent to the upload address {self.path}")
        self.server.uploads[self.path] = content
        self.answer(200, {})

    def document(self, path):
        kind, attributes = self.server.documents[path]
        links, attributes = {}, dict(attributes)
        for link in {
            "registry-provider-versions": ["shasums-upload", "shasums-sig-upload"],
            "registry-provider-platforms": ["provider-binary-upload"],
            "registry-module-versions": ["upload"],
        }.get(kind, []):
            if f"/object{path}/{link}" not in self.server.uploads:
                links[link] = f"{self.server.address}/object{path}/{link}"
        if kind == "registry-modules":
            # The registry reads an archive after the upload: the first answers say so.
            self.server.polls[path] += 1
            attributes["version-statuses"] = [
                {"version": "0.1.0", "status": self.server.verdict if self.server.polls[path] > 2 else "pending"}
                for upload in self.server.uploads
                if upload.startswith(f"/object{path}/")
            ]
        return {"data": {"type": kind, "attributes": attributes, "links": links}}

    def allowed(self):
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.answer(404, {"errors": [{"title": "not found"}]})
        return False

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.api+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class PublishPrivateRegistry(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
        self.server.address = f"http://127.0.0.1:{self.server.server_port}"
        self.server.documents, self.server.uploads, self.server.keys = {}, {}, []
        self.server.posted, self.server.complaints, self.server.verdict = [], [], "ok"
        self.server.polls = collections.Counter()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def publish(self, command, *more, token=TOKEN, address=None):
        environment = {**os.environ, "no_proxy": "*"}
        environment.pop("TFE_TOKEN", None)
        if token:
            environment["TFE_TOKEN"] = token
        return subprocess.run(
            [sys.executable, SCRIPT, command, "--organization", "contoso", "--address", address or self.server.address, *more],
            env=environment, capture_output=True, text=True, check=False,
        )

    def release(self, platforms=("linux_amd64", "darwin_arm64")):
        stem = "terraform-provider-servicenow_0.1.0"
        lines = []
        for platform in platforms:
            content = platform.encode()
            (self.folder / f"{stem}_{platform}.zip").write_bytes(content)
            lines.append(f"{hashlib.sha256(content).hexdigest()}  {stem}_{platform}.zip\n")
        (self.folder / f"{stem}_manifest.json").write_text("{}")
        lines.append(f"{hashlib.sha256(b'{}').hexdigest()}  {stem}_manifest.json\n")
        (self.folder / f"{stem}_SHA256SUMS").write_text("".join(lines))
        (self.folder / f"{stem}_SHA256SUMS.sig").write_bytes(b"signature")
        (self.folder / "key.asc").write_text(KEY)
        return ["--release", str(self.folder), "--gpg-public-key", str(self.folder / "key.asc")]

    def test_a_release_is_published_with_all_its_platforms(self):
        run = self.publish("provider", *self.release())

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.server.documents[f"{PROVIDER}/versions/0.1.0"][1], {
            "version": "0.1.0", "key-id": "32966F3FB5AC1129", "protocols": ["6.0"],
        })
        platform = f"{PROVIDER}/versions/0.1.0/platforms/linux/amd64"
        self.assertEqual(self.server.documents[platform][1], {
            "os": "linux", "arch": "amd64", "shasum": hashlib.sha256(b"linux_amd64").hexdigest(),
            "filename": "terraform-provider-servicenow_0.1.0_linux_amd64.zip",
        })
        self.assertEqual(self.server.uploads[f"/object{platform}/provider-binary-upload"], b"linux_amd64")
        self.assertEqual(self.server.uploads[f"/object{PROVIDER}/versions/0.1.0/shasums-sig-upload"], b"signature")
        self.assertEqual(self.server.complaints, [])

    def test_a_second_run_changes_nothing(self):
        self.publish("provider", *self.release())
        posted, uploads = list(self.server.posted), dict(self.server.uploads)

        run = self.publish("provider", *self.release())

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual((self.server.posted, self.server.uploads), (posted, uploads))

    def test_an_interrupted_run_is_completed(self):
        self.publish("provider", *self.release(platforms=["linux_amd64"]))
        missing = f"/object{PROVIDER}/versions/0.1.0/platforms/linux/amd64/provider-binary-upload"
        del self.server.uploads[missing]

        run = self.publish("provider", *self.release())

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.server.uploads[missing], b"linux_amd64")

    def test_published_content_is_never_replaced(self):
        self.publish("provider", *self.release())
        options = self.release()
        sums = self.folder / "terraform-provider-servicenow_0.1.0_SHA256SUMS"
        sums.write_text(sums.read_text().replace(hashlib.sha256(b"linux_amd64").hexdigest(), "0" * 64))

        run = self.publish("provider", *options)

        self.assertNotEqual(run.returncode, 0)
        self.assertIn("raise the version", run.stderr)

    def test_an_unsigned_release_is_refused_before_any_call(self):
        options = self.release()
        (self.folder / "terraform-provider-servicenow_0.1.0_SHA256SUMS.sig").unlink()

        run = self.publish("provider", *options)

        self.assertNotEqual(run.returncode, 0)
        self.assertIn("signed releases only", run.stderr)
        self.assertEqual(self.server.posted, [])

    def test_modules_are_published_as_archives_that_stand_alone(self):
        run = self.publish("modules", "--version", "0.1.0", "--patience", "3")

        self.assertEqual(run.returncode, 0, run.stderr)
        module = f"{ORG}/registry-modules/private/contoso/m365-support-no-code/servicenow"
        self.assertTrue(self.server.documents[module][1]["no-code"])
        files = untar(self.server.uploads[f"/object{module}/versions/0.1.0/upload"])
        self.assertIn("modules/entra-apps/main.tf", files)
        self.assertIn('source = "./modules/entra-apps"', files["main.tf"])
        host = self.server.address.removeprefix("http://")
        self.assertIn(f'"{host}/contoso/servicenow"', files["modules/m365-support-integration/versions.tf"])
        entra = f"{ORG}/registry-modules/private/contoso/entra-apps/azuread"
        self.assertIn("variables.tf", untar(self.server.uploads[f"/object{entra}/versions/0.1.0/upload"]))

    def test_a_module_that_the_registry_cannot_read_is_an_error(self):
        self.server.verdict = "reg_ingress_failed"

        run = self.publish("modules", "entra-apps", "--version", "0.1.0", "--patience", "3")

        self.assertNotEqual(run.returncode, 0)
        self.assertIn("reg_ingress_failed", run.stderr)

    def test_a_dry_run_prints_every_call_and_makes_none(self):
        nowhere = "https://registry.invalid"

        provider = self.publish("provider", *self.release(), "--dry-run", token=None, address=nowhere)
        modules = self.publish("modules", "--version", "0.1.0", "--dry-run", token=None, address=nowhere)

        self.assertEqual((provider.returncode, modules.returncode), (0, 0), provider.stderr + modules.stderr)
        self.assertIn(f"POST {nowhere}{PROVIDER}/versions\n", provider.stdout)
        self.assertIn("PUT <upload address of terraform-provider-servicenow_0.1.0_darwin_arm64.zip> (12 bytes)", provider.stdout)
        self.assertIn(f"POST {nowhere}{ORG}/registry-modules/private/contoso/copilot-connector/servicenow/versions", modules.stdout)
        self.assertEqual(self.server.posted, [])

    def test_a_token_without_rights_is_told_so_and_not_printed(self):
        run = self.publish("modules", "entra-apps", "--version", "0.1.0", token="somebody-else")

        self.assertNotEqual(run.returncode, 0)
        self.assertIn("may not manage its private registry", run.stderr)
        self.assertNotIn("somebody-else", run.stdout + run.stderr)

    def test_the_token_goes_to_no_address_without_tls(self):
        run = self.publish("modules", "--version", "0.1.0", address="http://terraform.contoso.example")

        self.assertNotEqual(run.returncode, 0)
        self.assertIn("https://", run.stderr)


def untar(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {entry.name: tar.extractfile(entry).read().decode() for entry in tar}


if __name__ == "__main__":
    unittest.main()
