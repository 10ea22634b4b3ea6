#!/usr/bin/env bash
# Puts the provider where Terraform and OpenTofu find it without any CLI configuration: the implied local mirror,
# ~/.terraform.d/plugins. Builds it, or takes the archive in a folder that `make package` wrote: scripts/install.sh target/package

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make install"

readonly name=terraform-provider-servicenow source=servicenow-m365/servicenow
readonly plugins="$HOME/.terraform.d/plugins"

platform() {
  local system machine
  system="$(uname -s | tr '[:upper:]' '[:lower:]')"
  case "$(uname -m)" in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "There is no build for the machine $(uname -m)." "Builds are made for x86_64 and arm64." ;;
  esac
  printf '%s_%s\n' "$system" "$machine"
}

platform="$(platform)"
if [ $# -gt 0 ]; then
  archive="$(compgen -G "$1/${name}_*_$platform.zip" | tail -n 1)" ||
    fail "$1 has no archive for $platform." "Make one with: make package"
else
  scripts/build.sh
  version="$(target/release/$name --version | sed 's/.* //')"
fi

for host in registry.terraform.io registry.opentofu.org; do
  folder="$plugins/$host/$source"
  if [ $# -gt 0 ]; then
    mkdir -p "$folder"
    cp "$archive" "$folder/"
  else
    mkdir -p "$folder/$version/$platform"
    # A new file, since a running provider keeps the old one.
    rm -f "$folder/$version/$platform/${name}_v$version"
    cp "target/release/$name" "$folder/$version/$platform/${name}_v$version"
  fi
  note "$folder"
done
note "Use it with: source = \"$source\" in required_providers, then terraform init. Remove it by deleting these folders."
note "After another install of the same version, delete .terraform.lock.hcl before terraform init: the hash is another one."
