/* Writes the seeds of all fuzz targets: make_corpus FOLDER. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"
#include "fuzz/random.h"

#include "crypto/selftest.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { ARENA = 64 << 20 };

static const char *folder;

static void folder_make(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        hs_assert_failed("the corpus folder can be made", __FILE__, __LINE__);
}

void corpus_add(const char *target, const char *name, struct hs_bytes choices, struct hs_bytes bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, target);
    folder_make(path);
    (void)snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *out = fopen(path, "wb");
    HS_ASSERT(out != NULL);
    HS_ASSERT(choices.len == 0 || fwrite(choices.data, 1, choices.len, out) == choices.len);
    HS_ASSERT(bytes.len == 0 || fwrite(bytes.data, 1, bytes.len, out) == bytes.len);
    HS_ASSERT(fclose(out) == 0);
}

void corpus_add1(const char *target, const char *name, uint8_t choice, struct hs_bytes bytes)
{
    corpus_add(target, name, hs_bytes(&choice, 1), bytes);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    fuzz_random_install();
    FUZZ_OK(hs_crypto_init());
    folder = argv[1];
    folder_make(folder);
    struct hs_arena HS_ARENA arena = hs_arena(ARENA);
    corpus_stream(&arena);
    corpus_objects(&arena);
    corpus_rooms(&arena);
    corpus_mls(&arena);
    corpus_deals(&arena);
    corpus_discovery(&arena);
    return 0;
}
