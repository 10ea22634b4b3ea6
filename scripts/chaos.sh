#!/usr/bin/env bash
# Runs more random seeds of the fault-injection suite (tests/chaos) than `make test`: CHAOS_SEEDS=<seed> or <first>..<end>.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make chaos"

need_cargo
export CHAOS_SEEDS="${CHAOS_SEEDS:-0..2000}"
step "Random faults over random configurations, seeds $CHAOS_SEEDS"
cargo test --locked --test chaos -- --nocapture
