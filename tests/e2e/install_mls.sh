# The part of install.sh that is about libhanse-mls: alone, and beside libhanse in one program.
ls "$source/proto/include/hanse/mls" | diff - <(ls "$prefix/include/hanse/mls") || {
    echo "the parts of hanse/mls.h aren't installed as they are"
    exit 1
}
parts=$(cd "$prefix/include" && echo hanse/mls/*.h)
for part in $parts; do
    grep -q "^#include <$part>" "$prefix/include/hanse/mls.h" || { echo "hanse/mls.h lacks $part"; exit 1; }
    printf '#include <%s>\nint main(void) { return 0; }\n' "$part" >"$work/part.c"
    "$compiler" -std=c99 $strict $(config --cflags hanse-mls) -fsyntax-only "$work/part.c"
done
for standard in c99 c2x; do
    printf '#include <hanse/mls.h>\nint main(void) { return hanse_mls_version() == 0; }\n' >"$work/mls.c"
    "$compiler" -std=$standard $strict $(config --cflags hanse-mls) -fsyntax-only "$work/mls.c"
done
printf '#include <hanse/%s.h>\n#include <hanse/%s.h>\nint main(void) { %s }\n' mls hanse \
    'return hanse_version() == 0 || hanse_mls_version() == 0 || hanse_mls_suites(0, 0) == 0;' >"$work/both.c"
"$compiler" -std=c99 $strict $(config --cflags hanse) -fsyntax-only "$work/both.c"
if command -v c++ >/dev/null; then
    for file in mls both; do
        for standard in c++11 c++20; do
            c++ -std=$standard $strict $(config --cflags hanse-mls) -fsyntax-only -x c++ "$work/$file.c"
        done
    done
fi

# The sample says the same with the shared and with the static library.
sample=$source/proto/mls_api/sample/club.c
"$compiler" -std=c99 $strict $sanitize "$sample" $(config --cflags --libs hanse-mls) -o "$work/club"
"$compiler" -std=c99 $strict $sanitize "$sample" $(config --cflags hanse-mls) "$libdir/libhanse-mls.a" \
    $(config --static --libs-only-l hanse-mls | sed 's/-lhanse-mls//') -o "$work/club-static"
"$work/club" >"$work/club.out"
"$work/club-static" | diff "$work/club.out" -
"$compiler" -std=c99 $strict $sanitize "$work/both.c" $(config --cflags --libs hanse hanse-mls) -o "$work/both"
"$work/both"

# What the headers declare is what leaves the library, name by name; nothing is needed that only Hanse needs.
(cd "$prefix/include" && cat $parts) | grep -v -e '^ \*' -e '^/\*' >"$work/header"
names() { grep -o 'hanse_mls_[a-z0-9_]*(' | tr -d '(' | sort -u; }
grep -A1 '^static inline' "$work/header" | names >"$work/inline"
names <"$work/header" | comm -23 - "$work/inline" >"$work/want"
nm -D --defined-only "$libdir/libhanse-mls.so" | awk '{ print $3 }' | sort -u | diff "$work/want" - || {
    echo "libhanse-mls.so and hanse/mls.h differ"
    exit 1
}
if readelf -d "$libdir/libhanse-mls.so" | grep NEEDED | grep -E 'lmdb|protobuf|libuv'; then
    echo "libhanse-mls.so needs what it mustn't"
    exit 1
fi
if [ -z "$sanitize" ]; then
    nm --defined-only "$libdir/libhanse-mls.a" | awk '$2 ~ /[A-Z]/ { print $3 }' | sort -u | diff "$work/want" - || {
        echo "libhanse-mls.a and hanse/mls.h differ"
        exit 1
    }
    # Both archives in one program: no name of the one meets a name of the other.
    "$compiler" -std=c99 "$work/both.c" $(config --cflags hanse) "$libdir/libhanse.a" "$libdir/libhanse-mls.a" \
        $(config --static --libs-only-l hanse hanse-mls | sed 's/-lhanse-mls//; s/-lhanse //') -o "$work/both-static"
    "$work/both-static"
fi
