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

# verdict NAME: whatever happens, the last line says how NAME ended.
verdict() {
  verdict_of="$1"
  verdict_detail=""
  trap 'verdict_at_exit $?' EXIT
}

verdict_at_exit() {
  if [ "$1" -eq 0 ]; then
    printf '\n%s: PASSED%s\n' "$verdict_of" "${verdict_detail:+ ($verdict_detail)}" >&2
  else
    printf '\n%s: FAILED (exit code %s)%s\n' "$verdict_of" "$1" "${verdict_detail:+ ($verdict_detail)}" >&2
  fi
}
