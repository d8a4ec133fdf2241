#!/usr/bin/env bash
# Writes what sqlx's query macros know about each query into the .sqlx folder of each crate, by asking a
# throw-away Postgres. With --check it changes nothing and fails when that would.
#
# sqlx-cli is not needed: an online build with SQLX_OFFLINE_DIR set writes the same files.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=deploy/setup
check=${1:-}

bin=$("$here/postgres-bin.sh" 15) || { echo "no Postgres found, run: make setup" >&2; exit 1; }

# Postgres refuses to run as root.
run=()
user=$(id -un)
if [ "$(id -u)" = 0 ]; then
  user=$(id -un postgres 2>/dev/null || echo nobody)
  run=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
fi

scratch=$(mktemp -d)
chmod 711 "$scratch"
stop() {
  (cd / && "${run[@]}" "$bin/pg_ctl" -D "$scratch/data" -m immediate stop) >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap stop EXIT

install -d -m 700 -o "$user" "$scratch/data" "$scratch/socket"
start() {
  cd /
  "${run[@]}" "$bin/initdb" -D "$scratch/data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync
  "${run[@]}" "$bin/pg_ctl" -D "$scratch/data" -l "$scratch/data/log" -w start \
    -o "-k $scratch/socket -c listen_addresses= -c fsync=off"
}
(start) >"$scratch/start.log" 2>&1 || { cat "$scratch/start.log" >&2; exit 1; }

sql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$scratch/socket" -U postgres "$@"; }

# Runs the migrations of a folder in the order of their names: migrate DATABASE FOLDER
migrate() {
  local file single
  for file in "$2"/*.sql; do
    [ -e "$file" ] || continue
    single=--single-transaction
    [ "$(head -n 1 "$file")" = "-- no-transaction" ] && single=
    sql -d "$1" $single -f "$file" >/dev/null
  done
}

outdated=
# Platform first: the others build on it.
for crate in services/platform $(ls -d services/*/ | sed 's,/$,,' | grep -v '^services/platform$'); do
  [ -e "$crate/sqlx.toml" ] && [ -e "$crate/Cargo.toml" ] || continue
  package=$(sed -n 's/^name = "\(.*\)"/\1/p' "$crate/Cargo.toml" | head -n 1)
  variable=$(sed -n 's/^database-url-var = "\(.*\)"/\1/p' "$crate/sqlx.toml")
  database=$(basename "$crate")

  echo "sqlx: asking about the queries of $package" >&2
  sql -d postgres -c "CREATE DATABASE $database"
  migrate "$database" services/platform/migrations
  [ "$crate" = services/platform ] || migrate "$database" "$crate/migrations"

  # The macros write only when they run.
  find "$crate" -name '*.rs' -exec touch {} +
  mkdir "$scratch/$database"
  env SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$scratch/$database" \
    "$variable=postgres:///$database?host=$scratch/socket&user=postgres" \
    cargo check --quiet --package "$package" --all-targets

  # A crate without queries has no folder.
  if [ ! -e "$crate/.sqlx" ] && rmdir "$scratch/$database" 2>/dev/null; then
    continue
  elif diff -rq "$scratch/$database" "$crate/.sqlx" >/dev/null 2>&1; then
    continue
  elif [ "$check" = --check ]; then
    outdated="$outdated $crate"
  else
    rm -rf "$crate/.sqlx"
    cp -r "$scratch/$database" "$crate/.sqlx"
  fi
done

if [ -n "$outdated" ]; then
  echo "sqlx: what is committed about the queries is out of date, run \`make sqlx\`:$outdated" >&2
  exit 1
fi
