#include "core/records/stream.h"

#include "core/records/apply.h"
#include "core/records/table.h"

struct hs_kv_key hs_stream_next_key(enum hs_stream stream, struct hs_bytes id)
{
    uint8_t kind = (uint8_t)stream;
    return hs_key2(hs_bytes(&kind, 1), id);
}

struct hs_kv_key hs_stream_key(const struct hs_stream_at *at)
{
    struct hs_kv_key key = hs_stream_next_key(at->stream, HS_VIEW(at->id));
    hs_kv_key_add_u64(&key, at->seq);
    return key;
}

static struct hs_kv_key journal_key(uint64_t n)
{
    struct hs_kv_key key = {0};
    hs_kv_key_add_u64(&key, n);
    return key;
}

static struct hs_kv_key journal_next_key(void)
{
    return hs_key_sub(HS_MISC_JOURNAL, (struct hs_bytes){0}, (struct hs_bytes){0});
}

uint64_t hs_journal_next(struct hs_turn *turn)
{
    struct hs_kv_key key = journal_next_key();
    return hs_number_get(turn, HS_T_MISC, &key, NULL);
}

void hs_journal_add(struct hs_turn *turn, const struct hs_stream_at *at)
{
    uint64_t n = hs_journal_next(turn);
    struct hs_kv_key key = journal_key(n), next = journal_next_key(), value = hs_stream_key(at);
    hs_kv_put(turn->kv, HS_T_JOURNAL, hs_kv_key_bytes(&key), hs_kv_key_bytes(&value));
    hs_number_put(turn, HS_T_MISC, &next, n + 1);
}

void hs_journal_pass(struct hs_turn *turn, uint64_t next)
{
    struct hs_kv_key key = journal_next_key();
    hs_number_put(turn, HS_T_MISC, &key, next);
}

bool hs_stream_may_thin(enum hs_stream stream)
{
    return stream == HS_STREAM_DEVICE || stream == HS_STREAM_PEER || stream == HS_STREAM_BLOB;
}

void hs_journal_forget(struct hs_turn *turn, uint64_t n)
{
    struct hs_kv_key key = journal_key(n);
    hs_kv_del(turn->kv, HS_T_JOURNAL, hs_kv_key_bytes(&key));
}

/* The newest one's row says how far the stream's numbers have come. */
void hs_journal_drop(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t n)
{
    struct hs_kv_key next = hs_stream_next_key(at->stream, HS_VIEW(at->id));
    if (hs_number_get(turn, HS_T_STREAM_NEXT, &next, NULL) != at->seq + 1)
        hs_journal_forget(turn, n);
}

/* Of an outbox the journal's number of the newest record is known too: it is dropped with the next one. */
static void enter_outbox(struct hs_turn *turn, const struct hs_stream_at *at, const struct hs_kv_key *next)
{
    struct hs_stream_at before = *at;
    struct hs_kv_key value = {0};
    struct hs_bytes was;
    if (hs_kv_get(turn->kv, HS_T_STREAM_NEXT, hs_kv_key_bytes(next), turn->arena, &was) && was.len == 16) {
        before.seq = hs_kv_u64(was) - 1;
        struct hs_kv_key key = hs_stream_key(&before);
        if (!hs_kv_has(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&key)))
            hs_journal_forget(turn, hs_kv_u64(hs_bytes(was.data, 8)));
    }
    hs_kv_key_add_u64(&value, hs_journal_next(turn));
    hs_kv_key_add_u64(&value, at->seq + 1);
    hs_kv_put(turn->kv, HS_T_STREAM_NEXT, hs_kv_key_bytes(next), hs_kv_key_bytes(&value));
}

void hs_stream_enter(struct hs_turn *turn, const struct hs_stream_at *at)
{
    struct hs_kv_key next = hs_stream_next_key(at->stream, HS_VIEW(at->id));
    if (at->stream == HS_STREAM_OUTBOX)
        enter_outbox(turn, at, &next);
    else
        hs_number_put(turn, HS_T_STREAM_NEXT, &next, at->seq + 1);
    hs_journal_add(turn, at);
}

bool hs_stream_at_parse(struct hs_bytes key, struct hs_stream_at *at)
{
    if (key.len != 1 + sizeof at->id.b + 8)
        return false;
    at->stream = (enum hs_stream)key.data[0];
    memcpy(at->id.b, key.data + 1, sizeof at->id.b);
    at->seq = hs_kv_u64(key);
    return true;
}

bool hs_journal_at(struct hs_turn *turn, uint64_t *n, struct hs_stream_at *at)
{
    struct hs_bytes key, value, none = {0};
    struct hs_kv_key from = journal_key(*n);
    if (!hs_kv_next(turn->kv, HS_T_JOURNAL, none, hs_kv_key_bytes(&from), turn->arena, &key, &value))
        return false;
    *n = hs_kv_u64(key);
    return hs_stream_at_parse(value, at);
}

void hs_stream_record(struct hs_turn *turn, enum hs_stream stream, struct hs_bytes id,
                      Hanse__State__StreamRecord *record)
{
    struct hs_stream_at at = {.stream = stream};
    struct hs_kv_key next = hs_stream_next_key(stream, id);
    HS_ASSERT(HS_FIXED(id, &at.id));
    at.seq = hs_number_get(turn, HS_T_STREAM_NEXT, &next, NULL);
    struct hs_kv_key key = hs_stream_key(&at);
    record->time_ms = turn->now.ms;
    hs_view_put(turn, HS_T_STREAM, &key, &record->base);
    hs_stream_enter(turn, &at);
    HS_ASSERT(hs_stream_apply(turn, &at, record));
}

static const struct {
    Hanse__State__StreamRecord__BodyCase body;
    hs_stream_apply_fn *apply;
} rows[] = {
    {HANSE__STATE__STREAM_RECORD__BODY_SIGNED_UP, hs_signed_up_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_BOUND, hs_bound_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_COUNTER_ASKED, hs_counter_asked_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_LEDGER, hs_ledger_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_QUEUED, hs_queued_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_REFUSED, hs_refused_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON, hs_handed_on_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_FOLLOWED, hs_followed_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_DOMAIN_TIED, hs_domain_tied_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_ROOT_SHOWN, hs_root_shown_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_ROOT_DECIDED, hs_root_decided_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_WAKE_SET, hs_wake_set_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_EVIDENCE, hs_evidence_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_TREE_CAME, hs_tree_came_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_BLOB_GONE, hs_blob_gone_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_RESTORED, hs_restored_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_RESUMED, hs_resumed_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_DESCRIBED, hs_described_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_BLOB_STORED, hs_blob_stored_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_WAY_SHOWN, hs_way_shown_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_TAKEOVER, hs_takeover_apply},
    {HANSE__STATE__STREAM_RECORD__BODY_HOME_TOLD, hs_home_told_apply},
};

bool hs_stream_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                     const Hanse__State__StreamRecord *record)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].body == record->body_case) {
            rows[i].apply(turn, at, record);
            return true;
        }
    return false;
}
