#include "device_state.h"

#include "store/db.h"

#include <stdio.h>

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

static enum hs_err in_first_room(struct hs_step *s, device_state_fn *fn, void *arg)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    HS_TRY(hs_sync_enter(s));
    HS_REQUIRE(hs_room_next(s->kv, &cursor, s->arena, &row), HS_ERR_ROOM_UNKNOWN);
    return fn(arg, s, &row.id);
}

enum hs_err device_state_use(const char *dir, bool keep, device_state_fn *fn, void *arg)
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
        err = in_first_room(&s, fn, arg);
    if (err == HS_OK && keep)
        err = hs_db_commit(db);
    hs_sync_free(s.sync);
    hs_db_close(db);
    return err;
}
