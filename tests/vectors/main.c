/* mls_vectors FAMILY FILE: exits with 0 where something passed and nothing failed, 77 where the family's own
 * file is missing or a file has only suites that this build lacks, 2 for an unknown family or a FILE that
 * isn't there. Without FILE: FAMILY.json in $HANSE_VECTORS/mls, or in the folder compiled in. */
#include "vector.h"

#include "crypto/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_UNKNOWN = 2, EXIT_SKIPPED = 77 };

static struct hs_arena arena;

_Noreturn static void bad_file(const char *what)
{
    fprintf(stderr, "the vector file lacks or has badly: %s\n", what);
    exit(EXIT_FAILURE);
}

void vector_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, cond);
}

static unsigned nibble(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    bad_file("a hex digit");
}

struct hs_bytes vector_hex_of(const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) % 2 != 0)
        bad_file("hex text");
    size_t len = strlen(text) / 2;
    uint8_t *out = hs_arena_alloc(&arena, len + 1);
    if (out == NULL)
        bad_file("a size that fits into memory");
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
    return hs_bytes(out, len);
}

static const json_t *member(const json_t *entry, const char *key)
{
    const json_t *value = json_object_get(entry, key);
    if (value == NULL)
        bad_file(key);
    return value;
}

struct hs_bytes vector_hex(const json_t *entry, const char *key)
{
    return vector_hex_of(member(entry, key));
}

const char *vector_text(const json_t *entry, const char *key)
{
    const char *text = json_string_value(member(entry, key));
    if (text == NULL)
        bad_file(key);
    return text;
}

uint64_t vector_number(const json_t *entry, const char *key)
{
    const json_t *value = member(entry, key);
    if (!json_is_integer(value))
        bad_file(key);
    return (uint64_t)json_integer_value(value);
}

const json_t *vector_list(const json_t *entry, const char *key)
{
    const json_t *value = member(entry, key);
    if (!json_is_array(value))
        bad_file(key);
    return value;
}

bool vector_has(const json_t *entry, const char *key)
{
    const json_t *value = json_object_get(entry, key);
    return value != NULL && !json_is_null(value);
}

static const struct hs_mls_suite *find_suite(json_int_t number)
{
    return number >= 0 && number <= UINT16_MAX ? hs_mls_suite_find((uint16_t)number) : NULL;
}

const struct hs_mls_suite *vector_suite(const json_t *entry)
{
    const struct hs_mls_suite *suite = find_suite((json_int_t)vector_number(entry, "cipher_suite"));
    return suite != NULL ? suite : &hs_mls_suite_3;
}

struct hs_mls_secret vector_secret(const json_t *entry, const char *key)
{
    struct hs_mls_secret secret;
    if (!HS_MLS_SET(vector_hex(entry, key), &secret))
        bad_file(key);
    return secret;
}

static const struct family *find_family(const char *name)
{
    const struct family *const lists[] = {families_codec, families_crypto, families_tree, families_group};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct family *f = lists[i]; f->name != NULL; f++)
            if (strcmp(f->name, name) == 0)
                return f;
    return NULL;
}

static bool has_suite(const json_t *entry)
{
    const json_t *suite = json_object_get(entry, "cipher_suite");
    return suite == NULL || find_suite(json_integer_value(suite)) != NULL;
}

static enum outcome run_entry(const struct family *family, size_t index, const json_t *entry)
{
    if (!family->any_suite && !has_suite(entry))
        return SKIPPED;
    arena = hs_arena((size_t)1 << 30);
    enum outcome outcome = family->run(entry);
    hs_arena_free(&arena);
    if (outcome == FAILED)
        fprintf(stderr, "%s: entry %zu failed\n", family->name, index);
    return outcome;
}

/* What became of the entries; by_suite: how many of each suite passed, and how many there were. */
struct tally {
    size_t counts[3], by_suite[8][2];
};

static void tally_add(struct tally *tally, const json_t *entry, enum outcome outcome)
{
    const json_t *suite = json_object_get(entry, "cipher_suite");
    size_t number = suite != NULL ? (size_t)json_integer_value(suite) : 0;
    tally->counts[outcome]++;
    if (number >= sizeof tally->by_suite / sizeof tally->by_suite[0])
        return;
    tally->by_suite[number][0] += outcome == PASSED;
    tally->by_suite[number][1]++;
}

static void tally_print(const struct tally *tally)
{
    printf("%zu passed, %zu failed, %zu skipped", tally->counts[PASSED], tally->counts[FAILED],
           tally->counts[SKIPPED]);
    for (size_t i = 1; i < sizeof tally->by_suite / sizeof tally->by_suite[0]; i++)
        if (tally->by_suite[i][1] > 0)
            printf("; suite %zu: %zu of %zu", i, tally->by_suite[i][0], tally->by_suite[i][1]);
    printf("\n");
}

static int run_file(const struct family *family, const char *path)
{
    json_error_t error;
    if (access(path, R_OK) != 0) {
        printf("missing: %s\n", path);
        return EXIT_SKIPPED;
    }
    json_t *entries = json_load_file(path, 0, &error), *entry;
    if (!json_is_array(entries))
        bad_file(error.text);
    struct tally tally = {0};
    size_t index;
    json_array_foreach(entries, index, entry) tally_add(&tally, entry, run_entry(family, index, entry));
    json_decref(entries);
    tally_print(&tally);
    if (tally.counts[PASSED] + tally.counts[FAILED] == 0 && tally.counts[SKIPPED] > 0)
        return EXIT_SKIPPED;
    return tally.counts[PASSED] > 0 && tally.counts[FAILED] == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    char path[4096];
    const struct family *family = argc > 1 ? find_family(argv[1]) : NULL;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: mls_vectors FAMILY [FILE]\n");
        return EXIT_UNKNOWN;
    }
    if (family == NULL) {
        fprintf(stderr, "unknown family: %s\n", argv[1]);
        return EXIT_UNKNOWN;
    }
    if (hs_crypto_init() != HS_OK)
        return EXIT_FAILURE;
    if (argc == 3 && access(argv[2], R_OK) != 0) {
        fprintf(stderr, "can't read %s\n", argv[2]);
        return EXIT_UNKNOWN;
    }
    if (argc == 3)
        return run_file(family, argv[2]);
    const char *folder = getenv("HANSE_VECTORS");
    snprintf(path, sizeof path, "%s/mls/%s.json", folder != NULL ? folder : HANSE_VECTORS_FOLDER, argv[1]);
    return run_file(family, path);
}
