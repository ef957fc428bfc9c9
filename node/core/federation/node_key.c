#include "core/federation/node_key.h"

#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "object/object.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 32 * HS_DESCRIPTOR_MAX };

/* One of those that are kept. */
struct known {
    struct hs_kv_key key;
    struct hs_bytes bytes;
    struct hs_descriptor d;
    struct hs_time since;
};

/* The next one of the root at or behind from, its bytes in the arena. */
static bool next_known(struct hs_kv *kv, const struct hs_key *root, struct hs_kv_key *from,
                       struct hs_arena *arena, struct known *out)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key, value;
    Hanse__State__DescriptorView *view;
    Hanse__SignedObject *object;
    if (from->len == 0)
        *from = hs_key1(HS_VIEW(*root));
    if (!hs_kv_next(kv, HS_T_DESCRIPTOR, HS_VIEW(*root), hs_kv_key_bytes(from), &scratch, &key, &value))
        return false;
    *out = (struct known){.key = hs_key1(key)};
    *from = hs_kv_after(key);
    if (HS_UNPACK(hanse__state__descriptor_view, value, HS_LENIENT, &scratch, &view) == HS_OK &&
        hs_object_unpack(hs_pb_bytes(view->descriptor), &scratch, &object) == HS_OK &&
        hs_descriptor_claimed(object, &out->d) == HS_OK) {
        out->since.ms = view->since_ms;
        out->bytes = hs_arena_copy(arena, hs_pb_bytes(view->descriptor));
    }
    if (out->bytes.data == NULL && kv->err == HS_OK)
        kv->err = HS_ERR_NOMEM; /* one's own bytes are well formed */
    return out->bytes.data != NULL;
}

static bool same_keys(const struct hs_descriptor *a, const struct hs_descriptor *b)
{
    return hs_key_equal(&a->signing_key, &b->signing_key) &&
           hs_key_equal(&a->transport_key, &b->transport_key);
}

static Hanse__SignedObject *give(struct hs_turn *turn, const struct known *known, struct hs_descriptor *out)
{
    Hanse__SignedObject *object;
    if (known->bytes.len == 0 || hs_object_unpack(known->bytes, turn->arena, &object) != HS_OK)
        return NULL;
    if (out != NULL)
        *out = known->d;
    return object;
}

Hanse__SignedObject *hs_node_key_newest(struct hs_turn *turn, const struct hs_key *root,
                                        struct hs_descriptor *out)
{
    struct hs_kv_key from = {0};
    struct known known, newest = {0};
    while (next_known(turn->kv, root, &from, turn->arena, &known))
        newest = known;
    return give(turn, &newest, out);
}

static struct hs_kv_key before_key(const struct hs_key *root)
{
    return hs_key_sub(HS_MISC_RESTORED, HS_VIEW(*root), (struct hs_bytes){0});
}

/* ---- restorings: of the last one the root's row says what it began with, of those before it one each ----
 */

static struct hs_kv_key former_key(uint64_t incarnation)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_RESTORINGS, (struct hs_bytes){0}, (struct hs_bytes){0});
    hs_kv_key_add_u64(&key, incarnation);
    return key;
}

/* The next of the former ones at or behind from. */
static bool next_former(struct hs_turn *turn, struct hs_kv_key *from, uint64_t *incarnation,
                        uint64_t *sequence)
{
    struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_KV_KEY_MAX);
    struct hs_kv_key prefix = hs_key_sub(HS_MISC_RESTORINGS, (struct hs_bytes){0}, (struct hs_bytes){0});
    struct hs_bytes key, value;
    if (from->len == 0)
        *from = prefix;
    if (!hs_kv_next(turn->kv, HS_T_MISC, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(from), &scratch, &key,
                    &value))
        return false;
    *from = hs_kv_after(key);
    *incarnation = hs_kv_u64(key);
    *sequence = hs_kv_u64(value);
    return true;
}

/* Of too many the oldest two become one: rather too old a key is believed than what was lost is not. */
static void bound_former(struct hs_turn *turn)
{
    struct hs_kv_key from = {0};
    uint64_t incarnation[2], sequence[2], count = 0, n, s;
    while (next_former(turn, &from, &n, &s)) {
        if (count < 2) {
            incarnation[count] = n;
            sequence[count] = s;
        }
        count++;
    }
    if (count <= HS_RESTORINGS_MAX)
        return;
    struct hs_kv_key gone = former_key(incarnation[0]), left = former_key(incarnation[1]);
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&gone));
    hs_number_put(turn, HS_T_MISC, &left, sequence[0] < sequence[1] ? sequence[0] : sequence[1]);
}

