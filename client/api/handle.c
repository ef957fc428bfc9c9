#include "api/handle.h"

#include "base/text.h"
#include "crypto/selftest.h"

#include <stdlib.h>
#include <time.h>

enum { LOCK_POLL_MS = 50 };

struct hs_time hs_api_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct hs_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

void hanse_id_text(const struct hanse_id *id, char out[65])
{
    hs_hex(HS_VIEW(*id), out);
}

enum hanse_err hanse_id_parse(const char *text, struct hanse_id *out)
{
    return (enum hanse_err)hs_unhex(text, out->b, sizeof out->b);
}

static enum hs_err db_open_patiently(const char *dir, const uint8_t *key, unsigned wait_ms,
                                     struct hs_db **out)
{
    struct hs_time until = {hs_api_now().ms + wait_ms};
    const struct timespec pause = {0, LOCK_POLL_MS * 1000000};
    enum hs_err err;
    while ((err = hs_db_open(dir, key, out)) == HS_ERR_LOCKED && hs_api_now().ms < until.ms)
        nanosleep(&pause, NULL);
    return err;
}

static enum hs_err first_look(struct hanse *h)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    HS_TRY(hs_api_open(h, &s, &arena));
    return hs_api_close(h, &s, HS_OK);
}

enum hanse_err hanse_open(const char *dir, const uint8_t key[HANSE_KEY_LEN], unsigned wait_ms,
                          struct hanse **out)
{
    enum hs_err err = hs_crypto_init();
    if (err != HS_OK)
        return (enum hanse_err)err;
    struct hanse *h = calloc(1, sizeof *h);
    if (h == NULL)
        return HANSE_ERR_NOMEM;
    err = hs_sync_new(&h->sync);
    if (err == HS_OK)
        err = db_open_patiently(dir, key, wait_ms, &h->db);
    if (err == HS_OK)
        err = first_look(h);
    if (err != HS_OK) {
        hanse_close(h);
        return (enum hanse_err)err;
    }
    *out = h;
    return HANSE_OK;
}

/* Cursors that weren't told make nothing but repetition: nobody waits for them. */
static void say_goodbye(struct hanse *h)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct hs_bytes frame;
    if (h->conn == NULL || h->broken != HS_OK || hs_api_open(h, &s, &arena) != HS_OK)
        return;
    if (hs_api_close(h, &s, hs_sync_flush(&s)) != HS_OK)
        return;
    while (hs_sync_next_frame(h->sync, &frame))
        if (hs_conn_send(h->conn, frame) != HS_OK)
            return;
    enum hs_err err = hs_conn_flush(h->conn);
    (void)err;
}

void hanse_close(struct hanse *h)
{
    if (h == NULL)
        return;
    hanse_uv_stop(h);
    if (h->db != NULL)
        say_goodbye(h);
    hs_conn_free(h->conn);
    hs_sync_free(h->sync);
    hs_db_close(h->db);
    hs_arena_free(&h->shown);
    free(h);
}

enum hs_err hs_api_open(struct hanse *h, struct hs_step *s, struct hs_arena *arena)
{
    HS_REQUIRE(h->broken == HS_OK, h->broken);
    hs_arena_free(&h->shown);
    *s = (struct hs_step){.sync = h->sync, .arena = arena, .now = hs_api_now()};
    HS_TRY(hs_db_begin(h->db, &s->kv));
    enum hs_err err = hs_sync_enter(s);
    return err == HS_OK ? HS_OK : hs_api_close(h, s, err);
}

/* Errors that only this machine's state explains end the handle; what was asked for wrongly doesn't. */
static bool is_fatal(enum hs_err err)
{
    return err == HS_ERR_STORE || err == HS_ERR_STORE_FULL || err == HS_ERR_NOMEM || err == HS_ERR_SEAL;
}

enum hs_err hs_api_close(struct hanse *h, struct hs_step *s, enum hs_err err)
{
    if (err == HS_OK)
        err = hs_sync_settle(s);
    if (s->kv->err != HS_OK)
        err = s->kv->err;
    if (err == HS_OK)
        err = hs_db_commit(h->db);
    else
        hs_db_abort(h->db);
    if (err == HS_OK) {
        hs_sync_release(h->sync);
        return HS_OK;
    }
    hs_sync_rollback(h->sync);
    if (is_fatal(err))
        h->broken = err;
    return err;
}

enum hs_err hs_api_look(struct hanse *h, struct hs_step *s)
{
    HS_REQUIRE(h->broken == HS_OK, h->broken);
    hs_arena_free(&h->shown);
    h->shown = hs_arena(HS_STEP_ARENA);
    *s = (struct hs_step){.sync = h->sync, .arena = &h->shown, .now = hs_api_now()};
    HS_TRY(hs_db_begin_read(h->db, &s->kv));
    enum hs_err err = hs_sync_enter(s);
    if (err != HS_OK)
        hs_db_end_read(h->db);
    return err;
}

enum hanse_err hs_api_looked(struct hanse *h, enum hs_err err)
{
    hs_db_end_read(h->db);
    return (enum hanse_err)err;
}
