#include "sync/state.h"
#include "sync/talk/file.h"

#include <stdlib.h>

enum hs_err hs_op_new(struct hs_step *s, struct hs_op **out, uint64_t *number)
{
    struct hs_op *op = calloc(1, sizeof *op);
    HS_REQUIRE(op != NULL, HS_ERR_NOMEM);
    op->number = ++s->sync->next_op;
    op->started = s->now;
    op->fresh = true;
    struct hs_op **end = &s->sync->ops;
    while (*end != NULL)
        end = &(*end)->next;
    *end = op;
    *out = op;
    *number = op->number;
    return HS_OK;
}

struct hs_op *hs_op_find(struct hs_sync *sync, uint64_t number)
{
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        if (op->number == number)
            return op;
    return NULL;
}

struct hs_op *hs_op_of_outbox(struct hs_sync *sync, uint64_t row)
{
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        if (op->outbox == row)
            return op;
    return NULL;
}

static void op_free(struct hs_op *op)
{
    if (op->text != NULL)
        hs_wipe(op->text, strlen(op->text));
    if (op->bytes != NULL)
        hs_wipe(op->bytes, op->bytes_len);
    if (op->transfer != NULL)
        hs_wipe(op->transfer, sizeof *op->transfer);
    free(op->transfer);
    free(op->text);
    free(op->bytes);
    free(op);
}

/* Out of the list, but kept until the step is durable: without it, the operation was never over. */
static void op_remove(struct hs_sync *sync, const struct hs_op *op)
{
    for (struct hs_op **at = &sync->ops; *at != NULL; at = &(*at)->next) {
        if (*at != op)
            continue;
        struct hs_op *gone = *at;
        *at = gone->next;
        gone->next = sync->ops_over;
        sync->ops_over = gone;
        return;
    }
}

enum hs_err hs_op_done(struct hs_step *s, struct hs_op *op, enum hs_err err, const struct hs_id *id,
                       uint64_t seq, const char *text)
{
    if (op == NULL)
        return HS_OK;
    struct hanse_event event = {
        .kind = HANSE_EVENT_DONE, .err = (enum hanse_err)err, .op = op->number, .seq = seq};
    memcpy(event.room.b, op->room.b, sizeof event.room.b);
    if (id != NULL)
        memcpy(event.id.b, id->b, sizeof event.id.b);
    HS_TRY(hs_out_event(s, &event, text));
    op_remove(s->sync, op);
    return HS_OK;
}

enum hs_err hs_op_begin(struct hs_step *s, struct hs_op *op)
{
    bool served = hs_home_is_online(s->sync) || (s->sync->session == HS_SESSION_STRANGER && op->stranger);
    if (served && !hs_requests_are_scarce(s->sync))
        return op->resume(s, op);
    if (served)
        hs_home_try_again(s);
    return HS_OK;
}

/* The list may change under each call, so the next one is looked up by its number. */
static struct hs_op *op_behind(struct hs_sync *sync, uint64_t number)
{
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        if (op->number > number)
            return op;
    return NULL;
}

enum hs_err hs_ops_resume(struct hs_step *s, bool only_stranger)
{
    uint64_t last = 0;
    for (struct hs_op *op; (op = op_behind(s->sync, last)) != NULL;) {
        last = op->number;
        if (!op->busy && op->resume != NULL && (op->stranger || !only_stranger))
            HS_TRY(hs_op_begin(s, op));
    }
    return HS_OK;
}

static void list_free(struct hs_op **list)
{
    while (*list != NULL) {
        struct hs_op *first = *list;
        *list = first->next;
        op_free(first);
    }
}

void hs_ops_free(struct hs_sync *sync)
{
    list_free(&sync->ops);
    list_free(&sync->ops_over);
}

static void op_keep(struct hs_op *op)
{
    op->fresh = false;
    op->kept = (struct hs_op_kept){.resume = op->resume,
                                   .busy = op->busy,
                                   .again = op->again,
                                   .outbox = op->outbox,
                                   .room = op->room,
                                   .object = op->object,
                                   .object2 = op->object2};
}

static void op_restore(struct hs_op *op)
{
    op->resume = op->kept.resume;
    op->busy = op->kept.busy;
    op->again = op->kept.again;
    op->outbox = op->kept.outbox;
    op->room = op->kept.room;
    op->object = op->kept.object;
    op->object2 = op->kept.object2;
}

/* To its place: operations stand in the order of their numbers. */
static void op_insert(struct hs_sync *sync, struct hs_op *op)
{
    struct hs_op **at = &sync->ops;
    while (*at != NULL && (*at)->number < op->number)
        at = &(*at)->next;
    op->next = *at;
    *at = op;
}

static void ops_roll_back(struct hs_sync *sync)
{
    struct hs_op *all = sync->ops_over;
    sync->ops_over = NULL;
    for (struct hs_op *op = sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        op->next = all;
        all = op;
    }
    sync->ops = NULL;
    for (struct hs_op *op = all, *next; op != NULL; op = next) {
        next = op->next;
        if (op->fresh) {
            op_free(op);
            continue;
        }
        op_restore(op);
        op_insert(sync, op);
    }
}

void hs_ops_settle(struct hs_sync *sync, bool keep)
{
    if (!keep) {
        ops_roll_back(sync);
        return;
    }
    list_free(&sync->ops_over);
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        op_keep(op);
}

/* That the session is gone stays true whatever becomes of the step. */
static void list_idle(struct hs_op *list)
{
    for (struct hs_op *op = list; op != NULL; op = op->next) {
        op->busy = op->busy && op->outbox != 0;
        op->kept.busy = op->kept.busy && op->kept.outbox != 0;
    }
}

void hs_ops_idle(struct hs_sync *sync)
{
    list_idle(sync->ops);
    list_idle(sync->ops_over);
}

enum hs_err hs_op_take_text(struct hs_op *op, const char *text)
{
    op->text = strdup(text);
    return op->text != NULL ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_op_take_bytes(struct hs_op *op, struct hs_bytes bytes)
{
    op->bytes = malloc(bytes.len + 1);
    HS_REQUIRE(op->bytes != NULL, HS_ERR_NOMEM);
    if (bytes.len > 0)
        memcpy(op->bytes, bytes.data, bytes.len);
    op->bytes_len = bytes.len;
    return HS_OK;
}
