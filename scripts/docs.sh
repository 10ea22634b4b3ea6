#!/usr/bin/env bash
# Writes the reference pages from the schemas. With --check it writes nothing, and fails on pages that are out of date,
# missing examples and front matter, dead links, and commands that do not exist.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  "") verdict "make docs" ;;
  --check) verdict "scripts/docs.sh --check" ;;
  *) fail "Unknown argument: $1" "Say: scripts/docs.sh [--check]" ;;
esac

need_cargo
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"

step "Reference pages"
cargo run --quiet --package reference-docs -- "$@"
