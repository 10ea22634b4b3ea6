# shellcheck shell=bash
# Shared by every script here: strict mode, progress messages, and the verdict.
#
# Progress and verdict go to standard error, so that standard output stays free for a script's result.

set -euo pipefail

project="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly project
cd "$project"

# A long step is announced before it starts.
step() { printf '\n==> %s\n' "$*" >&2; }

note() { printf '    %s\n' "$*" >&2; }

# The one way to give up: what is wrong, then what to do.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for advice in "$@"; do printf '       %s\n' "$advice" >&2; done
  exit 1
}

# need TOOL INSTALL-COMMAND...: ends the script with the command that installs a missing tool.
need() {
  local tool="$1"
  shift
  command -v "$tool" >/dev/null 2>&1 || fail "$tool is missing." "Install it with: $*"
}

need_cargo() {
  need cargo "apt-get install rustup && rustup toolchain install stable (or see https://rustup.rs)"
}

# from_pypi PACKAGE VERSION [REQUIREMENT...]: prints the virtual environment in target/tools that has it, together with the
# other requirements; made on first use.
from_pypi() {
  local IFS=-
  local venv="$project/target/tools/$*"
  if [ ! -e "$venv/ready" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || return 1
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$1==$2" "${@:3}" >&2 || return 1
    touch "$venv/ready"
  fi
  printf '%s\n' "$venv"
}

# free_space: mebibytes that are free where the project is.
free_space() { df -Pm "$project" | awk 'NR == 2 { print $4 }'; }

# needs_space MEBIBYTES: says so at the start where building and testing from nothing will fill the disk.
needs_space() {
  local built free
  built="$(du -sm target 2>/dev/null | cut -f1 || true)"
  free="$(free_space)"
  [ $((free + ${built:-0})) -ge "$1" ] ||
    note "only $free MiB are free on the disk of $project, and this needs about $1 MiB"
}

# cores: how many processors may be used.
cores() { nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || printf '2\n'; }

# run_live TEST: builds tests/live and runs one of its tests. Not through cargo, which an interruption would end before the test
# has removed what it made.
run_live() {
  local program
  step "Building the tests"
  program="$(cargo test --locked --test live --no-run --message-format json |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "live":
        print(message["executable"])')"
  # The shell waits for the end of the program when both are interrupted.
  "$program" --exact "$1" --test-threads 1
}

# platform TRIPLE: a platform of Rust as Terraform calls it.
platform() {
  local system machine
  case "$1" in
    *-linux-*) system=linux ;;
    *-apple-darwin) system=darwin ;;
    *-windows-*) system=windows ;;
    *) fail "Terraform has no name for the system of $1." "It knows linux, darwin and windows." ;;
  esac
  case "$1" in
    x86_64-*) machine=amd64 ;;
    aarch64-*) machine=arm64 ;;
    *) fail "Terraform has no name for the machine of $1." "It knows x86_64 and aarch64." ;;
  esac
  printf '%s_%s\n' "$system" "$machine"
}

# verdict NAME: whatever happens, the last line says how NAME ended.
#
# A signal ends the script by `exit`: without that, the trap of EXIT runs with the status of the command before it, which may be 0.
verdict() {
  verdict_of="$1"
  verdict_detail=""
  trap 'verdict_at_exit $?' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

verdict_at_exit() {
  if [ "$1" -eq 0 ]; then
    printf '\n%s: PASSED%s\n' "$verdict_of" "${verdict_detail:+ ($verdict_detail)}" >&2
  else
    [ "$(free_space)" -ge 500 ] || note "the disk of $project is full, which may be the reason"
    printf '\n%s: FAILED (exit code %s)%s\n' "$verdict_of" "$1" "${verdict_detail:+ ($verdict_detail)}" >&2
  fi
}
