"""Certificates for the checks that sign in to Entra with one, and the application that has them."""

import base64
import datetime
import json
import ssl
import urllib.parse
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


class Certificate:
    """A key, and a certificate that it signed itself."""

    def __init__(self, name):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        self.key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        self.pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.sha1 = certificate.fingerprint(hashes.SHA1()).hex()


def registered(simulator, certificate):
    """The client id of a new application that has the certificate and a service principal."""
    credential = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": base64.b64encode(certificate.der).decode(),
    }
    graph = _Graph(simulator)
    application = graph.post("applications", {"displayName": "certificate", "keyCredentials": [credential]})
    graph.post("servicePrincipals", {"appId": application["appId"]})
    return application["appId"]


def tenant_url(simulator):
    """The tenant at the simulator's login host."""
    return f"{simulator['login_url']}/{simulator['tenant_id']}"


class _Graph:
    """As much of a client of Graph as it takes; by the standard library, since the clients under test are others."""

    def __init__(self, simulator):
        self._trust = ssl.create_default_context(cafile=simulator["ca_certificate"])
        self._url = simulator["graph_url"]
        form = {
            "grant_type": "client_credentials",
            "client_id": simulator["client_id"],
            "client_secret": simulator["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }
        token_url = f"{tenant_url(simulator)}/oauth2/v2.0/token"
        self._token = self._send(token_url, urllib.parse.urlencode(form).encode(), {})["access_token"]

    def post(self, path, body):
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        return self._send(f"{self._url}/v1.0/{path}", json.dumps(body).encode(), headers)

    def _send(self, url, body, headers):
        request = urllib.request.Request(url, body, headers)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._trust)
        )
        with opener.open(request) as response:
            return json.load(response)
