"""Microsoft's own credentials for Azure (PyPI `azure-identity`, written against 1.27.0): sign-in with a certificate.

Usage: python check_azure_identity.py FILE, which has the simulator's first line.

Exits non-zero at the first difference.
"""

import logging

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential

from announced import announced
from certificates import Certificate, registered

GRAPH = "https://graph.microsoft.com/.default"


def main():
    # It logs every refusal, the expected ones too.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    simulator = announced()
    certificate, stranger = Certificate("ours"), Certificate("stranger")
    client_id = registered(simulator, certificate)
    where = {
        "tenant_id": simulator["tenant_id"],
        "authority": simulator["login_url"],
        "disable_instance_discovery": True,
    }

    def with_certificate(pem):
        return CertificateCredential(client_id=client_id, certificate_data=pem.encode(), **where)

    assert with_certificate(certificate.key + certificate.pem).get_token(GRAPH).token
    refused(with_certificate(stranger.key + stranger.pem), "AADSTS700027")
    secret = ClientSecretCredential(
        client_id=simulator["client_id"], client_secret=simulator["client_secret"], **where
    )
    assert secret.get_token(GRAPH).token
    wrong = ClientSecretCredential(client_id=simulator["client_id"], client_secret="wrong", **where)
    refused(wrong, "AADSTS7000215")
    print(f"azure-identity agrees with {simulator['login_url']}")


def refused(credential, code):
    try:
        credential.get_token(GRAPH)
    except ClientAuthenticationError as error:
        assert code in str(error), error
    else:
        raise AssertionError(f"not refused with {code}")


if __name__ == "__main__":
    main()
