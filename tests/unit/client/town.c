#include "town.h"

#include "core/records/layout.h"
#include "core/recovery/recover.h"

#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/selftest.h"
#include "identity/derive.h"
#include "identity/descriptor.h"
#include "identity/grant.h"
#include "identity/ticket.h"
#include "store/posts.h"
#include "store/tables.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUDGET = 1 << 18, TURNS_MAX = 100000 };

enum what { TO_NODE, TO_DEVICE, NODE_CLOSED, DEVICE_CLOSED };

struct item {
    struct item *next;
    enum what what;
    uint64_t session;
    size_t len;
    uint8_t data[];
};

struct session {
    struct session *next;
    uint64_t id;
    struct town_node *node;
    struct town_device *device; /* or */
    uint64_t peer;              /* the session at the other node */
};

struct town {
    struct hs_time now;
    struct hs_arena arena;
    struct town_node nodes[TOWN_NODES];
    struct town_device *devices[TOWN_DEVICES];
    size_t node_count, device_count;
    struct session *sessions;
    struct item *items;
    uint64_t next_session;
    char history[65536];
};

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
        struct item *first = t->items;
        t->items = first->next;
        free(first);
    }
    while (t->sessions != NULL) {
        struct session *first = t->sessions;
        t->sessions = first->next;
        free(first);
    }
    hs_arena_free(&t->arena);
    free(t);
}

/* ---- what is on its way ---- */

static void item_add(struct town *t, enum what what, uint64_t session, struct hs_bytes bytes)
{
    struct item *item = malloc(sizeof *item + bytes.len);
    assert_non_null(item);
    *item = (struct item){.what = what, .session = session, .len = bytes.len};
    if (bytes.len > 0)
        memcpy(item->data, bytes.data, bytes.len);
    struct item **end = &t->items;
    while (*end != NULL)
        end = &(*end)->next;
    *end = item;
}

static struct session *session_find(struct town *t, uint64_t id)
{
    for (struct session *s = t->sessions; s != NULL; s = s->next)
        if (s->id == id)
            return s;
    return NULL;
}

static struct session *session_add(struct town *t, struct town_node *node, struct town_device *device)
{
    struct session *s = calloc(1, sizeof *s);
    assert_non_null(s);
    *s = (struct session){.next = t->sessions, .id = ++t->next_session, .node = node, .device = device};
    t->sessions = s;
    return s;
}

static void session_drop(struct town *t, uint64_t id)
{
    for (struct session **at = &t->sessions; *at != NULL; at = &(*at)->next) {
        if ((*at)->id != id)
            continue;
        struct session *gone = *at;
        *at = gone->next;
        free(gone);
        return;
    }
}

/* ---- nodes ---- */

static void node_input(struct town_node *node, struct hs_core_input input);

struct town_node *town_node_new(struct town *t, const char *domain)
{
    assert_true(t->node_count < TOWN_NODES);
    struct town_node *node = &t->nodes[t->node_count++];
    struct hs_descriptor d = {.sequence = 1, .address_count = 1};
    Hanse__SignedObject *object;
    node->town = t;
    node->incarnation = 1;
    snprintf(node->domain, sizeof node->domain, "%s", domain);
    hs_signer_random(&node->root);
    hs_signer_random(&node->signer);
    hs_dh_keypair(&node->transport, &node->transport_pub);
    d.signing_key = node->signer.pub;
    d.transport_key = node->transport_pub;
    snprintf(d.domain, sizeof d.domain, "%s", domain);
    snprintf(d.addresses[0], sizeof d.addresses[0], "%s:4433", domain);
    assert_ok(hs_descriptor_build(&node->root, &d, t->now, &t->arena, &object));
    assert_ok(hs_object_pack(object, &t->arena, &node->descriptor));
    node->kv = kv_count(hs_kv_memory_new());
    node->effects = hs_effects();
    struct hs_core_config config = {.root = node->root.pub,
                                    .node_signer = node->signer,
                                    .descriptor = node->descriptor,
                                    .incarnation = node->incarnation};
    assert_ok(hs_core_new(&config, &node->core));
    return node;
}

