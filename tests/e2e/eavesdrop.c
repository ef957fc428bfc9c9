/* What the keys of a device open of all that a node has: with the state in DIR every commit in the node's
 * copy of its first room is followed as far as MLS allows, and every post is tried. What could be read is
 * printed, one text a line. Neither store is changed. usage: eavesdrop DIR STORE */
#include "device_state.h"
#include "node_log.h"

#include "room/content.h"

#include <stdio.h>

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

static enum hs_err listen(void *arg, struct hs_step *s, const struct hs_id *id)
{
    const char *store = arg;
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, id, &room));
    return room->group != NULL ? node_log_each(store, id, try_body, room->group) : HS_OK;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: eavesdrop DIR STORE\n", stderr);
        return 2;
    }
    enum hs_err err = device_state_use(argv[1], false, listen, argv[2]);
    if (err != HS_OK)
        fprintf(stderr, "eavesdrop: %s\n", hs_err_name(err));
    return err == HS_OK ? 0 : 1;
}
