#!/usr/bin/env bash
# Tests the simulator with clients of ServiceNow and Microsoft, from PyPI and Ansible Galaxy: what they send to the real
# services must work here.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
need python3 "apt-get install python3 python3-venv"

cargo build --quiet --locked --package servicenow-simulator --bin servicenow-simulator

announced="$(mktemp)"
target/debug/servicenow-simulator >"$announced" &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true; rm -f "$announced"' EXIT
for _ in $(seq 100); do
  [ -s "$announced" ] && break
  sleep 0.1
done

# check NAME VENV [ARGUMENT...]: runs check_NAME.py with what the virtual environment has.
check() {
  NO_PROXY=127.0.0.1,localhost "$2/bin/python" "simulator/tests/foreign_clients/check_$1.py" "$announced" "${@:3}"
}

# call CHECK PACKAGE VERSION [REQUIREMENT...]: runs check_CHECK.py with the package, or says that it cannot be had.
call() {
  local check="$1" venv
  shift
  if ! venv="$(from_pypi "$@")"; then
    note "skipped: $1 $2, which cannot be installed from PyPI here (check the connection, or the proxy of pip)"
    return
  fi
  check "$check" "$venv"
}

# from_galaxy VENV COLLECTION VERSION: prints the folder in target/tools that has the collection; made on first use, by
# the ansible-galaxy of the virtual environment.
from_galaxy() {
  local folder="$project/target/tools/$2-$3"
  if [ ! -e "$folder/ready" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    # The user's servers count, as they do for pip. What it writes stays out of the user's home. It refuses LC_ALL=C.
    LC_ALL="" ANSIBLE_HOME="$folder/home" ANSIBLE_COLLECTIONS_PATH="$folder" \
      "$1/bin/ansible-galaxy" collection install --no-deps --timeout 20 --collections-path "$folder" "$2:==$3" \
      >"$folder/log" 2>&1 || return 1
    touch "$folder/ready"
  fi
  printf '%s\n' "$folder"
}

# call_collection CHECK COLLECTION VERSION ANSIBLE: runs check_CHECK.py with the collection, or says why not.
call_collection() {
  local venv folder
  if ! venv="$(from_pypi ansible-core "$4")"; then
    note "skipped: $2 $3, because ansible-core $4 cannot be installed from PyPI here (check the connection, or the" \
      "proxy of pip)"
    return
  fi
  if ! folder="$(from_galaxy "$venv" "$2" "$3")"; then
    note "skipped: $2 $3, which cannot be installed from Ansible Galaxy here (see target/tools/$2-$3/log)"
    return
  fi
  check "$1" "$venv" "$folder"
}

call pysnc pysnc 1.2.1 requests-oauthlib==2.0.0 httpx==0.28.1
call msal msal 1.39.0
call azure_identity azure-identity 1.27.0
# On Galaxy alone: no release of the package `ansible` has this collection.
call_collection ansible servicenow.itsm 2.15.1 2.19.14
