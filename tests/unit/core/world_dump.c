/* Stores of test worlds in files, for those that want real ones: with HANSE_WORLDS=DIR each world leaves its
 * nodes there when it ends. One file a node: its root and signing seeds, its descriptor, and all entries. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void put_number(FILE *file, uint64_t number)
{
    assert_int_equal(fwrite(&number, sizeof number, 1, file), 1);
}

static void put_bytes(FILE *file, struct hs_bytes bytes)
{
    put_number(file, bytes.len);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
}

static void put_entries(FILE *file, struct hs_kv *kv)
{
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_kv_key from = {0};
        for (;;) {
            struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
            struct hs_bytes key, value, none = {0};
            if (!hs_kv_next(kv, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
                break;
            put_number(file, table);
            put_bytes(file, key);
            put_bytes(file, value);
            from = hs_kv_after(key);
        }
    }
}

void world_dump(struct world_node *node)
{
    static unsigned count;
    const char *dir = getenv("HANSE_WORLDS");
    char path[512];
    struct hs_secret32 HS_SECRET seed = {0};
    if (dir == NULL)
        return;
    (void)snprintf(path, sizeof path, "%s/%ld-%u", dir, (long)getpid(), count++);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    hs_signer_seed(&node->root, &seed);
    put_bytes(file, HS_VIEW(seed));
    hs_signer_seed(&node->signer, &seed);
    put_bytes(file, HS_VIEW(seed));
    put_bytes(file, world_pack(node->world, &node->descriptor->base));
    put_entries(file, node->kv);
    assert_int_equal(fclose(file), 0);
}
