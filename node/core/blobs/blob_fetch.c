/* A follower fetches the tree of a Welcome from the hub before it hands the Welcome on: its user may come
 * when the hub can't be reached. What waits is in the store; what is under way is asked again after a
 * failure. */
#include "core/blobs/blob.h"
#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/spent.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "room/blob.h"
#include "wire/unpack.h"

/* The first byte of a key in HS_T_BLOB. */
enum {
    HELD = 'W',   /* hub 32 | hash 32 | number u64 -> HeldWelcome */
    NEWEST = 'O', /* hash of hub, room and persona 32 -> the key of their Welcome that waits */
    COUNT = 'C',  /* subscriber 32 -> u64: how many wait for it */
    SCRATCH_CAP = 1 << 20,
    HAND_ON_CAP = 4 * HS_FRAME_MAX, /* one item, its parts and what is kept of it */
};

static struct hs_kv_key held_key(struct hs_bytes hub)
{
    uint8_t kind = HELD;
    return hs_key2(hs_bytes(&kind, 1), hub);
}

/* What comes from one hub has a place of its own until it is whole and verified: another hub that names the
 * same tree can neither spoil it nor keep it from coming. */
static struct hs_id place_of(struct hs_bytes hub, const struct hs_id *hash)
{
    struct hs_sha256 state;
    hs_sha256_init(&state);
    hs_sha256_update(&state, hs_bytes_str("hanse-fetched-from"));
    hs_sha256_update(&state, hub);
    hs_sha256_update(&state, HS_VIEW(*hash));
    return hs_sha256_final(&state);
}

static bool is_whole(const Hanse__State__BlobView *view)
{
    return view != NULL && (view->state == HS_BLOB_KEPT || view->state == HS_BLOB_FILE);
}

enum hs_err hs_fetch_check(const Hanse__Tree *tree)
{
    HS_REQUIRE((tree->bytes.len > 0) != (tree->hash.len > 0), HS_ERR_MALFORMED);
    if (tree->hash.len == 0)
        return HS_OK;
    HS_REQUIRE(tree->hash.len == HS_HASH_LEN && tree->size > 0, HS_ERR_MALFORMED);
    return tree->size <= HS_TREE_MAX ? HS_OK : HS_ERR_TOO_LARGE;
}

/* ---- how many wait ---- */

static struct hs_kv_key count_key(const struct hs_key *subscriber)
{
    uint8_t kind = COUNT;
    return hs_key2(hs_bytes(&kind, 1), HS_VIEW(*subscriber));
}

uint64_t hs_fetch_held(struct hs_turn *turn, const struct hs_key *subscriber)
{
    struct hs_kv_key key = count_key(subscriber);
    return hs_number_get(turn, HS_T_BLOB, &key, NULL);
}

static void count(struct hs_turn *turn, const struct hs_key *subscriber, int by)
{
    struct hs_kv_key key = count_key(subscriber);
    uint64_t held = hs_fetch_held(turn, subscriber) + (uint64_t)by;
    if (held > 0)
        hs_number_put(turn, HS_T_BLOB, &key, held);
    else
        hs_kv_del(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&key));
}

static struct hs_kv_key newest_key(struct hs_bytes hub, const Hanse__WelcomeItem *welcome)
{
    uint8_t kind = NEWEST;
    struct hs_sha256 state;
    hs_sha256_init(&state);
    hs_sha256_update(&state, hub);
    hs_sha256_update(&state, hs_pb_bytes(welcome->room));
    hs_sha256_update(&state, hs_pb_bytes(welcome->persona));
    struct hs_id about = hs_sha256_final(&state);
    return hs_key2(hs_bytes(&kind, 1), HS_VIEW(about));
}

/* It waits no more: it goes on, or a newer one waits in its place. */
static void let_go(struct hs_turn *turn, struct hs_bytes key, const struct hs_key *subscriber,
                   const struct hs_kv_key *newest)
{
    struct hs_bytes value;
    if (hs_kv_get(turn->kv, HS_T_BLOB, hs_kv_key_bytes(newest), turn->arena, &value) &&
        hs_bytes_equal(value, key))
        hs_kv_del(turn->kv, HS_T_BLOB, hs_kv_key_bytes(newest));
    hs_kv_del(turn->kv, HS_T_BLOB, key);
    count(turn, subscriber, -1);
}

