"""An independent caller of the simulator: modules `api` and `api_info` of the Ansible collection `servicenow.itsm`
(written against 2.15.1), run by ansible-playbook (PyPI `ansible-core`, written against 2.19.14).

Usage: python check_ansible.py FILE FOLDER, which have the simulator's first line, and the collection.

Exits non-zero at the first difference. What is expected stands in the playbook.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from announced import announced

PLAYBOOK = pathlib.Path(__file__).with_name("ansible.yml")


def main():
    simulator = announced()
    with tempfile.TemporaryDirectory() as folder:
        output = play(pathlib.Path(folder), simulator)
    if output:
        sys.exit(output)
    print(f"servicenow.itsm agrees with {simulator['instance_url']}")


def play(folder, simulator):
    """What ansible-playbook said, if it failed."""
    # In a file, because everybody on the machine can see arguments.
    variables = folder / "variables.json"
    variables.write_text(json.dumps({name: simulator[name] for name in ["instance_url", "username", "password"]}))
    # Without one, it looks for the user's.
    configuration = folder / "ansible.cfg"
    configuration.touch()
    # Both Ansible and the modules have settings there.
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("ANSIBLE_", "SN_"))}
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    run = subprocess.run(
        [program, "--inventory", os.devnull, "--extra-vars", f"@{variables}", PLAYBOOK],
        env=inherited
        | {
            "ANSIBLE_COLLECTIONS_PATH": sys.argv[2],
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_HOME": str(folder),
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_NOCOLOR": "True",
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
            # It refuses LC_ALL=C.
            "LC_ALL": "",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return run.stdout if run.returncode else ""


if __name__ == "__main__":
    main()
