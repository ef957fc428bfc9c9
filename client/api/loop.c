/* The loop's one turn: socket -> session -> sync -> store -> session -> socket. */
#include "api/handle.h"

static enum hs_err closed(struct hanse *h, enum hs_err why)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    hs_conn_free(h->conn);
    h->conn = NULL;
    h->told_authenticated = false;
    HS_TRY(hs_api_open(h, &s, &arena));
    return hs_api_close(h, &s, hs_sync_closed(&s, why));
}

/* What the sync has for the node goes to its session. */
static enum hs_err push(struct hanse *h)
{
    struct hs_bytes frame;
    if (h->conn == NULL)
        return HS_OK;
    if (!h->told_authenticated && hs_sync_is_authenticated(h->sync)) {
        hs_conn_set_authenticated(h->conn);
        h->told_authenticated = true;
    }
    while (hs_sync_next_frame(h->sync, &frame)) {
        enum hs_err err = hs_conn_send(h->conn, frame);
        if (err != HS_OK)
            return closed(h, err);
    }
    enum hs_err err = hs_conn_flush(h->conn);
    if (err == HS_OK && hs_sync_hangs_up(h->sync))
        err = HS_ERR_CLOSED;
    return err == HS_OK ? HS_OK : closed(h, err);
}

static enum hs_err dial(struct hanse *h)
{
    struct hs_step s;
    struct hs_dial to = {0};
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    HS_TRY(hs_api_open(h, &s, &arena));
    bool wanted = hs_sync_dial(&s, &to);
    enum hs_err err = hs_api_close(h, &s, HS_OK);
    if (err == HS_OK && wanted) {
        enum hs_err made = hs_conn_open(&to, s.now, &h->conn);
        if (made != HS_OK)
            err = closed(h, made);
    }
    hs_wipe(&to, sizeof to);
    return err;
}

/* One event of the session. */
static enum hs_err event_in(struct hanse *h, struct hs_step *s, const struct hs_link_event *event)
{
    struct hs_key node;
    switch (event->kind) {
    case HS_LINK_DESCRIPTOR:
        HS_TRY(hs_sync_descriptor(s, event->bytes, &node));
        return hs_conn_start(h->conn, &node);
    case HS_LINK_READY:
        return hs_sync_opened(s, event->hash);
    case HS_LINK_FRAME:
        return hs_sync_frame(s, event->bytes);
    case HS_LINK_NONE:
        break;
    }
    return HS_OK;
}

/* All events of one input in one transaction: what the node sends at once costs one sync of the disk. */
static enum hs_err events_in(struct hanse *h, bool *fault)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct hs_link_event event;
    enum hs_err err = hs_conn_next(h->conn, &event);
    *fault = err != HS_OK;
    if (err != HS_OK || event.kind == HS_LINK_NONE)
        return err;
    HS_TRY(hs_api_open(h, &s, &arena));
    while (err == HS_OK && event.kind != HS_LINK_NONE) {
        err = event_in(h, &s, &event);
        if (err == HS_OK && (err = hs_conn_next(h->conn, &event)) != HS_OK)
            *fault = true;
    }
    err = hs_api_close(h, &s, err);
    *fault = err != HS_OK && h->broken == HS_OK;
    return err;
}

static enum hs_err session_step(struct hanse *h)
{
    bool fault;
    enum hs_err err = hs_conn_step(h->conn, hs_api_now());
    if (err != HS_OK)
        return closed(h, err);
    err = events_in(h, &fault);
    if (fault)
        return closed(h, err);
    return err;
}

static enum hs_err tick(struct hanse *h)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    HS_TRY(hs_api_open(h, &s, &arena));
    enum hs_err err = hs_api_close(h, &s, hs_sync_tick(&s));
    return err != HS_OK && h->broken == HS_OK ? closed(h, err) : err;
}

static enum hs_err step(struct hanse *h)
{
    HS_REQUIRE(h->broken == HS_OK, h->broken);
    if (h->conn != NULL)
        HS_TRY(session_step(h));
    if (hs_sync_deadline(h->sync).ms <= hs_api_now().ms)
        HS_TRY(tick(h));
    if (h->conn == NULL && hs_sync_deadline(h->sync).ms <= hs_api_now().ms)
        HS_TRY(dial(h));
    return push(h);
}

enum hanse_err hanse_step(struct hanse *h)
{
    return (enum hanse_err)step(h);
}

int hanse_fd(const struct hanse *h)
{
    return h->conn != NULL ? hs_conn_fd(h->conn) : -1;
}

unsigned hanse_poll_events(const struct hanse *h)
{
    if (h->conn == NULL)
        return 0;
    return HANSE_POLL_IN | (hs_conn_wants_write(h->conn) ? HANSE_POLL_OUT : 0);
}

int hanse_timeout_ms(const struct hanse *h)
{
    struct hs_time first = hs_sync_deadline(h->sync);
    if (h->conn != NULL && (hs_sync_has_frame(h->sync) || hs_sync_hangs_up(h->sync)))
        return 0; /* what was called since the last step waits for the next one */
    if (h->conn != NULL && hs_conn_deadline(h->conn).ms < first.ms)
        first = hs_conn_deadline(h->conn);
    if (first.ms == INT64_MAX)
        return -1;
    int64_t left = first.ms - hs_api_now().ms;
    return left <= 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

void hanse_stay_online(struct hanse *h, bool on)
{
    hs_sync_stay_online(h->sync, on);
    hs_uv_called(h);
}

bool hanse_has_pending(const struct hanse *h)
{
    return hs_sync_has_pending(h->sync);
}

void hanse_next_event(struct hanse *h, struct hanse_event *event)
{
    hs_sync_next_event(h->sync, event);
}