/* The Welcome of before for that persona in that room is of no use any more. */
static void displace(struct hs_turn *turn, const struct hs_id *hub, const struct hs_kv_key *newest)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HAND_ON_CAP);
    struct hs_turn own = *turn;
    struct hs_bytes value;
    struct hs_key subscriber;
    own.arena = &scratch;
    if (!hs_kv_get(turn->kv, HS_T_BLOB, hs_kv_key_bytes(newest), &scratch, &value))
        return;
    struct hs_kv_key key = hs_key1(value);
    const Hanse__State__HeldWelcome *held =
        (Hanse__State__HeldWelcome *)HS_VIEW_GET(&own, HS_T_BLOB, &key, hanse__state__held_welcome);
    if (held == NULL || !HS_FIXED(hs_pb_bytes(held->subscriber), &subscriber))
        return;
    struct hs_stream_at at = {.stream = HS_STREAM_PEER, .id = *hub, .seq = held->handed_seq};
    let_go(&own, hs_kv_key_bytes(&key), &subscriber, newest);
    hs_spent_cut(&own, &at, 0);
}

void hs_fetch_hold(struct hs_turn *turn, const struct hs_stream_at *from, uint64_t number,
                   const struct hs_key *subscriber, const Hanse__InboxItem *item)
{
    const struct hs_id *hub = &from->id;
    Hanse__State__HeldWelcome held = HANSE__STATE__HELD_WELCOME__INIT;
    Hanse__State__BlobView fresh = HANSE__STATE__BLOB_VIEW__INIT;
    const Hanse__Tree *tree = item->welcome->tree;
    struct hs_kv_key key = held_key(HS_VIEW(*hub));
    struct hs_id hash;
    (void)HS_FIXED(hs_pb_bytes(tree->hash), &hash);
    hs_kv_key_add(&key, HS_VIEW(hash));
    hs_kv_key_add_u64(&key, number);
    held.subscriber = hs_pb_data(HS_VIEW(*subscriber));
    held.item = hs_pb_data(hs_turn_pack(turn, &item->base));
    held.handed_seq = from->seq;
    struct hs_kv_key newest = newest_key(HS_VIEW(*hub), item->welcome);
    displace(turn, hub, &newest);
    hs_view_put(turn, HS_T_BLOB, &key, &held.base);
    hs_kv_put(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&newest), hs_kv_key_bytes(&key));
    count(turn, subscriber, 1);
    struct hs_id place = place_of(HS_VIEW(*hub), &hash);
    if (hs_blob_view(turn, &place) != NULL)
        return;
    fresh.size = tree->size;
    fresh.state = HS_BLOB_FETCHED;
    hs_blob_put(turn, &place, &fresh);
}

/* The first Welcome at or behind prefix that waits; false where there is none. */
static bool first_held(struct hs_turn *turn, const struct hs_kv_key *prefix, struct hs_bytes *key,
                       Hanse__State__HeldWelcome **held)
{
    struct hs_bytes value, p = hs_kv_key_bytes(prefix);
    if (!hs_kv_next(turn->kv, HS_T_BLOB, p, p, turn->arena, key, &value))
        return false;
    enum hs_err err = HS_UNPACK(hanse__state__held_welcome, value, HS_LENIENT, turn->arena, held);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
    return err == HS_OK;
}

