#!/usr/bin/env bash
# Checks the facts and the resources against an instance of yours (docs/guides/first-contact.md). Removes what it made, also
# after Ctrl-C.
#
#   SERVICENOW_*     the instance and the sign-in, as for the provider; ARM_* and M365_* for the Microsoft half
#   LIVE_INSTANCE    the host of the instance once more: without it nothing is touched
#   LIVE_ALSO        stories that run only by name: table_access, ip_access_rule, cross_scope_privilege,
#                    connection (an alias with its connection and credential), custom_table,
#                    entra (two application registrations in the tenant, with the azuread provider of AZUREAD_MIRROR, or of
#                    the registry)
#   LIVE_ONLY        only these stories; none: the facts alone
#   LIVE_PRODUCTION  yes: also an instance that looks like one in production
#   RECORD           1: keep the exchanges with the Table API in target/live/recordings, without anything private
#   LIVE_TERRAFORM   the path of the Terraform or OpenTofu to use

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make live"

need_cargo
need python3 "apt-get install python3"
need cc "apt-get install gcc libc6-dev (aws-lc, the TLS library, is C)"
LIVE_TERRAFORM="${LIVE_TERRAFORM:-$(scripts/find-terraform.sh one)}"
export LIVE_TERRAFORM TF_ACC=1
unset LIVE_SWEEP
case "${LIVE_ALSO:-}" in
  *entra*)
    AZUREAD_MIRROR="$(scripts/find-azuread.sh)"
    export AZUREAD_MIRROR
    ;;
esac

run_live live
