#!/usr/bin/env bash
# Removes a data folder, and its database cluster where that lies outside: clean-data.sh FOLDER
set -euo pipefail
folder=$1
[ -d "$folder" ] || exit 0

if [ -e "$folder/lock" ] && ! flock --nonblock "$folder/lock" true; then
  echo "clean-data: $folder is in use by process $(cat "$folder/lock"), stop that one first" >&2
  exit 1
fi

# See services/servers/src/cluster.rs.
cluster=$(readlink "$folder/postgres" || true)
case $cluster in
  /var/lib/tongxin/cluster-*/postgres) rm -rf "$(dirname "$cluster")" ;;
esac
rm -rf "$folder"
