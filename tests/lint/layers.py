#!/usr/bin/env bash
# The direction of includes: a file includes only its own stage or an earlier storey, proto/ knows no system header
# that does I/O, one file a side speaks LMDB, and the command line knows nothing but the public header.
set -euo pipefail
cd "${1:-.}"
failed=0
complain() {
  printf '%s\n' "$*" >&2
  failed=1
}

# Stage -> storey. Two stages of one storey don't know each other.
storey_of() {
  case "$1" in
    proto/base) echo 10 ;;
    proto/schema) echo 20 ;;
    proto/crypto | proto/wire) echo 30 ;;
    proto/noise | proto/mls | proto/object) echo 40 ;;
    proto/identity | proto/link) echo 50 ;;
    proto/room | proto/deal) echo 60 ;;
    node/core) echo 70 ;;
    node/store) echo 71 ;;
    node/net) echo 72 ;;
    node/admin) echo 73 ;;
    node/.) echo 74 ;;
    client/store) echo 80 ;;
    client/sync) echo 81 ;;
    client/net) echo 82 ;;
    client/api) echo 83 ;;
    *) echo 0 ;;
  esac
}

# The stage that an include in a file of side $1 (proto, node, client) names; empty for a system header.
stage_of() {
  local folder=${2%%/*}
  for side in "$1" proto; do
    [ -d "$side/$folder" ] && { echo "$side/$folder"; return; }
  done
  case "$2" in store/lmdb_kv.h) echo node/store ;; esac
}

while IFS=: read -r file line; do
  included=${line#*\"}
  included=${included%\"*}
  side=${file%%/*}
  own=$(dirname "$file")
  [ "$(echo "$own" | tr -cd / | wc -c)" -ge 1 ] && own=$(echo "$own" | cut -d/ -f1-2) || own="$own/."
  case "$included" in
    hanse/*) continue ;;
    *.pb-c.h)
      [ "${included%%/*}" = schema ] && target=proto/schema || target=node/core ;;
    errors.def | *.def) continue ;;
    *) target=$(stage_of "$side" "$included") ;;
  esac
  if [ "$own" = client/cli ] || [ "$own" = client/sample ]; then
    case "$included" in
      */*) complain "$file: includes \"$included\": the command line uses hanse/hanse.h and its own files only" ;;
    esac
    continue
  fi
  # The LMDB store is shared: libhanse stands on it too.
  [ "$own" = client/store ] && [ "$included" = store/lmdb_kv.h ] && continue
  [ -n "$target" ] && [ "$target" != "$own" ] || continue
  from=$(storey_of "$own") to=$(storey_of "$target")
  [ "$from" -ne 0 ] || { complain "$file: its folder is in no storey: add it to $0"; continue; }
  [ "$to" -ne 0 ] && [ "$to" -lt "$from" ] ||
    complain "$file: includes \"$included\" ($target), which is not below $own: move what both need further down"
done < <(grep -n -H '^#include "' $(find proto node client -name '*.[ch]') | sed 's/:[0-9]*:/:/')

io='uv\.h|lmdb\.h|unistd\.h|sys/(socket|stat|types|mman)\.h|fcntl\.h|netdb\.h|time\.h|pthread\.h'
while read -r hit; do
  complain "$hit: proto/ and node/core do no I/O and know no clock"
done < <(grep -nE "^#include <($io)>" -r proto node/core --include='*.[ch]' || true)

while read -r file; do
  [ "$file" = node/store/lmdb_kv.c ] || complain "$file: only node/store/lmdb_kv.c speaks LMDB"
done < <(grep -lE '^#include <lmdb\.h>' -r proto node client --include='*.[ch]' || true)

[ $failed -eq 0 ] && echo "includes point down: $(find proto node client -name '*.[ch]' | wc -l) files"
exit $failed
