#include "town_inside.h"

#include "crypto/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURNS_MAX = 100000 };

struct hs_time town_now(const struct town *t)
{
    return t->now;
}

struct town *town_new(void)
{
    assert_ok(hs_crypto_init());
    struct town *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->arena = hs_arena(SIZE_MAX / 2);
    t->now.ms = 1800000000000;
    return t;
}

static void directory_remove(const char *dir)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

void town_free(struct town *t)
{
    for (size_t i = 0; i < t->device_count; i++) {
        town_device_kill(t->devices[i]);
        directory_remove(t->devices[i]->dir);
        free(t->devices[i]);
    }
    for (size_t i = 0; i < t->node_count; i++) {
        hs_core_free(t->nodes[i].core);
        hs_kv_memory_free(t->nodes[i].kv.inner);
        hs_effects_free(&t->nodes[i].effects);
        hs_blob_files_close(t->nodes[i].blobs);
        if (t->nodes[i].blob_dir[0] != '\0') {
            char command[128];
            snprintf(command, sizeof command, "rm -rf '%s'", t->nodes[i].blob_dir);
            assert_int_equal(system(command), 0);
        }
    }
    while (t->items != NULL) {
        struct town_item *first = t->items;
        t->items = first->next;
        free(first);
    }
    while (t->sessions != NULL) {
        struct town_session *first = t->sessions;
        t->sessions = first->next;
        free(first);
    }
    hs_arena_free(&t->arena);
    free(t);
}

/* ---- what is on its way ---- */

void town_item_add(struct town *t, enum town_what what, uint64_t session, struct hs_bytes bytes)
{
    struct town_item *item = malloc(sizeof *item + bytes.len);
    assert_non_null(item);
    *item = (struct town_item){.what = what, .session = session, .len = bytes.len};
    if (bytes.len > 0)
        memcpy(item->data, bytes.data, bytes.len);
    struct town_item **end = &t->items;
    while (*end != NULL)
        end = &(*end)->next;
    *end = item;
}

struct town_session *town_session_find(struct town *t, uint64_t id)
{
    for (struct town_session *s = t->sessions; s != NULL; s = s->next)
        if (s->id == id)
            return s;
    return NULL;
}

struct town_session *town_session_add(struct town *t, struct town_node *node, struct town_device *device)
{
    struct town_session *s = calloc(1, sizeof *s);
    assert_non_null(s);
    *s = (struct town_session){.next = t->sessions, .id = ++t->next_session, .node = node, .device = device};
    t->sessions = s;
    return s;
}

void town_session_drop(struct town *t, uint64_t id)
{
    for (struct town_session **at = &t->sessions; *at != NULL; at = &(*at)->next) {
        if ((*at)->id != id)
            continue;
        struct town_session *gone = *at;
        *at = gone->next;
        free(gone);
        return;
    }
}

/* ---- time ---- */

static void item_deliver(struct town *t, const struct town_item *item)
{
    struct town_session *s = town_session_find(t, item->session);
    if (s == NULL)
        return;
    struct hs_bytes bytes = hs_bytes(item->data, item->len);
    struct town_node *node = s->node;
    switch (item->what) {
    case TOWN_TO_NODE:
        town_node_input(node,
                        (struct hs_core_input){.kind = HS_INPUT_FRAME, .session = s->id, .bytes = bytes});
        town_node_input(node, (struct hs_core_input){
                                  .kind = HS_INPUT_ROOM, .session = item->session, .budget = TOWN_BUDGET});
        break;
    case TOWN_TO_DEVICE:
        if (!s->device->dead && s->device->session == s->id)
            town_device_frame(s->device, bytes);
        break;
    case TOWN_NODE_CLOSED: {
        uint64_t peer = s->peer;
        town_session_drop(t, item->session);
        town_node_input(node, (struct hs_core_input){.kind = HS_INPUT_CLOSED, .session = item->session});
        if (peer != 0)
            town_item_add(t, TOWN_NODE_CLOSED, peer, (struct hs_bytes){0});
        break;
    }
    case TOWN_DEVICE_CLOSED:
        if (s->device->session == s->id)
            town_device_closed(s->device, HS_ERR_CLOSED);
        break;
    }
}

static bool turn(struct town *t)
{
    bool moved = false;
    for (size_t i = 0; i < t->device_count; i++)
        moved = town_device_dials(t->devices[i]) || town_device_ticks(t->devices[i]) || moved;
    for (size_t i = 0; i < t->node_count; i++)
        if (hs_core_deadline(t->nodes[i].core).ms <= t->now.ms) {
            town_node_input(&t->nodes[i], (struct hs_core_input){.kind = HS_INPUT_TICK});
            moved |= hs_core_deadline(t->nodes[i].core).ms > t->now.ms;
        }
    while (t->items != NULL) {
        struct town_item *first = t->items;
        t->items = first->next;
        item_deliver(t, first);
        free(first);
        moved = true;
    }
    return moved;
}

void town_run(struct town *t)
{
    size_t turns = 0;
    while (turn(t))
        assert_true(++turns < TURNS_MAX);
}

void town_wait(struct town *t, int64_t ms)
{
    enum { STEP_MS = 50 };
    town_run(t);
    for (int64_t passed = 0; passed < ms; passed += STEP_MS) {
        t->now.ms += STEP_MS;
        for (size_t i = 0; i < t->node_count && passed % 1000 == 0; i++)
            town_node_input(&t->nodes[i], (struct hs_core_input){.kind = HS_INPUT_TICK});
        town_run(t);
    }
}

void town_skip(struct town *t, int64_t ms)
{
    t->now.ms += ms;
}
