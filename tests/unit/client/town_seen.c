/* What a test sees of a device: its events, its store, its history. */
#include "town_inside.h"

#include "store/posts.h"

#include <stdio.h>

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
