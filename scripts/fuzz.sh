#!/usr/bin/env bash
# Fuzzes every parser of external input, for a minute or for the number of seconds in the argument.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make fuzz"

need_cargo
seconds="${1:-60}"

step "Building the targets"
cargo test --lib --locked --no-run

targets="$(cargo test --lib --locked --quiet -- --list fuzz_ | grep -c ': test$')"
threads="$(getconf _NPROCESSORS_ONLN)"
[ "$threads" -le "$targets" ] || threads="$targets"

step "Fuzzing $targets targets, $threads at a time, for $seconds s"
FUZZ_MILLISECONDS=$((seconds * 1000 * threads / targets)) \
  cargo test --lib --locked -- --test-threads "$threads" fuzz_
