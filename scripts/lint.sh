#!/usr/bin/env bash
# All static checks.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make lint"

need_cargo
need rustfmt "rustup component add rustfmt"
need cargo-clippy "rustup component add clippy"
need python3 "apt-get install python3"

step "Rust formatting"
cargo fmt --all --check || fail "Some Rust files are not formatted." "Format them with: cargo fmt --all"

step "Clippy, warnings are errors"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "Links in doc comments"
RUSTDOCFLAGS="-D rustdoc::broken_intra_doc_links" \
  cargo doc --workspace --no-deps --document-private-items --locked --quiet

scripts/docs.sh --check

step "Dependency policy: bans, licences, sources (deny.toml)"
if command -v cargo-deny >/dev/null 2>&1; then
  # Advisories need a database from the network; they run on a timer and not with every change.
  cargo deny --all-features check bans licenses sources
else
  scripts/check-dependencies.py
fi

step "Terraform formatting"
terraform="$(scripts/find-terraform.sh one)"
for folder in modules examples; do
  [ -d "$folder" ] || continue
  "$terraform" fmt -check -diff -recursive "$folder" ||
    fail "Some files in $folder/ are not formatted." "Format them with: terraform fmt -recursive $folder"
done

step "Shell scripts"
mapfile -t shell_scripts < <(find scripts .ci -type f \( -name '*.sh' -o -name run \) | sort)
if command -v shellcheck >/dev/null 2>&1; then
  shellcheck "${shell_scripts[@]}"
else
  for script in "${shell_scripts[@]}"; do bash -n "$script"; done
  # shellcheck disable=SC2034 # lib.sh prints it at the end
  verdict_detail="shellcheck is missing, so scripts were parsed only; install it with: apt-get install shellcheck"
fi

step "Workflow files and issue forms: YAML, templates, pins, versions, owners"
if yaml="$(from_pypi PyYAML 6.0.3)"; then
  "$yaml/bin/python" scripts/check-workflows.py .github examples/continuous-integration
else
  note "PyYAML cannot be installed from PyPI"
  # shellcheck disable=SC2034
  verdict_detail="${verdict_detail:+$verdict_detail; }PyYAML is missing, so workflow files and issue forms were not parsed"
fi

step "GitHub workflows: schema, pinned actions, permissions, injection"
if zizmor="$(from_pypi zizmor 1.32.0)"; then
  "$zizmor/bin/zizmor" --quiet --offline --strict-collection --persona=pedantic .github \
    examples/continuous-integration/github-actions.yml
else
  note "it cannot be installed from PyPI"
  # shellcheck disable=SC2034
  verdict_detail="${verdict_detail:+$verdict_detail; }zizmor is missing, so workflows were not checked"
fi