static Hanse__InboxItem *item_of(struct hs_turn *turn, const Hanse__State__HeldWelcome *held)
{
    Hanse__InboxItem *item = NULL;
    if (HS_UNPACK(hanse__inbox_item, hs_pb_bytes(held->item), HS_LENIENT, turn->arena, &item) != HS_OK &&
        turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM; /* one's own bytes */
    return item;
}

/* Those of one Welcome. */
static bool hand_on(struct hs_turn *turn, const struct hs_id *hub, const struct hs_kv_key *prefix)
{
    struct hs_stream_at from = {.stream = HS_STREAM_PEER, .id = *hub};
    struct hs_arena HS_ARENA scratch = hs_arena(HAND_ON_CAP); /* for one: a commit may let in many */
    struct hs_turn own = *turn;
    Hanse__State__HeldWelcome *held;
    struct hs_bytes key;
    struct hs_key subscriber;
    own.arena = &scratch;
    if (turn->kv->err != HS_OK || !first_held(&own, prefix, &key, &held))
        return false;
    Hanse__InboxItem *item = item_of(&own, held);
    if (item == NULL || !HS_FIXED(hs_pb_bytes(held->subscriber), &subscriber)) {
        hs_kv_del(turn->kv, HS_T_BLOB, key);
        return false;
    }
    struct hs_kv_key newest = newest_key(HS_VIEW(*hub), item->welcome);
    let_go(&own, key, &subscriber, &newest);
    from.seq = held->handed_seq;
    hs_inbox_put_from(&own, &subscriber, item, &from);
    return true;
}

/* The Welcomes of that hub that waited for the tree go on. */
void hs_tree_came_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *record)
{
    struct hs_kv_key prefix = held_key(HS_VIEW(at->id));
    Hanse__State__BlobView fresh = HANSE__STATE__BLOB_VIEW__INIT;
    struct hs_id hash;
    (void)HS_FIXED(hs_pb_bytes(record->tree_came->hash), &hash);
    hs_kv_key_add(&prefix, HS_VIEW(hash));
    struct hs_id place = place_of(HS_VIEW(at->id), &hash);
    Hanse__State__BlobView *view = hs_blob_view(turn, &hash), *came = hs_blob_view(turn, &place);
    if (!record->tree_came->missing && came != NULL && !is_whole(view)) {
        view = view != NULL ? view : &fresh;
        view->state = HS_BLOB_KEPT;
        view->size = came->size;
        hs_blob_put(turn, &hash, view);
    }
    hs_blob_forget(turn, &place);
    while (hand_on(turn, &at->id, &prefix))
        continue;
}

static void record_came(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_id *hash,
                        const char *missing)
{
    Hanse__State__TreeCame came = HANSE__STATE__TREE_CAME__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    came.hash = hs_pb_data(HS_VIEW(*hash));
    came.missing = missing != NULL;
    if (missing != NULL)
        hs_turn_log(turn, "event=tree-missing text=\"%s\"", missing);
    record.tree_came = &came;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_TREE_CAME;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(peer->root), &record);
}

static bool ask(struct hs_turn *turn, struct hs_peer *peer, const struct hs_id *hash, struct hs_bytes room,
                uint64_t offset)
{
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct hs_asked *asked = session != NULL ? hs_asked_add(peer) : NULL;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__GetChunk get = HANSE__GET_CHUNK__INIT;
    if (asked == NULL)
        return false;
    asked->is_fetch = true;
    asked->blob = *hash;
    asked->seq = offset;
    asked->deadline.ms = turn->now.ms + HS_FETCH_MS;
    asked->id = frame.id = ++peer->last_id;
    get.hash = hs_pb_data(HS_VIEW(*hash));
    get.offset = offset;
    get.room = hs_pb_data(room);
    frame.get_chunk = &get;
    frame.body_case = HANSE__FRAME__BODY_GET_CHUNK;
    hs_turn_send(turn, session, &frame);
    return true;
}

/* A question for a tree names no room: one for a blob that a post names does. */
static bool is_for_tree(const struct hs_asked *asked, const struct hs_id *hash)
{
    static const struct hs_id none;
    return asked->is_fetch && hs_id_equal(&asked->blob, hash) && hs_id_equal(&asked->room, &none);
}

/* From where on to ask, and how many questions are under way. Where the one for what comes next was lost, the
 * others' answers are of no use: the end where nothing more is to be asked before they are in. */
static uint64_t reached(const struct hs_peer *peer, const struct hs_id *hash, uint64_t have, uint64_t size,
                        size_t *count)
{
    uint64_t at = have;
    bool next = false;
    for (const struct hs_asked *a = peer->asked; a != NULL; a = a->next) {
        if (!is_for_tree(a, hash))
            continue;
        at = a->seq + HS_BLOB_CHUNK > at ? a->seq + HS_BLOB_CHUNK : at;
        next = next || a->seq == have;
        ++*count;
    }
    return next || *count == 0 ? at : size;
}

/* The hub answers in order: what was asked before this won't be answered any more. */
static void forget_older(struct hs_peer *peer, const struct hs_asked *answered)
{
    struct hs_asked *asked = peer->asked;
    while (asked != NULL) {
        struct hs_asked *next = asked->next;
        if (asked->is_fetch && asked->id < answered->id && hs_id_equal(&asked->blob, &answered->blob) &&
            hs_id_equal(&asked->room, &answered->room))
            hs_asked_free(hs_asked_take(peer, asked));
        asked = next;
    }
}

