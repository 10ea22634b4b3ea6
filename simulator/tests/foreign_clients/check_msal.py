"""Microsoft's own authentication library for Python (PyPI `msal`, written against 1.39.0): sign-in with a certificate.

Usage: python check_msal.py FILE, which has the simulator's first line.

Exits non-zero at the first difference.
"""

import msal

from announced import announced
from certificates import Certificate, registered, tenant_url

GRAPH = ["https://graph.microsoft.com/.default"]


def main():
    simulator = announced()
    certificate, stranger = Certificate("ours"), Certificate("stranger")
    client_id = registered(simulator, certificate)

    def sign_in(credential, scopes=GRAPH):
        application = msal.ConfidentialClientApplication(
            client_id, authority=tenant_url(simulator), client_credential=credential, instance_discovery=False
        )
        return application.acquire_token_for_client(scopes)

    # With the certificate itself it signs by PS256 and names SHA-256; with a thumbprint by RS256, and names SHA-1.
    ps256 = {"private_key": certificate.key, "public_certificate": certificate.pem}
    rs256 = {"private_key": certificate.key, "thumbprint": certificate.sha1}
    for credential in [ps256, rs256]:
        token = sign_in(credential)
        assert "access_token" in token, token
    for credential, code in [
        ({"private_key": stranger.key, "public_certificate": stranger.pem}, 700027),
        ({"private_key": stranger.key, "thumbprint": certificate.sha1}, 700027),
        ({"private_key": certificate.key, "thumbprint": stranger.sha1}, 700027),
    ]:
        refused = sign_in(credential)
        assert refused["error_codes"] == [code], refused
    refused = sign_in(rs256, ["https://graph.microsoft.com/User.Read"])
    assert refused["error_codes"] == [1002012], refused
    remembers_the_account(simulator)
    print(f"msal agrees with {simulator['login_url']}")


def remembers_the_account(simulator):
    """It asks for `openid` by itself, and knows who has signed in by the ID token."""
    application = msal.ConfidentialClientApplication(
        simulator["client_id"],
        authority=tenant_url(simulator),
        client_credential=simulator["client_secret"],
        instance_discovery=False,
    )
    token = application.acquire_token_by_refresh_token(
        simulator["refresh_token"], ["https://admin.microsoft.com/.default"]
    )
    assert "access_token" in token, token
    assert token["id_token_claims"]["tid"] == simulator["tenant_id"], token["id_token_claims"]


if __name__ == "__main__":
    main()
