#!/usr/bin/env bash
# The runs of one test: run.sh ts-mls|core-crypto|mixed MLS_PEER [options of run.mjs]. Ends with 77, skipped, where node
# or its packages are missing, or this build has no suite that a run needs.
set -uo pipefail
test=$1
export MLS_PEER=$2
shift 2
cd "$(dirname "$0")" || exit 1

skip() {
  echo "skipped: $*"
  exit 77
}

major=$(node --version 2>/dev/null) || skip "node isn't there"
major=${major#v}
[ "${major%%.*}" -ge 20 ] || skip "node $major is older than 20"
[ -d node_modules/ts-mls ] && [ -d node_modules/@wireapp/core-crypto ] || skip "run npm ci in tests/interop first"

passed=
run() {
  attempt run.mjs "$@"
}

attempt() {
  node "$@"
  case $? in
    0) passed=1 ;;
    77) ;;
    *) exit 1 ;;
  esac
}

case $test in
  ts-mls)
    attempt refusals.mjs ts-mls
    run --peers hanse,ts-mls --suite 3 --next 1 "$@"
    run --peers hanse,ts-mls --suite 3 --private "$@"
    run --peers hanse,ts-mls --suite 1 --next 3 "$@"
    ;;
  core-crypto)
    attempt refusals.mjs core-crypto
    run --peers hanse,core-crypto --suite 3 "$@"
    run --peers hanse,core-crypto --suite 1 "$@"
    ;;
  mixed)
    run --peers hanse,ts-mls,core-crypto --suite 3 "$@"
    run --peers hanse,ts-mls,core-crypto --suite 1 "$@"
    ;;
  *)
    echo "no such test: $test" >&2
    exit 1
    ;;
esac
[ -n "$passed" ] || skip "this build has none of the suites"
