#include "core/records/layout.h"

#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "wire/limits.h"
#include "wire/unpack.h"

/* Brings a store of the layout before the next one to that. */
typedef enum hs_err migration(struct hs_kv *kv);

/* From each older layout to the one behind it; NULL where there is no way. */
static migration *const migrations[HS_LAYOUT] = {NULL};

static struct hs_kv_key layout_key(void)
{
    return hs_key_sub(HS_MISC_LAYOUT, (struct hs_bytes){0}, (struct hs_bytes){0});
}

static bool is_empty(struct hs_kv *kv)
{
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_arena HS_ARENA scratch = hs_arena(2 * HS_KV_KEY_MAX);
        struct hs_bytes key, none = {0};
        if (hs_kv_next(kv, table, none, none, &scratch, &key, NULL))
            return false;
    }
    return true;
}

static void write_layout(struct hs_kv *kv, uint64_t layout)
{
    struct hs_turn turn = {.kv = kv};
    struct hs_kv_key key = layout_key();
    hs_number_put(&turn, HS_T_MISC, &key, layout);
}

/* found: 0 where the store doesn't say. */
static enum hs_err read_layout(struct hs_kv *kv, uint64_t *found)
{
    struct hs_arena HS_ARENA scratch = hs_arena(4096);
    struct hs_turn turn = {.kv = kv, .arena = &scratch};
    struct hs_kv_key key = layout_key();
    *found = hs_number_get(&turn, HS_T_MISC, &key, NULL);
    return kv->err;
}

enum hs_err hs_layout_check(struct hs_kv *kv, uint64_t *found)
{
    HS_TRY(read_layout(kv, found));
    return *found == HS_LAYOUT ? HS_OK : HS_ERR_UNSUPPORTED;
}

enum hs_err hs_layout_open(struct hs_kv *kv, uint64_t *found)
{
    HS_TRY(read_layout(kv, found));
    if (*found == 0) {
        HS_REQUIRE(is_empty(kv), kv->err != HS_OK ? kv->err : HS_ERR_UNSUPPORTED);
        *found = HS_LAYOUT;
        write_layout(kv, HS_LAYOUT);
        return kv->err;
    }
    HS_REQUIRE(*found <= HS_LAYOUT, HS_ERR_UNSUPPORTED);
    for (uint64_t layout = *found; layout < HS_LAYOUT; layout++)
        HS_REQUIRE(migrations[layout] != NULL, HS_ERR_UNSUPPORTED);
    for (uint64_t layout = *found; layout < HS_LAYOUT; layout++)
        HS_TRY(migrations[layout](kv));
    if (*found < HS_LAYOUT)
        write_layout(kv, HS_LAYOUT);
    return kv->err;
}

static struct hs_kv_key restored_key(void)
{
    return hs_key_sub(HS_MISC_RESTORED, (struct hs_bytes){0}, (struct hs_bytes){0});
}

uint64_t hs_restored_since(struct hs_turn *turn)
{
    struct hs_kv_key key = restored_key();
    return hs_number_get(turn, HS_T_MISC, &key, NULL);
}

/* The newest such record of this node's stream, from the end backwards. */
static struct hs_time find_restored(struct hs_turn *turn)
{
    const struct hs_key *root = hs_turn_root(turn);
    struct hs_kv_key next = hs_stream_next_key(HS_STREAM_NODE, HS_VIEW(*root));
    struct hs_stream_at at = {.stream = HS_STREAM_NODE};
    HS_ASSERT(HS_FIXED(HS_VIEW(*root), &at.id));
    for (at.seq = hs_number_get(turn, HS_T_STREAM_NEXT, &next, NULL); at.seq-- > 0;) {
        struct hs_arena HS_ARENA scratch = hs_arena(4 * HS_FRAME_MAX);
        struct hs_kv_key key = hs_stream_key(&at);
        struct hs_bytes value;
        Hanse__State__StreamRecord *record;
        if (!hs_kv_get(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&key), &scratch, &value))
            continue;
        enum hs_err err = HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, &scratch, &record);
        if (err != HS_OK)
            turn->kv->err = turn->kv->err != HS_OK ? turn->kv->err : err;
        else if (record->body_case == HANSE__STATE__STREAM_RECORD__BODY_RESTORED)
            return (struct hs_time){record->time_ms};
    }
    return (struct hs_time){INT64_MAX}; /* it was, and nothing says when */
}

struct hs_time hs_restored_at(struct hs_turn *turn)
{
    struct hs_core *core = turn->core;
    if (hs_restored_since(turn) == 0)
        return (struct hs_time){INT64_MIN};
    if (core->restored_at.ms != 0)
        return core->restored_at;
    struct hs_time found = find_restored(turn);
    if (turn->kv->err == HS_OK) /* of a turn that ends here nothing is remembered */
        core->restored_at = found;
    return found;
}

uint64_t hs_restored_first(uint64_t incarnation)
{
    return incarnation << 32; /* no inbox gets so many items in one incarnation */
}

void hs_restored_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                       const Hanse__State__StreamRecord *record)
{
    (void)at;
    struct hs_kv_key key = restored_key();
    hs_node_key_restored(turn, hs_restored_since(turn));
    hs_number_put(turn, HS_T_MISC, &key, record->restored->incarnation);
}

void hs_restored_record(struct hs_turn *turn, uint64_t incarnation)
{
    Hanse__State__Restored restored = HANSE__STATE__RESTORED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    restored.incarnation = incarnation;
    record.restored = &restored;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_RESTORED;
    hs_stream_record(turn, HS_STREAM_NODE, HS_VIEW(*hs_turn_root(turn)), &record);
}
