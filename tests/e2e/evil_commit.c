/* Puts a commit that looks right to a hub and wrong to members into a client's store: the client's next
 * session sends it. usage: evil_commit DIR tag|half */
#include "unit/client/evil_client.h"

#include "store/db.h"
#include "sync/state.h"

#include <stdio.h>
#include <string.h>

static bool read_key(const char *dir, uint8_t key[static 32])
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/key", dir);
    FILE *file = fopen(path, "rb");
    bool good = file != NULL && fread(key, 1, 32, file) == 32;
    if (file != NULL)
        (void)fclose(file);
    return good;
}

/* In the first room of the store. */
static enum hs_err forge(struct hs_step *s, enum evil_kind kind)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    HS_REQUIRE(hs_room_next(s->kv, &cursor, s->arena, &row), HS_ERR_ROOM_UNKNOWN);
    HS_TRY(evil_client_submit(s, &row.id, kind));
    return hs_sync_settle(s);
}

static enum hs_err run(const char *dir, enum evil_kind kind)
{
    uint8_t key[32];
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct hs_db *db = NULL;
    struct hs_step s = {.arena = &arena, .now = {0}};
    HS_REQUIRE(read_key(dir, key), HS_ERR_IO);
    HS_TRY(hs_db_open(dir, key, &db));
    enum hs_err err = hs_sync_new(&s.sync);
    if (err == HS_OK)
        err = hs_db_begin(db, &s.kv);
    if (err == HS_OK)
        err = hs_sync_enter(&s);
    if (err == HS_OK)
        err = forge(&s, kind);
    if (err == HS_OK)
        err = hs_db_commit(db);
    hs_sync_free(s.sync);
    hs_db_close(db);
    return err;
}

int main(int argc, char **argv)
{
    bool half = argc == 3 && strcmp(argv[2], "half") == 0;
    if (argc != 3 || (!half && strcmp(argv[2], "tag") != 0)) {
        fprintf(stderr, "usage: evil_commit DIR tag|half\n");
        return 2;
    }
    enum hs_err err = run(argv[1], half ? EVIL_HALF : EVIL_TAG);
    if (err != HS_OK)
        fprintf(stderr, "evil_commit: %s\n", hs_err_name(err));
    return err == HS_OK ? 0 : 1;
}
