/* What the keys of a device open of all that a node has: with the state in DIR every commit in the node's
 * copy of its first room is followed as far as MLS allows, and every post is tried. What could be read is
 * printed, one text a line. Neither store is changed. usage: eavesdrop DIR STORE */
#include "node_log.h"

#include "room/content.h"
#include "store/db.h"
#include "store/rooms.h"
#include "sync/state.h"

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

static void print(struct hs_bytes plaintext, struct hs_arena *arena)
{
    struct hs_content content;
    if (hs_content_parse(plaintext, arena, &content) == HS_OK && content.kind == HS_CONTENT_TEXT)
        printf("%.*s\n", (int)content.text.len, (const char *)content.text.data);
}

static void try_body(void *arg, struct hs_bytes body, struct hs_arena *arena)
{
    struct hs_mls_group *group = arg;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    if (hs_mls_group_process(group, body, &event) != HS_OK)
        return;
    if (event->kind == HS_MLS_EVENT_APPLICATION)
        print(event->plaintext, arena);
    if (event->kind == HS_MLS_EVENT_COMMIT && hs_mls_group_merge(group, event->staged) == HS_OK)
        (void)hs_mls_group_settle(group);
}

static enum hs_err listen(struct hs_step *s, const char *store)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_live_room *room;
    HS_REQUIRE(hs_room_next(s->kv, &cursor, s->arena, &row), HS_ERR_ROOM_UNKNOWN);
    HS_TRY(hs_live_get(s, &row.id, &room));
    return room->group != NULL ? node_log_each(store, &row.id, try_body, room->group) : HS_OK;
}

static enum hs_err run(const char *dir, const char *store)
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
        err = listen(&s, store);
    hs_sync_free(s.sync);
    hs_db_close(db);
    return err;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: eavesdrop DIR STORE\n", stderr);
        return 2;
    }
    enum hs_err err = run(argv[1], argv[2]);
    if (err != HS_OK)
        fprintf(stderr, "eavesdrop: %s\n", hs_err_name(err));
    return err == HS_OK ? 0 : 1;
}