/* Where the keys are the same as then the new row says it for both. */
void hs_node_key_restored(struct hs_turn *turn, uint64_t before)
{
    struct hs_descriptor newest;
    struct hs_kv_key key = before_key(hs_turn_root(turn)), former = former_key(before);
    bool known;
    uint64_t sequence = hs_number_get(turn, HS_T_MISC, &key, &known);
    if (hs_node_key_newest(turn, hs_turn_root(turn), &newest) == NULL)
        return;
    if (known && before > 0 && sequence != newest.sequence) {
        hs_number_put(turn, HS_T_MISC, &former, sequence);
        bound_former(turn);
    }
    hs_number_put(turn, HS_T_MISC, &key, newest.sequence);
}

uint64_t hs_node_key_forgotten(struct hs_turn *turn, uint64_t since)
{
    struct hs_kv_key key = before_key(hs_turn_root(turn)), from = {0};
    uint64_t least = hs_number_get(turn, HS_T_MISC, &key, NULL), incarnation, sequence;
    while (next_former(turn, &from, &incarnation, &sequence))
        if (incarnation > since && sequence < least)
            least = sequence;
    return least;
}

static bool find(struct hs_kv *kv, const struct hs_key *root, const struct hs_key *signing_key,
                 struct hs_arena *arena, struct known *out)
{
    struct hs_kv_key from = {0};
    while (next_known(kv, root, &from, arena, out))
        if (hs_key_equal(&out->d.signing_key, signing_key))
            return true;
    return false;
}

Hanse__SignedObject *hs_node_key_of(struct hs_turn *turn, const struct hs_key *root,
                                    const struct hs_key *signing_key, struct hs_descriptor *out)
{
    struct known known;
    return find(turn->kv, root, signing_key, turn->arena, &known) ? give(turn, &known, out) : NULL;
}

uint64_t hs_node_key_sequence(struct hs_turn *turn, const struct hs_key *root,
                              const struct hs_key *signing_key)
{
    struct hs_kv_key from = {0};
    struct known known;
    uint64_t sequence = 0;
    while (next_known(turn->kv, root, &from, turn->arena, &known))
        if (hs_key_equal(&known.d.signing_key, signing_key))
            sequence = known.d.sequence; /* they come in this order */
    return sequence;
}

Hanse__SignedObject *hs_node_key_own_at(struct hs_turn *turn, const struct hs_key *signing_key,
                                        struct hs_time at)
{
    struct hs_kv_key from = {0};
    struct known known;
    while (next_known(turn->kv, hs_turn_root(turn), &from, turn->arena, &known))
        if (hs_key_equal(&known.d.signing_key, signing_key) &&
            hs_descriptor_check_time(&known.d, at) == HS_OK)
            return give(turn, &known, NULL);
    return NULL;
}

enum hs_err hs_node_key_head_in(struct hs_kv *kv, const struct hs_key *root,
                                const Hanse__SignedObject *object, const struct hs_id *room,
                                struct hs_head *head)
{
    struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP * HS_NODE_KEYS);
    struct hs_key key;
    struct known known;
    HS_REQUIRE(hs_object_claimed_signer(object, 0, &key), HS_ERR_MALFORMED);
    HS_REQUIRE(find(kv, root, &key, &arena, &known), kv->err != HS_OK ? kv->err : HS_ERR_NOT_FOUND);
    return hs_head_verify(object, &key, room, head);
}

enum hs_err hs_node_key_head(struct hs_turn *turn, const struct hs_key *root,
                             const Hanse__SignedObject *object, const struct hs_id *room,
                             struct hs_head *head)
{
    return hs_node_key_head_in(turn->kv, root, object, room, head);
}

/* ---- what is learned ---- */

static void record(struct hs_turn *turn, enum hs_stream stream, const struct hs_key *root,
                   struct hs_bytes descriptor)
{
    Hanse__State__Described described = HANSE__STATE__DESCRIBED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    described.descriptor = hs_pb_data(descriptor);
    record.described = &described;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_DESCRIBED;
    hs_stream_record(turn, stream, HS_VIEW(*root), &record);
}

/* Another node's that has changed its keys often: the first ones go. */
static void forget_first(struct hs_turn *turn, const struct hs_key *root)
{
    struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP * HS_NODE_KEYS);
    struct hs_kv_key from = {0}, first = {0};
    struct known known;
    size_t count = 0;
    while (next_known(turn->kv, root, &from, &arena, &known))
        if (count++ == 0)
            first = known.key;
    if (count > HS_NODE_KEYS)
        hs_kv_del(turn->kv, HS_T_DESCRIPTOR, hs_kv_key_bytes(&first));
}

/* Of one number there is one descriptor, but where a node has forgotten that it had it and made another one:
 * then those of one number follow each other. */