static struct town_node *node_by_root(struct town *t, const struct hs_key *root)
{
    for (size_t i = 0; i < t->node_count; i++)
        if (hs_key_equal(&t->nodes[i].root.pub, root))
            return &t->nodes[i];
    return NULL;
}

static void node_open(struct session *s, const struct hs_key *remote, const uint8_t *hash,
                      const struct town_node *dialled)
{
    struct hs_core_input input = {.kind = HS_INPUT_OPEN, .session = s->id, .remote_static = *remote};
    memcpy(input.handshake_hash, hash, sizeof input.handshake_hash);
    if (dialled != NULL) {
        input.outbound = true;
        input.dialled_root = dialled->root.pub;
        input.dialled_descriptor = dialled->descriptor;
    }
    uint64_t id = s->id;
    struct town_node *node = s->node;
    node_input(node, input);
    node_input(node, (struct hs_core_input){.kind = HS_INPUT_ROOM, .session = id, .budget = BUDGET});
}

static void node_dial(struct town_node *from, const struct hs_key *root)
{
    struct town *t = from->town;
    struct town_node *to = node_by_root(t, root);
    if (to != NULL && to->down && to->silent)
        return;
    if (to == NULL || to->down || from->down) {
        node_input(from, (struct hs_core_input){.kind = HS_INPUT_DIAL_FAILED, .dialled_root = *root});
        return;
    }
    uint8_t hash[64];
    randombytes_buf(hash, sizeof hash);
    struct session *a = session_add(t, from, NULL), *b = session_add(t, to, NULL);
    a->peer = b->id;
    b->peer = a->id;
    node_open(b, &from->transport_pub, hash, NULL);
    node_open(a, &to->transport_pub, hash, to);
}

static void effect_send(struct town_node *node, const struct hs_effect *effect)
{
    struct session *s = session_find(node->town, effect->session);
    if (s == NULL)
        return;
    if (s->device != NULL)
        item_add(node->town, TO_DEVICE, s->id, effect->bytes);
    else
        item_add(node->town, TO_NODE, s->peer, effect->bytes);
}

static void effect_close(struct town_node *node, const struct hs_effect *effect)
{
    struct session *s = session_find(node->town, effect->session);
    if (s == NULL)
        return;
    item_add(node->town, s->device != NULL ? DEVICE_CLOSED : NODE_CLOSED, s->device != NULL ? s->id : s->peer,
             (struct hs_bytes){0});
    item_add(node->town, NODE_CLOSED, s->id, (struct hs_bytes){0});
}

