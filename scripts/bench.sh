#!/usr/bin/env bash
# Benchmarks. Arguments: parts (start, requests, roles, compare, estate, growth; default: all) and the number of users (default: 1000).
#
#   PEER_MIRROR=<folder>  a filesystem mirror with another provider, to compare with

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make bench"

need_cargo
need terraform "see https://developer.hashicorp.com/terraform/install"

step "Building with optimisation (a few minutes the first time)"
cargo bench --locked --bench provider --no-run

step "Measuring"
cargo bench --locked --quiet --bench provider -- "$@"
