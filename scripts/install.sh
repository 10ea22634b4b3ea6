#!/usr/bin/env bash
# Puts the provider where Terraform and OpenTofu find it without any CLI configuration: the implied local mirror,
# ~/.terraform.d/plugins. Builds it, or takes the archives in a folder that `make package` wrote: scripts/install.sh target/package
#
#   --program FILE  installs this build of the provider and builds nothing

# lib.sh changes into the project's folder.
readonly called_from="$PWD"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make install"

readonly name=terraform-provider-servicenow source=servicenow-m365/servicenow
readonly plugins="$HOME/.terraform.d/plugins"

program=target/release/$name
if [ "${1:-}" = --program ]; then
  program="${2:?--program needs a file}"
  shift 2
elif [ $# -eq 0 ]; then
  scripts/build.sh
fi

if [ $# -gt 0 ]; then
  # As the caller sees it, or else as the project does.
  [ -d "$called_from/$1" ] && set -- "$called_from/$1"
  compgen -G "$1/${name}_*.zip" >/dev/null || fail "$1 has no archive." "Make one with: make package"
else
  version="$("$program" --version | sed 's/.* //')"
  platform="$(platform "$(rustc -vV | sed -n 's/^host: //p')")"
fi

for host in registry.terraform.io registry.opentofu.org; do
  folder="$plugins/$host/$source"
  if [ $# -gt 0 ]; then
    mkdir -p "$folder"
    cp "$1/${name}"_*.zip "$folder/"
  else
    binary="$folder/$version/$platform/${name}_v$version"
    mkdir -p "$(dirname "$binary")"
    # A new file, since a running provider keeps the old one.
    rm -f "$binary"
    cp "$program" "$binary"
  fi
  note "$folder"
done
note "Use it with: source = \"$source\" in required_providers, then terraform init. Remove it by deleting these folders."
note "After another install of the same version, delete .terraform.lock.hcl before terraform init: the hash is another one."
