#!/usr/bin/env bash
# Secrets are compared in constant time and never printed: no memcmp on what is named a secret, a key's private
# half, a tag or a MAC; no recursion in the schema, which would unbound the unpacker.
set -euo pipefail
cd "${1:-.}"
failed=0
hits=$(grep -nE 'memcmp\([^)]*(secret|priv|seed|tag|mac)' -r proto node client --include='*.c' || true)
if [ -n "$hits" ]; then
  printf '%s\n^ compare secrets with hs_secret_equal()\n' "$hits" >&2
  failed=1
fi
hits=$(grep -nE 'printf\([^;]*(secret|priv|seed)[a-z_]*\.b' -r proto node client --include='*.c' || true)
if [ -n "$hits" ]; then
  printf '%s\n^ secrets are not printed\n' "$hits" >&2
  failed=1
fi
# A message that contains itself, directly: schema files are small enough that longer circles would be seen.
hits=$(awk '/^message/ { name = $2; next } name != "" && ($1 == name || $2 == name && $1 == "repeated") { print FILENAME ":" FNR ": " $0 }' \
  proto/schema/*.proto node/core/*.proto || true)
if [ -n "$hits" ]; then
  printf '%s\n^ recursive message types are not allowed\n' "$hits" >&2
  failed=1
fi
[ $failed -eq 0 ] && echo "no careless handling of secrets found"
exit $failed
