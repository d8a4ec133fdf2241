#!/usr/bin/env bash
# Prints the folder of a Postgres that is new enough: postgres-bin.sh OLDEST [MAJOR]; with MAJOR, of that version only.
# Looks where services/servers/src/binaries.rs looks.
set -euo pipefail
oldest=$1 wanted=${2:-}

IFS=: read -ra folders <<<"$PATH"
[ -z "$wanted" ] || folders=("$(dirname "$0")/../../.tools/postgres-$wanted/bin" "${folders[@]}")
while read -r folder; do folders+=("$folder"); done < <(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV)

for folder in "${folders[@]}"; do
  postgres=$(readlink -f "$folder/postgres") && [ -x "$postgres" ] || continue
  bin=$(dirname "$postgres")
  [ -x "$bin/initdb" ] && [ "$(head -c 2 "$postgres")" != "#!" ] || continue
  major=$("$postgres" --version 2>/dev/null | sed 's/[^0-9]*\([0-9]*\).*/\1/')
  if [ "${major:-0}" -ge "$oldest" ] && [ "${wanted:-$major}" = "$major" ]; then
    echo "$bin"
    exit
  fi
done
exit 1
