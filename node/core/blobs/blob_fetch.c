/* A follower fetches the tree of a Welcome from the hub before it hands the Welcome on: its user may come
 * when the hub can't be reached. What waits is in the store; what is under way is asked again after a
 * failure. */
#include "core/blobs/blob.h"
#include "core/blobs/held_welcome.h"
#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/standing/kept.h"
#include "room/blob.h"
#include "wire/unpack.h"

enum {
    SCRATCH_CAP = 1 << 20,
    HAND_ON_CAP = 4 * HS_FRAME_MAX, /* one item, its parts and what is kept of it */
};

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

void hs_fetch_hold(struct hs_turn *turn, const struct hs_stream_at *from, uint64_t number,
                   const struct hs_key *subscriber, const Hanse__InboxItem *item)
{
    const struct hs_id *hub = &from->id;
    Hanse__State__BlobView fresh = HANSE__STATE__BLOB_VIEW__INIT;
    const Hanse__Tree *tree = item->welcome->tree;
    struct hs_id hash;
    (void)HS_FIXED(hs_pb_bytes(tree->hash), &hash);
    hs_held_welcome_put(turn, from, number, subscriber, item);
    struct hs_id place = place_of(HS_VIEW(*hub), &hash);
    if (hs_blob_view(turn, &place) != NULL)
        return;
    fresh.size = tree->size;
    fresh.state = HS_BLOB_FETCHED;
    hs_blob_put(turn, &place, &fresh);
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
    if (turn->kv->err != HS_OK || !hs_held_welcome_first(&own, prefix, &key, &held))
        return false;
    Hanse__InboxItem *item = hs_held_welcome_item(&own, held);
    if (item == NULL || !HS_FIXED(hs_pb_bytes(held->subscriber), &subscriber)) {
        hs_kv_del(turn->kv, HS_T_BLOB, key);
        return false;
    }
    hs_held_welcome_let_go(&own, hub, key, &subscriber, item);
    from.seq = held->handed_seq;
    hs_inbox_put_from(&own, &subscriber, item, &from);
    return true;
}

/* The Welcomes of that hub that waited for the tree go on. */
void hs_tree_came_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *record)
{
    struct hs_kv_key prefix = hs_held_welcome_key(HS_VIEW(at->id));
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

bool hs_fetch_next(struct hs_turn *turn, struct hs_kv_key *from, struct hs_key *hub, uint64_t *have)
{
    struct hs_kv_key prefix = hs_held_welcome_key((struct hs_bytes){0});
    struct hs_bytes key;
    struct hs_id hash;
    if (from->len == 0)
        *from = prefix;
    if (!hs_kv_next(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(from), turn->arena, &key,
                    NULL) ||
        key.len < prefix.len + 2 * HS_HASH_LEN)
        return false;
    (void)HS_FIXED(hs_bytes(key.data + prefix.len, HS_HASH_LEN), hub);
    (void)HS_FIXED(hs_bytes(key.data + prefix.len + HS_HASH_LEN, HS_HASH_LEN), &hash);
    struct hs_id place = place_of(HS_VIEW(*hub), &hash);
    *have = hs_blob_have(turn, &place);
    *from = hs_held_welcome_key(HS_VIEW(*hub)); /* those of all Welcomes that wait for it are one */
    hs_kv_key_add(from, HS_VIEW(hash));
    hs_kv_key_add_u64(from, UINT64_MAX);
    return true;
}

void hs_fetch_work(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_kv_key prefix = hs_held_welcome_key(HS_VIEW(peer->root));
    Hanse__State__HeldWelcome *held;
    Hanse__InboxItem *item;
    struct hs_bytes key;
    while (turn->kv->err == HS_OK && hs_held_welcome_first(turn, &prefix, &key, &held) &&
           (item = hs_held_welcome_item(turn, held)) != NULL) {
        struct hs_id hash;
        (void)HS_FIXED(hs_pb_bytes(item->welcome->tree->hash), &hash);
        struct hs_id place = place_of(HS_VIEW(peer->root), &hash);
        Hanse__State__BlobView *view = hs_blob_view(turn, &place);
        bool there = is_whole(hs_blob_view(turn, &hash));
        if (view != NULL && !there) {
            if (hs_kept_has_place(turn, &peer->root, view->size - hs_blob_have(turn, &place)))
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
    hs_kept_count(turn, &peer->root, want);
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
