/* SetWake: where the home node knocks when there is something and this device sleeps. */
#include "sync/state.h"

enum { URL_MAX = 512 }; /* as much as a node takes */

static enum hs_err wake_answered(struct hs_step *s, const struct hs_request *request,
                                 const Hanse__Frame *frame, enum hs_err err)
{
    (void)frame;
    return hs_op_done(s, hs_op_find(s->sync, request->op), err, NULL, 0, NULL);
}

static enum hs_err set_wake(struct hs_step *s, struct hs_op *op)
{
    Hanse__SetWake body = HANSE__SET_WAKE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = wake_answered, .op = op->number};
    body.url = op->text;
    frame.body_case = HANSE__FRAME__BODY_SET_WAKE;
    frame.set_wake = &body;
    op->busy = true;
    return hs_request_send(s, &frame, &request);
}

static bool is_url(const char *url)
{
    size_t len = strlen(url);
    bool known = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
    return len <= URL_MAX && known && strpbrk(url, " \t\r\n@\\") == NULL;
}

enum hs_err hs_want_wake(struct hs_step *s, const char *url, uint64_t *number)
{
    struct hs_op *op;
    HS_REQUIRE(s->sync->me.has_home, HS_ERR_INVALID_STATE);
    HS_REQUIRE(url[0] == '\0' || is_url(url), HS_ERR_INVALID_ARG);
    HS_TRY(hs_op_new(s, &op, number));
    HS_TRY(hs_op_take_text(op, url));
    op->resume = set_wake;
    return hs_op_begin(s, op);
}
