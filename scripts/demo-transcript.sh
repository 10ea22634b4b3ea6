#!/usr/bin/env bash
# Runs the demo and writes its output to docs/demo.md. With --check it writes nothing, and fails if the two differ.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  "" | --check) ;;
  *) fail "Unknown argument: $1" "Say: scripts/demo-transcript.sh [--check]" ;;
esac

need_cargo
need python3 "apt-get install python3"
cargo build --quiet --workspace --bins --locked
python3 scripts/demo/transcript.py ${1:+"$1"} \
  --terraform "$(scripts/find-terraform.sh one)" \
  --provider target/debug/terraform-provider-servicenow \
  --simulator target/debug/servicenow-simulator \
  --folder "$project/target/transcript"
