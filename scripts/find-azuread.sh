#!/usr/bin/env bash
# Prints a filesystem mirror with the azuread provider, for the tests of both providers together: AZUREAD_MIRROR, or what
# terraform installs from the registry into target/azuread. Prints nothing if neither is available: those tests then
# report that they were skipped.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ -n "${AZUREAD_MIRROR:-}" ]; then
  printf '%s\n' "$AZUREAD_MIRROR"
  exit 0
fi

readonly folder="$project/target/azuread"
readonly mirror="$folder/.terraform/providers"
if [ ! -d "$mirror/registry.terraform.io/hashicorp/azuread" ]; then
  mkdir -p "$folder"
  cat >"$folder/main.tf" <<'HCL'
terraform {
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.0"
    }
  }
}
HCL
  terraform="$(scripts/find-terraform.sh one)"
  limit=()
  # Not on macOS.
  ! command -v timeout >/dev/null 2>&1 || limit=(timeout 120)
  TF_CLI_CONFIG_FILE=/dev/null ${limit[@]+"${limit[@]}"} "$terraform" -chdir="$folder" init -input=false >"$folder/init.log" 2>&1 || true
fi
# OpenTofu puts it under its own registry.
[ -d "$mirror/registry.terraform.io/hashicorp/azuread" ] || {
  note "the azuread provider cannot be installed from the registry here; name a mirror in AZUREAD_MIRROR to test with it"
  exit 0
}
printf '%s\n' "$mirror"
