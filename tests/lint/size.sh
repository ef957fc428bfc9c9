#!/usr/bin/env bash
# Files and functions stay small: no file over 500 lines, no function over 70.
set -euo pipefail
cd "${1:-.}"
failed=0
while read -r lines file; do
  if [ "$file" != total ] && [ "$lines" -gt 500 ]; then
    echo "$file: $lines lines: split it" >&2
    failed=1
  fi
done < <(find proto node client -name '*.[ch]' -print0 | xargs -0 wc -l)
long=$(find proto node client -name '*.c' -print0 | xargs -0 awk '
  FNR == 1 { start = 0 }
  /^\{/ { start = FNR }
  /^\}/ { if (start && FNR - start > 70) print FILENAME ":" start ": a function of " FNR - start " lines: split it"; start = 0 }')
if [ -n "$long" ]; then
  echo "$long" >&2
  failed=1
fi
[ $failed -eq 0 ] && echo "no file over 500 lines, no function over 70"
exit $failed
