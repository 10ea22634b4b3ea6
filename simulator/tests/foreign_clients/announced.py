"""What the simulator under test said of itself, for the checks with clients of others."""

import json
import os
import sys


def announced():
    """The addresses and accounts from the program's first line, in the file that the first argument names.

    From here on, the libraries for HTTP trust the simulator's authority.
    """
    with open(sys.argv[1], encoding="utf-8") as file:
        simulator = json.load(file)
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = simulator["ca_certificate"]
    return simulator
