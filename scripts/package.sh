#!/usr/bin/env bash
# Builds the files of a release in target/package/, named as Terraform's registry expects them.
#
#   scripts/package.sh          everything, for this machine's platform
#   scripts/package.sh archive  one platform's archive and bill of materials; a release has several
#   scripts/package.sh seal     manifest, sums and signature over the archives that are in target/package/
#
#   TARGET=triple    a platform other than this machine's
#   GPG_KEY=id       signs the sums with this key of the keyring; RSA or DSA, the registry refuses others. Its passphrase, if
#                    nobody can be asked, in GPG_PASSPHRASE
#   PLATFORMS=list   what `seal` must find, such as linux_amd64,linux_arm64: no more and no less
#   TWICE=1          builds again, from another folder and with another cargo home, and compares every byte

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
verdict "make package"

readonly auditable=0.7.7 cyclonedx=0.5.9
readonly name=terraform-provider-servicenow
readonly package="$project/target/package"
readonly part="${1:-all}"

python="$(command -v python3 || command -v python || true)" # Windows knows it by the shorter name only
[ -n "$python" ] || need python3 "apt-get install python3"
need_cargo

version="$(cargo metadata --no-deps --locked --format-version=1 |
  "$python" -c 'import json, sys; print(next(p["version"] for p in json.load(sys.stdin)["packages"] if p["name"] == sys.argv[1]))' "$name")"
host="$(rustc -vV | sed -n 's/^host: //p')"
readonly version host

# The date in archives and bills of materials is the commit's. Zip knows no time before 1980.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH="$(git log -1 --format=%ct 2>/dev/null || echo 315532800)"
fi
export SOURCE_DATE_EPOCH

# The target without a C library of the system where rustc has it, else the same machine's with glibc linked in.
default_target() {
  local musl="${host%-gnu}-musl"
  case "$host" in
    *-linux-gnu) [ -d "$(rustc --print sysroot)/lib/rustlib/$musl" ] && printf '%s\n' "$musl" && return ;;
  esac
  printf '%s\n' "$host"
}

# tool NAME VERSION: installs a cargo subcommand into target/tools. Unoptimised: it compiles in half the time.
tool() {
  [ -x "target/tools/$1-$2/bin/$1" ] || [ -x "target/tools/$1-$2/bin/$1.exe" ] || {
    step "Installing $1 $2 from crates.io (once)"
    cargo install --quiet --locked --debug --version "$2" --root "target/tools/$1-$2" "$1" >&2
  }
  PATH="$project/target/tools/$1-$2/bin:$PATH"
}

# A folder as programs of this system write it; on Windows bash has its own way.
native() {
  if command -v cygpath >/dev/null; then cygpath --windows "$1"; else printf '%s\n' "$1"; fi
}

# compile TARGET: the binary, whose bytes depend on the sources and the toolchain and on nothing else.
compile() {
  local target="$1" flags=() hash
  hash="$(rustc -vV | sed -n 's/^commit-hash: //p')"
  # Static for glibc and Windows; musl is by itself, and macOS has no such thing.
  flags+=("-Ctarget-feature=+crt-static")
  # Panics name their source file. The last match wins, so the folder of the cargo home may lie in the project's.
  flags+=(
    "--remap-path-prefix=$(native "$project")=/src"
    "--remap-path-prefix=$(native "${CARGO_TARGET_DIR:-$project/target}")=/src/target"
    "--remap-path-prefix=$(native "${CARGO_HOME:-$HOME/.cargo}")=/cargo"
    "--remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$hash"
  )
  case "$target" in
    # The crate getrandom looks the system call up as dynamic programs do, finds none in a static one, and then needs
    # /dev/urandom, which an empty root directory has not.
    *-linux-*) flags+=('--cfg=getrandom_backend="linux_getrandom"') ;;
  esac
  case "$target" in
    # The crate `cc` looks for a cross compiler's name, which musl-tools has not on every machine.
    *-linux-musl) export "CC_${target//-/_}=${MUSL_CC:-musl-gcc}" ;;
  esac
  # With an explicit target, also when it is this machine's: the flags are for the provider, and macros that the compiler
  # loads cannot be static.
  # The C compiler's date is no commit's: then each commit would compile the TLS library again.
  CARGO_ENCODED_RUSTFLAGS="$(IFS=$'\x1f'; printf '%s' "${flags[*]}")" CARGO_INCREMENTAL=0 SOURCE_DATE_EPOCH=315532800 \
    cargo auditable build --release --locked --package "$name" --bin "$name" --target "$target"
}

# check BINARY TARGET LIST: what a user would notice too late. Where it is easily had, LIST is then the binary's own list of
# its crates.
check() {
  local binary="$1" target="$2" listed="$3" folder
  for folder in "$project" "${CARGO_HOME:-$HOME/.cargo}" "$HOME"; do
    folder="$(native "$folder")"
    [ "${#folder}" -gt 3 ] || continue # "/" is in every binary
    grep -qaF -- "$folder" "$binary" || continue
    fail "The binary names a folder of this machine: $folder" "Look for it with: strings $binary | grep -F '$folder'"
  done
  case "$target" in
    *-linux-*)
      need readelf "apt-get install binutils"
      if readelf --program-headers --dynamic --wide "$binary" | grep -E 'INTERP|\(NEEDED\)' >&2; then
        fail "The binary needs libraries of the system (see above)." "HCP Terraform's machines need not have them."
      fi
      need objcopy "apt-get install binutils"
      objcopy --dump-section ".dep-v0=$listed" "$binary" "$listed.copy" || fail "The binary has no list of its crates."
      ;;
  esac
}

