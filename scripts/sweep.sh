#!/usr/bin/env bash
# Shows and then removes what runs of `make live` that were killed have left on the instance: records of the account whose names
# have tfacc_ and the number of a run. The variables are those of scripts/live.sh.
#
#   SHOW=1           only show it
#   LIVE_ALSO=entra  also application registrations in the tenant, of which the application of ARM_CLIENT_ID is an owner

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make sweep"

need_cargo
need python3 "apt-get install python3"
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"
LIVE_SWEEP=remove
[ -z "${SHOW:-}" ] || LIVE_SWEEP=show
export LIVE_SWEEP TF_ACC=1

run_live sweep