static struct hs_kv_key place_of(struct hs_turn *turn, const struct hs_descriptor *d)
{
    struct hs_kv_key key = hs_key_seq(HS_VIEW(d->root), d->sequence), from = key;
    struct known known;
    if (next_known(turn->kv, &d->root, &from, turn->arena, &known) && known.d.sequence == d->sequence &&
        !same_keys(&known.d, d))
        hs_kv_key_add(&key, HS_VIEW(d->signing_key));
    return key;
}

void hs_described_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *record)
{
    struct hs_bytes bytes = hs_pb_bytes(record->described->descriptor);
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    struct hs_key root;
    HS_ASSERT(HS_FIXED(HS_VIEW(at->id), &root));
    enum hs_err err = hs_object_unpack(bytes, turn->arena, &object);
    if (err == HS_OK)
        err = hs_descriptor_claimed(object, &d);
    if (err != HS_OK) {
        if (turn->kv->err == HS_OK)
            turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
        return;
    }
    Hanse__State__DescriptorView view = HANSE__STATE__DESCRIPTOR_VIEW__INIT;
    struct hs_kv_key key = place_of(turn, &d);
    view.descriptor = record->described->descriptor;
    view.since_ms = record->time_ms;
    hs_view_put(turn, HS_T_DESCRIPTOR, &key, &view.base);
    if (at->stream == HS_STREAM_PEER)
        forget_first(turn, &root);
}

enum hs_err hs_node_key_check(struct hs_turn *turn, const struct hs_descriptor *d)
{
    struct hs_kv_key from = {0};
    struct known known;
    size_t of_late = 0;
    bool is_known = false, replaced = false;
    while (next_known(turn->kv, &d->root, &from, turn->arena, &known)) {
        bool same = same_keys(&known.d, d);
        is_known = is_known || same;
        replaced = !same && (replaced || known.d.sequence >= d->sequence);
        of_late += turn->now.ms - known.since.ms < HS_NODE_KEY_DAY_MS ? 1 : 0;
    }
    HS_REQUIRE(!replaced, HS_ERR_REPLAY);
    HS_REQUIRE(is_known || of_late < HS_NODE_KEYS_A_DAY, HS_ERR_RATE_LIMITED);
    return turn->kv->err;
}

void hs_node_key_learn(struct hs_turn *turn, struct hs_bytes descriptor, const struct hs_descriptor *d)
{
    struct hs_kv_key from = {0};
    struct known known;
    bool news = true;
    while (next_known(turn->kv, &d->root, &from, turn->arena, &known))
        news = known.d.sequence < d->sequence && !same_keys(&known.d, d);
    if (news && turn->kv->err == HS_OK)
        record(turn, HS_STREAM_PEER, &d->root, descriptor);
}

void hs_node_key_of_session(struct hs_turn *turn)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    struct hs_bytes bytes = turn->session->descriptor;
    if (bytes.len == 0)
        return;
    enum hs_err err = hs_object_unpack(bytes, turn->arena, &object);
    if (err == HS_OK)
        err = hs_descriptor_claimed(object, &d);
    if (err == HS_OK)
        hs_node_key_learn(turn, bytes, &d);
    else if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = err; /* once more, then: what isn't known of it now would be missed later */
}

void hs_node_key_own(struct hs_turn *turn)
{
    const struct hs_core *core = turn->core;
    struct hs_kv_key from = hs_key_seq(HS_VIEW(core->root), core->descriptor.sequence);
    struct hs_bytes bytes;
    struct known known;
    while (next_known(turn->kv, &core->root, &from, turn->arena, &known))
        if (known.d.sequence == core->descriptor.sequence && same_keys(&known.d, &core->descriptor))
            return;
    if (hs_object_pack(core->descriptor_object, turn->arena, &bytes) == HS_OK)
        record(turn, HS_STREAM_NODE, &core->root, bytes);
    else if (turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
}

void hs_node_key_recall(struct hs_turn *turn, const Hanse__SignedObject *object)
{
    const struct hs_key *root = hs_turn_root(turn);
    struct hs_descriptor d;
    struct hs_bytes bytes;
    if (hs_descriptor_claimed(object, &d) != HS_OK ||
        hs_node_key_of(turn, root, &d.signing_key, NULL) != NULL || turn->kv->err != HS_OK ||
        hs_descriptor_open(object, root, &d) != HS_OK)
        return;
    enum hs_err err = hs_object_pack(object, turn->arena, &bytes);
    if (err == HS_OK && bytes.len <= HS_DESCRIPTOR_MAX)
        record(turn, HS_STREAM_NODE, root, bytes);
    else if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = err;
}