/* The real files, at once. */
static void effect_blob(struct town_node *node, const struct hs_effect *effect)
{
    struct hs_core_input input;
    struct hs_writer HS_WRITER frame = hs_writer(HS_FRAME_MAX);
    if (node->blobs == NULL) {
        snprintf(node->blob_dir, sizeof node->blob_dir, "%s/hanse-town-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert_non_null(mkdtemp(node->blob_dir));
        assert_ok(hs_blob_files_open(node->blob_dir, 0, &node->blobs));
    }
    struct hs_blob_job *job = hs_blob_job_new(effect);
    assert_non_null(job);
    hs_blob_jobs_do(node->blobs, job);
    if (hs_blob_job_input(job, &input)) {
        node_input(node, input);
    } else {
        struct hs_effect send = {.kind = HS_EFFECT_SEND, .session = effect->session};
        assert_ok(hs_blob_job_frame(job, &frame));
        send.bytes = hs_writer_bytes(&frame);
        effect_send(node, &send);
    }
    hs_blob_jobs_free(job);
}

static void carry_out(struct town_node *node)
{
    struct hs_effects effects = node->effects;
    node->effects = hs_effects();
    for (size_t i = 0; i < effects.len; i++) {
        const struct hs_effect *effect = &effects.list[i];
        if (effect->kind == HS_EFFECT_SEND)
            effect_send(node, effect);
        else if (effect->kind == HS_EFFECT_CLOSE)
            effect_close(node, effect);
        else if (effect->kind >= HS_EFFECT_BLOB_WRITE && effect->kind <= HS_EFFECT_BLOB_DELETE)
            effect_blob(node, effect);
        else if (effect->kind == HS_EFFECT_DIAL)
            node_dial(node, &effect->root);
        else if (effect->kind == HS_EFFECT_LOG && getenv("TOWN_LOG") != NULL)
            printf("%s: %s\n", node->domain, effect->text);
    }
    hs_effects_free(&effects);
}

static void node_input(struct town_node *node, struct hs_core_input input)
{
    bool more = true;
    if (node->core == NULL)
        return;
    assert_ok(hs_core_step(node->core, &node->kv.kv, &input, node->town->now, false, &node->effects));
    while (more)
        assert_ok(hs_core_pump(node->core, &node->kv.kv, node->town->now, &node->effects, &more));
    assert_ok(node->kv.kv.err);
    carry_out(node);
}

struct hs_kv *town_node_copy(struct town_node *node)
{
    struct hs_kv *copy = hs_kv_memory_new();
    assert_non_null(copy);
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, none = {0};
        struct hs_kv_key from = {0};
        while (hs_kv_next(node->kv.inner, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value)) {
            hs_kv_put(copy, table, key, value);
            from = hs_kv_after(key);
        }
    }
    assert_ok(copy->err);
    return copy;
}

static struct hs_turn raw_turn(struct town_node *node, struct hs_kv *kv, struct hs_arena *arena)
{
    return (struct hs_turn){.core = node->core, .kv = kv, .now = node->town->now, .arena = arena};
}

bool town_node_is_frozen(struct town_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = raw_turn(node, node->kv.inner, &arena);
    return hs_recover_count(&turn) > 0;
}

void town_node_resume(struct town_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = raw_turn(node, node->kv.inner, &arena);
    assert_ok(hs_recover_resume(&turn, NULL));
}

/* Ends, with its sessions, and begins anew. */
static void restart(struct town_node *node)
{
    struct hs_core_config config = {.root = node->root.pub,
                                    .node_signer = node->signer,
                                    .descriptor = node->descriptor,
                                    .incarnation = node->incarnation};
    for (struct session *s = node->town->sessions; s != NULL; s = s->next)
        if (s->node == node)
            item_add(node->town, s->device != NULL ? DEVICE_CLOSED : NODE_CLOSED,
                     s->device != NULL ? s->id : s->peer, (struct hs_bytes){0});
    hs_core_free(node->core);
    assert_ok(hs_core_new(&config, &node->core));
}

void town_node_restore(struct town_node *node, struct hs_kv *backup)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = raw_turn(node, backup, &arena);
    node->incarnation++; /* which no backup knows */
    hs_restored_record(&turn, node->incarnation);
    assert_ok(backup->err);
    hs_kv_memory_free(node->kv.inner);
    node->kv = kv_count(backup);
    restart(node);
}

void town_node_rotate(struct town_node *node)
{
    struct town *t = node->town;
    struct hs_descriptor d;
    Hanse__SignedObject *object;
    assert_ok(hs_object_unpack(node->descriptor, &t->arena, &object));
    assert_ok(hs_descriptor_open(object, &node->root.pub, &d));
    hs_signer_random(&node->signer);
    hs_dh_keypair(&node->transport, &node->transport_pub);
    d.signing_key = node->signer.pub;
    d.transport_key = node->transport_pub;
    d.sequence++;
    assert_ok(hs_descriptor_build(&node->root, &d, t->now, &t->arena, &object));
    assert_ok(hs_object_pack(object, &t->arena, &node->descriptor));
    restart(node);
}

void town_node_cut(struct town_node *node)
{
    for (struct session *s = node->town->sessions; s != NULL; s = s->next)
        if (s->node == node && s->device == NULL) {
            item_add(node->town, NODE_CLOSED, s->peer, (struct hs_bytes){0});
            item_add(node->town, NODE_CLOSED, s->id, (struct hs_bytes){0});
        }
}