archive() {
  local target platform suffix="" binary listed sbom built_in=()
  target="${TARGET:-$(default_target)}"
  platform="$(platform "$target")"
  case "$target" in *-windows-*) suffix=.exe ;; esac
  tool cargo-auditable "$auditable"
  tool cargo-cyclonedx "$cyclonedx"

  step "Building $name $version for $platform ($target; some minutes the first time)"
  compile "$target"
  binary="${CARGO_TARGET_DIR:-target}/$target/release/$name$suffix"
  listed="$project/target/package-crates"
  rm -f "$listed"
  check "$binary" "$target" "$listed"

  step "Packing"
  mkdir -p "$package"
  "$python" scripts/package/files.py archive \
    --output "$package/${name}_${version}_${platform}.zip" \
    "$binary=${name}_v$version$suffix" LICENSE=LICENSE
  # It writes beside the manifest, and names folders of this machine.
  cargo cyclonedx --quiet --manifest-path Cargo.toml --format json --spec-version 1.5 --target "$target" \
    --override-filename "target-package-sbom"
  sbom="$package/${name}_${version}_${platform}.cdx.json"
  [ ! -e "$listed" ] || built_in=(--built-in "$listed")
  "$python" scripts/package/files.py bill --output "$sbom" ${built_in[@]+"${built_in[@]}"} target-package-sbom.json
  rm -f "$listed" "$listed.copy" target-package-sbom.json simulator/target-package-sbom.json tools/{docs,facts}/target-package-sbom.json
}

seal() {
  local sums="$package/${name}_${version}_SHA256SUMS" rules=(--unsigned) key
  rm -f "$sums" "$sums.sig"
  "$python" scripts/package/files.py sums --folder "$package" --name "$name" --version "$version"
  if [ -n "${GPG_KEY:-}" ]; then
    need gpg "apt-get install gnupg"
    local unattended=()
    [ -z "${GPG_PASSPHRASE:-}" ] || unattended=(--pinentry-mode loopback --passphrase-fd 3)
    gpg --batch --yes --local-user "$GPG_KEY" ${unattended[@]+"${unattended[@]}"} --output "$sums.sig" --detach-sign "$sums" \
      3<<<"${GPG_PASSPHRASE:-}"
    key="$(mktemp)"
    gpg --batch --armor --export "$GPG_KEY" >"$key"
    rules=(--public-key "$key")
  else
    note "No signature: GPG_KEY is not set. The public registry wants one, a filesystem mirror does not."
  fi
  [ -z "${PLATFORMS:-}" ] || rules+=(--platforms "$PLATFORMS")
  step "Checking against the rules of both registries"
  "$python" scripts/check-registry-archives.py "$package" "${rules[@]}"
  [ -z "${key:-}" ] || rm -f "$key"
}

ended() {
  rm -rf "$elsewhere"
  verdict_at_exit "$1"
}

# The proof: another folder, another cargo home, other habits of the machine, the same bytes.
again() {
  local copy file
  elsewhere="$(mktemp -d)"
  trap 'ended $?' EXIT
  copy="$elsewhere/a folder/of another name"
  step "Building again, in $copy"
  mkdir -p "$copy/target" "$elsewhere/home/registry"
  tar -cf - --exclude=./target --exclude=./.git . | tar -xf - -C "$copy"
  ln -s "$project/target/tools" "$copy/target/tools"
  # What was downloaded need not be downloaded again; it is unpacked anew.
  for file in config.toml registry/index registry/cache; do
    [ ! -e "${CARGO_HOME:-$HOME/.cargo}/$file" ] || cp -R "${CARGO_HOME:-$HOME/.cargo}/$file" "$elsewhere/home/$file"
  done
  (
    umask 077
    unset CARGO_TARGET_DIR
    CARGO_HOME="$elsewhere/home" TZ=Asia/Tokyo LC_ALL=C TWICE="" GPG_KEY="" "$copy/scripts/package.sh"
  )
  step "Comparing"
  for file in "$package"/*; do
    case "$file" in *.sig) continue ;; esac # it holds its time
    cmp "$file" "$copy/target/package/${file##*/}" || fail "Two builds gave two different files ${file##*/}."
    note "the same twice: ${file##*/}"
  done
  verdict_detail="two builds gave the same bytes"
}

case "$part" in
  all)
    rm -rf "$package"
    archive
    seal
    [ -z "${TWICE:-}" ] || again
    ;;
  archive) archive ;;
  seal) seal ;;
  *) fail "Unknown part: $part" "Say: scripts/package.sh [archive | seal]" ;;
esac
