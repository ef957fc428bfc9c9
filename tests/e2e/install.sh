#!/usr/bin/env bash
# What is installed can be built against and used: the headers alone in C99 and C++, the samples with pkg-config, shared
# and static, and the client's sample in a room of a real node with the installed command line.
# install.sh BUILD SOURCE COMPILER SANITIZERS
set -euo pipefail
build=$1 source=$2 compiler=$3 sanitize=${4:+-fsanitize=$4}
work=$(mktemp -d)
node=
trap '[ -z "$node" ] || kill "$node" 2>/dev/null || true; [ -z "$node" ] || wait "$node" 2>/dev/null || true; rm -rf "$work"' EXIT
prefix=$work/prefix

cmake --install "$build" --prefix "$prefix" >"$work/install.log"
headers=$(cd "$prefix/include" && find . -type f -not -path './hanse/mls/*' | sort | tr '\n' ' ')
[ "$headers" = "./hanse/deal.h ./hanse/err.h ./hanse/hanse.h ./hanse/mls.h " ] || { echo "installed headers: $headers"; exit 1; }
pc=$(dirname "$(find "$prefix" -name hanse.pc)")
# The file names the prefix of the configuration; this test has its own.
config() { PKG_CONFIG_PATH=$pc pkg-config --define-variable=prefix="$prefix" "$@"; }
libdir=$(config --variable=libdir hanse)

strict="-Wall -Wextra -Wpedantic -Werror"
printf '#include <hanse/hanse.h>\nint main(void) { return hanse_version() == 0; }\n' >"$work/only.c"
"$compiler" -std=c99 $strict $(config --cflags hanse) -fsyntax-only "$work/only.c"
if command -v c++ >/dev/null; then
    c++ $strict $(config --cflags hanse) -fsyntax-only -x c++ "$work/only.c"
fi
"$compiler" -std=c99 -D_POSIX_C_SOURCE=200809L $strict $sanitize "$source/client/sample/echo.c" \
    $(config --cflags --libs hanse) -o "$work/echo"
"$compiler" -std=c99 -D_POSIX_C_SOURCE=200809L $strict $sanitize "$source/client/sample/echo.c" \
    $(config --cflags hanse) "$libdir/libhanse.a" $(config --static --libs-only-l hanse | sed 's/-lhanse//') \
    -o "$work/echo-static"

# Only what hanse.h declares leaves the shared library.
nm -D --defined-only "$libdir/libhanse.so" | awk '$2 == "T" { print $3 }' | grep -v '^hanse_' && {
    echo "libhanse.so exports more than hanse.h"
    exit 1
}

export LD_LIBRARY_PATH=$libdir
source "$source/tests/e2e/install_mls.sh"

hanse=$prefix/bin/hanse
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$build/node/hansed" init --domain rosa.example --dir "$work/rosa" --listen "127.0.0.1:$port" \
    --advertise "127.0.0.1:$port" --owner rosa >/dev/null
touch "$work/node.log"
"$build/node/hansed" --config "$work/rosa/hansed.conf" >"$work/node.log" 2>&1 &
node=$!
for _ in $(seq 100); do grep -q '^ready ' "$work/node.log" && break; sleep 0.05; done
"$hanse" --dir "$work/a" init --name Rosa --ticket "$work/rosa/owner.ticket" >/dev/null
"$hanse" --dir "$work/a" room create Echoes >/dev/null
link=$("$hanse" --dir "$work/a" --json invite Echoes | python3 -c 'import json, sys; print(json.load(sys.stdin)["link"])')
for program in echo echo-static; do
    head -c 32 /dev/urandom >"$work/$program.key"
    "$work/$program" "$work/$program.d" "$work/$program.key" "$link" 1 &
    echo=$!
    for _ in $(seq 50); do
        "$hanse" --dir "$work/a" sync >/dev/null
        "$hanse" --dir "$work/a" members Echoes | grep -q Echo && break
    done
    "$hanse" --dir "$work/a" send Echoes "hello $program" >/dev/null
    wait "$echo"
    heard=$("$hanse" --dir "$work/a" --json log Echoes | grep -o "hello $program" | wc -l)
    [ "$heard" = 2 ] || { echo "$program said it $((heard - 1)) times"; exit 1; }
    "$hanse" --dir "$work/a" remove Echoes Echo >/dev/null
done
echo "installed, built against and used"