const char *town_ticket(struct town_node *node, uint32_t roles, const char *handle, uint32_t uses)
{
    struct town *t = node->town;
    struct hs_secret32 seed;
    struct hs_signer key;
    Hanse__SignedObject *descriptor, *ticket, *grants[HS_TICKET_GRANTS];
    struct hs_time until = {t->now.ms + 365 * (int64_t)TOWN_DAY_MS};
    size_t count = 0;
    char *text;
    randombytes_buf(seed.b, sizeof seed.b);
    hs_identity_derive(&seed, &key);
    for (unsigned role = 1; role < 8; role++) {
        struct hs_grant grant = {.key = key.pub, .role = (Hanse__Role)role, .not_after = until};
        if ((roles & (1u << role)) != 0)
            assert_ok(hs_grant_build(&node->root, &grant, t->now, &t->arena, &grants[count++]));
    }
    if (handle != NULL) {
        struct hs_handle_grant grant = {.key = key.pub, .not_after = until};
        snprintf(grant.name, sizeof grant.name, "%s", handle);
        snprintf(grant.domain, sizeof grant.domain, "%s", node->domain);
        assert_ok(hs_handle_grant_build(&node->root, &grant, t->now, &t->arena, &grants[count++]));
    }
    assert_ok(hs_object_unpack(node->descriptor, &t->arena, &descriptor));
    assert_ok(hs_ticket_build(&node->root, &key.pub, uses, t->now, until, &t->arena, &ticket));
    assert_ok(hs_ticket_text_build(&seed, descriptor, ticket, grants, count, t->now, &t->arena, &text));
    return text;
}

/* ---- devices ---- */

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
        item_add(d->town, NODE_CLOSED, d->session, (struct hs_bytes){0});
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

static void route(struct town_device *d)
{
    struct hs_bytes frame;
    struct hanse_event event;
    while (next_frame(d, &frame))
        if (d->session != 0 && (d->outgoing == NULL || d->outgoing(d, frame)))
            item_add(d->town, TO_NODE, d->session, frame);
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

static void device_closed(struct town_device *d, enum hs_err why)
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
        item_add(d->town, NODE_CLOSED, d->session, (struct hs_bytes){0});
    device_closed(d, HS_ERR_CLOSED);
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
        device_closed(d, err != HS_OK ? err : HS_ERR_CLOSED);
        return;
    }
    randombytes_buf(hash, sizeof hash);
    struct session *session = session_add(d->town, node, d);
    d->session = session->id;
    hs_dh_public(&dial->own, &own);
    node_open(session, &own, hash, NULL);
    TOWN_TRY(d, err, hs_sync_opened(&s, hash));
    if (d->frail)
        device_goes_on(d, err);
    else
        assert_ok(err);
}

static bool device_dials(struct town_device *d)
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
    struct town_node *node = node_by_root(d->town, &dial.root);
    if (node == NULL || node->down)
        device_closed(d, HS_ERR_UNREACHABLE);
    else
        device_opened(d, node, &dial);
    return true;
}

static bool device_ticks(struct town_device *d)
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

static void device_frame(struct town_device *d, struct hs_bytes frame)
{
    enum hs_err err;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    if (d->incoming != NULL)
        frame = d->incoming(d, frame, &arena);
    TOWN_TRY(d, err, hs_sync_frame(&s, frame));
    if (err != HS_ERR_CLOSED)
        device_goes_on(d, err);
}

/* ---- time ---- */

