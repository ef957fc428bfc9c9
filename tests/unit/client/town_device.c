/* The devices of a town: their stores, their steps and their sessions. */
#include "town_inside.h"

#include "crypto/dh.h"
#include "schema/link.pb-c.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void route(struct town_device *d);

struct town_device *town_device_new(struct town *t)
{
    assert_true(t->device_count < TOWN_DEVICES);
    struct town_device *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->town = t;
    snprintf(d->dir, sizeof d->dir, "%s/hanse-town-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(d->dir));
    randombytes_buf(d->key, sizeof d->key);
    d->dead = true;
    t->devices[t->device_count++] = d;
    town_device_start(d);
    return d;
}

struct town_device *town_device_at(struct town *t, size_t i)
{
    return i < t->device_count ? t->devices[i] : NULL;
}

struct town_node *town_node_at(struct town *t, size_t i)
{
    return i < t->node_count ? &t->nodes[i] : NULL;
}

void town_device_start(struct town_device *d)
{
    assert_true(d->dead);
    assert_ok(hs_db_open(d->dir, d->key, &d->db));
    assert_ok(hs_sync_new(&d->sync));
    d->dead = false;
    d->die_after = 0;
}

/* Its own code begins or ends. */
static void inside(struct town_device *d, bool begins)
{
    if (d->on_step != NULL)
        d->on_step(d, begins);
}

void town_device_kill(struct town_device *d)
{
    if (d->dead)
        return;
    if (d->session != 0)
        town_item_add(d->town, TOWN_NODE_CLOSED, d->session, (struct hs_bytes){0});
    d->session = 0;
    d->dead = true;
    inside(d, true);
    hs_sync_free(d->sync);
    hs_db_close(d->db);
    inside(d, false);
    d->sync = NULL;
    d->db = NULL;
}

static FILE *store_open(const struct town_device *d, const char *how)
{
    char path[sizeof d->dir + 16];
    (void)snprintf(path, sizeof path, "%s/data.mdb", d->dir);
    FILE *file = fopen(path, how);
    assert_non_null(file);
    return file;
}

struct hs_bytes town_device_copy(struct town_device *d)
{
    assert_true(d->dead);
    FILE *file = store_open(d, "rb");
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t len = (size_t)ftell(file);
    uint8_t *data = hs_arena_alloc(&d->town->arena, len);
    assert_non_null(data);
    rewind(file);
    assert_int_equal(fread(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return hs_bytes(data, len);
}

void town_device_restore(struct town_device *d, struct hs_bytes copy)
{
    assert_true(d->dead);
    FILE *file = store_open(d, "wb");
    assert_int_equal(fwrite(copy.data, 1, copy.len, file), copy.len);
    assert_int_equal(fclose(file), 0);
}

enum hs_err town_open(struct town_device *d, struct hs_step *s, struct hs_arena *arena)
{
    *s = (struct hs_step){.sync = d->sync, .arena = arena, .now = d->town->now};
    struct hs_kv *kv;
    inside(d, true);
    enum hs_err err = hs_db_begin(d->db, &kv);
    if (err != HS_OK) {
        inside(d, false);
        return err;
    }
    d->kv.kv = kv_count(kv).kv;
    d->kv.inner = kv;
    s->kv = &d->kv.kv;
    err = hs_sync_enter(s);
    return err == HS_OK ? HS_OK : town_close(d, s, err);
}

enum hs_err town_close(struct town_device *d, struct hs_step *s, enum hs_err err)
{
    if (err == HS_OK)
        err = hs_sync_settle(s);
    if (s->kv->err != HS_OK)
        err = s->kv->err;
    bool dies = err == HS_OK && d->die_after > 0 && --d->die_after == 0;
    if (dies && d->die_before_commit) {
        town_device_kill(d);
        return HS_OK;
    }
    if (err == HS_OK)
        err = hs_db_commit(d->db);
    else
        hs_db_abort(d->db);
    d->commits++;
    if (dies) {
        town_device_kill(d);
        return err;
    }
    if (err == HS_OK)
        hs_sync_release(d->sync);
    else
        hs_sync_rollback(d->sync);
    hs_arena_free(s->arena);
    inside(d, false);
    route(d);
    bool cut = d->cut_after > 0 && --d->cut_after == 0;
    if (hs_sync_hangs_up(d->sync) || cut)
        town_device_cut(d);
    return err;
}

/* What hanse_step() returns ends the program. */
void town_survives(struct town_device *d, enum hs_err err)
{
    if (d->frail && !d->dead &&
        (err == HS_ERR_STORE || err == HS_ERR_STORE_FULL || err == HS_ERR_NOMEM || err == HS_ERR_SEAL))
        town_device_kill(d);
}

static bool next_frame(struct town_device *d, struct hs_bytes *frame)
{
    inside(d, true);
    bool more = hs_sync_next_frame(d->sync, frame);
    inside(d, false);
    return more;
}

static bool is_lost(const struct town_device *d, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 22);
    Hanse__Frame *frame;
    if (d->loses == 0)
        return false;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    return frame->body_case == d->loses;
}

static void route(struct town_device *d)
{
    struct hs_bytes frame;
    struct hanse_event event;
    while (next_frame(d, &frame))
        if (d->session != 0 && (d->outgoing == NULL || d->outgoing(d, frame)) && !is_lost(d, frame))
            town_item_add(d->town, TOWN_TO_NODE, d->session, frame);
    for (;;) {
        inside(d, true);
        hs_sync_next_event(d->sync, &event);
        inside(d, false);
        if (event.kind == HANSE_EVENT_NONE)
            return;
        assert_true(d->event_count < TOWN_EVENTS);
        if (getenv("TOWN_LOG") != NULL)
            printf("%s: event %d %s %s\n", d->dir, (int)event.kind, hs_err_name((enum hs_err)event.err),
                   event.text);
        snprintf(d->texts[d->event_count], sizeof d->texts[0], "%s", event.text);
        event.text = d->texts[d->event_count];
        d->events[d->event_count++] = event;
        if (d->on_event != NULL)
            d->on_event(d, &event);
    }
}

void town_device_closed(struct town_device *d, enum hs_err why)
{
    enum hs_err err;
    if (d->dead)
        return;
    d->session = 0;
    TOWN_TRY(d, err, hs_sync_closed(&s, why));
    if (!d->dead && d->frail && err != HS_OK)
        town_device_kill(d);
    if (!d->dead)
        assert_ok(err);
}

void town_device_cut(struct town_device *d)
{
    if (d->session != 0)
        town_item_add(d->town, TOWN_NODE_CLOSED, d->session, (struct hs_bytes){0});
    town_device_closed(d, HS_ERR_CLOSED);
}

/* What a step has come to. */
static void device_goes_on(struct town_device *d, enum hs_err err)
{
    if (d->dead || err == HS_OK)
        return;
    if (getenv("TOWN_LOG") != NULL)
        printf("%s: step: %s\n", d->dir, hs_err_name(err));
    if (hs_sync_is_fault(err) || d->frail)
        town_device_cut(d);
    else
        assert_ok(err);
}

static void device_opened(struct town_device *d, struct town_node *node, const struct hs_dial *dial)
{
    struct hs_key own, learned = dial->node;
    uint8_t hash[64];
    enum hs_err err = HS_OK;
    if (!dial->knows_node)
        TOWN_TRY(d, err, hs_sync_descriptor(&s, node->descriptor, &learned));
    if (d->dead)
        return;
    if (err != HS_OK || !hs_key_equal(&learned, &node->transport_pub)) { /* the gate is another one */
        town_device_closed(d, err != HS_OK ? err : HS_ERR_CLOSED);
        return;
    }
    randombytes_buf(hash, sizeof hash);
    struct town_session *session = town_session_add(d->town, node, d);
    d->session = session->id;
    hs_dh_public(&dial->own, &own);
    town_node_open(session, &own, hash, NULL);
    TOWN_TRY(d, err, hs_sync_opened(&s, hash));
    if (d->frail)
        device_goes_on(d, err);
    else
        assert_ok(err);
}

bool town_device_dials(struct town_device *d)
{
    struct hs_dial dial = {0};
    bool wanted = false;
    enum hs_err err;
    if (d->dead || d->session != 0)
        return false;
    TOWN_TRY(d, err, (wanted = hs_sync_dial(&s, &dial), HS_OK));
    device_goes_on(d, err);
    if (err != HS_OK || !wanted || d->dead)
        return d->dead;
    struct town_node *node = town_node_by_root(d->town, &dial.root);
    if (node == NULL || node->down)
        town_device_closed(d, HS_ERR_UNREACHABLE);
    else
        device_opened(d, node, &dial);
    return true;
}

bool town_device_ticks(struct town_device *d)
{
    enum hs_err err;
    if (d->dead || hs_sync_deadline(d->sync).ms > d->town->now.ms || d->session == 0)
        return false;
    TOWN_TRY(d, err, hs_sync_tick(&s));
    if (err == HS_ERR_TIMEOUT)
        town_device_cut(d);
    else
        device_goes_on(d, err);
    return true;
}

void town_device_frame(struct town_device *d, struct hs_bytes frame)
{
    enum hs_err err;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    if (d->incoming != NULL)
        frame = d->incoming(d, frame, &arena);
    TOWN_TRY(d, err, hs_sync_frame(&s, frame));
    if (err == HS_ERR_DEVICE_TWICE)
        town_device_closed(d, err);
    else if (err != HS_ERR_CLOSED)
        device_goes_on(d, err);
}
