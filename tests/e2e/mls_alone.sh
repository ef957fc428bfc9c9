#!/usr/bin/env bash
# libhanse-mls by itself: built, installed and used where pkg-config knows libsodium and nothing else.
# mls_alone.sh SOURCE COMPILER
set -euo pipefail
source=$1 compiler=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/pc"
cp "$(pkg-config --variable=pcfiledir libsodium)/libsodium.pc" "$work/pc"
export PKG_CONFIG_LIBDIR=$work/pc
# As the page says it, in parallel, where there is a make; Makefiles need every dependency told.
generator=Ninja
if command -v make >/dev/null; then generator='Unix Makefiles'; fi
CFLAGS=-O0 cmake -S "$source" -B "$work/build" -G "$generator" -DHANSE_MLS_ONLY=ON -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_BUILD_TYPE=Debug >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
grep -q 'suite 1 is left out' "$work/log"
cmake --build "$work/build" --parallel 2 >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
cmake --install "$work/build" --prefix "$work/prefix" >/dev/null

export PKG_CONFIG_LIBDIR=$work/pc:$(dirname "$(find "$work/prefix" -name hanse-mls.pc)")
config() { pkg-config --define-variable=prefix="$work/prefix" "$@"; }
libdir=$(config --variable=libdir hanse-mls)
needed=$(readelf -d "$libdir/libhanse-mls.so" | sed -n 's/.*NEEDED.*\[\(.*\)\.so.*/\1/p' | sort | tr '\n' ' ')
[ "$needed" = "libc libsodium " ] || { echo "it needs $needed"; exit 1; }
"$compiler" "$source/proto/mls_api/sample/club.c" $(config --cflags --libs hanse-mls) -o "$work/club"
LD_LIBRARY_PATH=$libdir "$work/club"
