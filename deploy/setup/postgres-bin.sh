#!/usr/bin/env bash
# Prints the folder of a Postgres that is new enough: postgres-bin.sh OLDEST
# Looks where services/platform/src/servers/binaries.rs looks.
set -euo pipefail

IFS=: read -ra folders <<<"$PATH"
while read -r folder; do folders+=("$folder"); done < <(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV)

for folder in "${folders[@]}"; do
  postgres=$(readlink -f "$folder/postgres") && [ -x "$postgres" ] || continue
  bin=$(dirname "$postgres")
  [ -x "$bin/initdb" ] && [ "$(head -c 2 "$postgres")" != "#!" ] || continue
  major=$("$postgres" --version 2>/dev/null | sed 's/[^0-9]*\([0-9]*\).*/\1/')
  if [ "${major:-0}" -ge "$1" ]; then
    echo "$bin"
    exit
  fi
done
exit 1