static void go_on(struct hs_turn *turn, struct hs_peer *peer, const struct hs_id *hash, uint64_t size,
                  struct hs_bytes room)
{
    size_t count = 0;
    struct hs_id place = place_of(HS_VIEW(peer->root), hash);
    uint64_t at = reached(peer, hash, hs_blob_have(turn, &place), size, &count);
    for (; count < HS_BLOB_WINDOW && at < size; count++, at += HS_BLOB_CHUNK)
        if (!ask(turn, peer, hash, room, at))
            return;
}

void hs_fetch_work(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_kv_key prefix = held_key(HS_VIEW(peer->root));
    Hanse__State__HeldWelcome *held;
    Hanse__InboxItem *item;
    struct hs_bytes key;
    while (turn->kv->err == HS_OK && first_held(turn, &prefix, &key, &held) &&
           (item = item_of(turn, held)) != NULL) {
        struct hs_id hash;
        (void)HS_FIXED(hs_pb_bytes(item->welcome->tree->hash), &hash);
        struct hs_id place = place_of(HS_VIEW(peer->root), &hash);
        Hanse__State__BlobView *view = hs_blob_view(turn, &place);
        bool there = is_whole(hs_blob_view(turn, &hash));
        if (view != NULL && !there) {
            go_on(turn, peer, &hash, view->size, hs_pb_bytes(item->welcome->room));
            return;
        }
        record_came(turn, peer, &hash, there ? NULL : "it took longer than a day");
    }
}

/* All is here: is it what its name says? */
static bool is_genuine(struct hs_turn *turn, const struct hs_id *place, const struct hs_id *hash,
                       uint64_t size)
{
    struct hs_sha256 state;
    hs_blob_hash_init(&state);
    for (uint64_t at = 0; at < size; at += HS_BLOB_CHUNK) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn small = *turn;
        small.arena = &scratch;
        hs_sha256_update(&state, hs_blob_piece(&small, place, at));
    }
    struct hs_id is = hs_sha256_final(&state);
    return hs_id_equal(&is, hash);
}

/* It gets its name. What follows from that in the views is a record's. */
static void name_it(struct hs_turn *turn, const struct hs_id *place, const struct hs_id *hash, uint64_t size)
{
    for (uint64_t at = 0; at < size && !is_whole(hs_blob_view(turn, hash)); at += HS_BLOB_CHUNK) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn small = *turn;
        small.arena = &scratch;
        hs_blob_piece_put(&small, hash, at, hs_blob_piece(&small, place, at));
    }
}

static void take(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_id *hash, uint64_t size,
                 const Hanse__Chunk *chunk)
{
    struct hs_id place = place_of(HS_VIEW(peer->root), hash);
    uint64_t have = hs_blob_have(turn, &place), left = size - have;
    size_t want = left < HS_BLOB_CHUNK ? (size_t)left : HS_BLOB_CHUNK;
    if (chunk->offset != have)
        return; /* one before it was lost: it is asked for again */
    if (chunk->size != size || chunk->data.len != want) {
        record_came(turn, peer, hash, "its size isn't what the hub said");
        return;
    }
    hs_blob_piece_put(turn, &place, chunk->offset, hs_pb_bytes(chunk->data));
    hs_blob_have_put(turn, &place, have + want);
    if (have + want < size)
        return;
    bool genuine = is_genuine(turn, &place, hash, size);
    if (genuine)
        name_it(turn, &place, hash, size);
    record_came(turn, peer, hash, genuine ? NULL : "its hash is another");
}

void hs_fetch_answered(struct hs_turn *turn, struct hs_peer *peer, const struct hs_asked *asked,
                       const Hanse__Frame *answer)
{
    struct hs_id place = place_of(HS_VIEW(peer->root), &asked->blob);
    Hanse__State__BlobView *view = hs_blob_view(turn, &place);
    forget_older(peer, asked);
    if (!is_for_tree(asked, &asked->blob)) {
        hs_move_chunk(turn, asked, answer);
        return;
    }
    if (view == NULL)
        return;
    if (answer->body_case == HANSE__FRAME__BODY_CHUNK)
        take(turn, peer, &asked->blob, view->size, answer->chunk);
    else if (answer->body_case != HANSE__FRAME__BODY_ERROR ||
             !hs_err_is_transient(hs_err_from_wire(answer->error->code)))
        record_came(turn, peer, &asked->blob, "the hub hasn't got it");
}