static void item_deliver(struct town *t, const struct item *item)
{
    struct session *s = session_find(t, item->session);
    if (s == NULL)
        return;
    struct hs_bytes bytes = hs_bytes(item->data, item->len);
    struct town_node *node = s->node;
    switch (item->what) {
    case TO_NODE:
        node_input(node, (struct hs_core_input){.kind = HS_INPUT_FRAME, .session = s->id, .bytes = bytes});
        node_input(node,
                   (struct hs_core_input){.kind = HS_INPUT_ROOM, .session = item->session, .budget = BUDGET});
        break;
    case TO_DEVICE:
        if (!s->device->dead && s->device->session == s->id)
            device_frame(s->device, bytes);
        break;
    case NODE_CLOSED: {
        uint64_t peer = s->peer;
        session_drop(t, item->session);
        node_input(node, (struct hs_core_input){.kind = HS_INPUT_CLOSED, .session = item->session});
        if (peer != 0)
            item_add(t, NODE_CLOSED, peer, (struct hs_bytes){0});
        break;
    }
    case DEVICE_CLOSED:
        if (s->device->session == s->id)
            device_closed(s->device, HS_ERR_CLOSED);
        break;
    }
}

static bool turn(struct town *t)
{
    bool moved = false;
    for (size_t i = 0; i < t->device_count; i++)
        moved = device_dials(t->devices[i]) || device_ticks(t->devices[i]) || moved;
    for (size_t i = 0; i < t->node_count; i++)
        if (hs_core_deadline(t->nodes[i].core).ms <= t->now.ms) {
            node_input(&t->nodes[i], (struct hs_core_input){.kind = HS_INPUT_TICK});
            moved |= hs_core_deadline(t->nodes[i].core).ms > t->now.ms;
        }
    while (t->items != NULL) {
        struct item *first = t->items;
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
            node_input(&t->nodes[i], (struct hs_core_input){.kind = HS_INPUT_TICK});
        town_run(t);
    }
}

void town_skip(struct town *t, int64_t ms)
{
    t->now.ms += ms;
}

/* ---- what is seen ---- */

const struct hanse_event *town_done(const struct town_device *d, uint64_t op)
{
    for (size_t i = d->event_count; i > 0; i--)
        if (d->events[i - 1].kind == HANSE_EVENT_DONE && d->events[i - 1].op == op)
            return &d->events[i - 1];
    return NULL;
}

const struct hanse_event *town_event(const struct town_device *d, enum hanse_event_kind kind)
{
    for (size_t i = d->event_count; i > 0; i--)
        if (d->events[i - 1].kind == kind)
            return &d->events[i - 1];
    return NULL;
}

size_t town_event_count(const struct town_device *d, enum hanse_event_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < d->event_count; i++)
        count += d->events[i].kind == kind;
    return count;
}

struct hs_kv *town_look(struct town_device *d)
{
    struct hs_kv *kv;
    assert_ok(hs_db_begin_read(d->db, &kv));
    return kv;
}

void town_looked(struct town_device *d)
{
    hs_db_end_read(d->db);
}

const char *town_history(struct town_device *d, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    struct hs_kv *kv = town_look(d);
    struct hs_message_row row;
    char *out = d->town->history;
    size_t size = sizeof d->town->history, len = 0;
    out[0] = '\0';
    for (uint64_t seq = 0; hs_message_next(kv, room, seq, &arena, &row); seq = row.seq + 1)
        if (row.kind == HANSE_MESSAGE_TEXT || row.kind == HANSE_MESSAGE_REFUSED)
            len += (size_t)snprintf(out + len, size - len, "%s%.*s\n",
                                    row.kind == HANSE_MESSAGE_REFUSED ? "!" : "", (int)row.text.len,
                                    row.text.data != NULL ? (const char *)row.text.data : "");
    town_looked(d);
    return out;
}

const char *town_link(struct town_device *d, const struct hs_id *room, uint32_t uses)
{
    uint64_t op;
    struct hs_time until = {d->town->now.ms + TOWN_DAY_MS};
    TOWN_WANT(d, hs_want_invite(&s, room, uses, until, &op));
    town_run(d->town);
    const struct hanse_event *done = town_done(d, op);
    assert_non_null(done);
    assert_int_equal(done->err, HANSE_OK);
    char *copy = hs_arena_str(&d->town->arena, hs_bytes_str(done->text));
    assert_non_null(copy);
    return copy;
}
