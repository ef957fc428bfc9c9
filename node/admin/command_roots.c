/* peers approve and refuse: the operator's word on a domain's root, asked of the core. */
#include "admin/commands.h"

#include "base/text.h"
#include "core/federation/domain_root.h"
#include "object/hdr.h"

enum hs_err hs_control_root_ask(const struct hs_control_call *call, const char *domain,
                                struct hs_arena *arena, Hanse__State__AdminRequest *out)
{
    const char *root = json_string_value(json_object_get(call->request, "root"));
    uint8_t *key = hs_arena_alloc(arena, HS_KEY_LEN);
    out->root = hs_arena_alloc(arena, sizeof *out->root);
    HS_REQUIRE(key != NULL && out->root != NULL, HS_ERR_NOMEM);
    hanse__state__admin_ask_root__init(out->root);
    out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOT;
    out->root->approve = json_is_true(json_object_get(call->request, "approve"));
    out->root->domain = hs_arena_str(arena, hs_bytes_str(domain));
    HS_REQUIRE(out->root->domain != NULL, HS_ERR_NOMEM);
    if (root == NULL)
        return HS_OK;
    HS_TRY(hs_unhex(root, key, HS_KEY_LEN));
    out->root->root = hs_pb_data(hs_bytes(key, HS_KEY_LEN));
    return HS_OK;
}

static enum hs_err refuse(struct hs_control_call *call, enum hs_err err, const char *why)
{
    hs_control_say(call, why);
    return err;
}

enum hs_err hs_control_root(struct hs_control_call *call, const Hanse__State__AdminRootDecided *decided)
{
    switch ((enum hs_root_outcome)decided->outcome) {
    case HS_ROOT_UNSEEN:
        return refuse(call, HS_ERR_NOT_FOUND,
                      "that domain shows no other root than the known one; hansed peers lists those that do");
    case HS_ROOT_ANOTHER:
        return refuse(
            call, HS_ERR_WRONG_SIGNER,
            "that domain shows another root than this one: nothing was changed; compare what hansed "
            "peers shows with what the brand's people say, digit by digit");
    case HS_ROOT_ROW:
        return refuse(call, HS_ERR_CONFLICT,
                      "a node row of yours names another root for that domain: change that row, then hansed "
                      "reload");
    case HS_ROOT_DONE:
        break;
    }
    json_t *answer =
        json_pack("{s:s, s:O, s:o, s:o, s:b}", "decided",
                  json_is_true(json_object_get(call->request, "approve")) ? "approved" : "refused", "domain",
                  json_object_get(call->request, "domain"), "root", hs_json_hex(hs_pb_bytes(decided->shown)),
                  "pinned", hs_json_hex(hs_pb_bytes(decided->pinned)), "blocked", (int)decided->blocked);
    HS_REQUIRE(answer != NULL && json_object_update(call->answer, answer) == 0, HS_ERR_NOMEM);
    json_decref(answer);
    return HS_OK;
}

json_t *hs_control_roots(const Hanse__State__AdminPeers *peers)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < peers->n_roots; i++) {
        const Hanse__State__AdminRootSeen *seen = peers->roots[i];
        (void)json_array_append_new(
            rows,
            json_pack("{s:s, s:o, s:o, s:I, s:b, s:b, s:b, s:b}", "domain", seen->domain, "pinned",
                      hs_json_hex(hs_pb_bytes(seen->pinned)), "shown", hs_json_hex(hs_pb_bytes(seen->shown)),
                      "since_ms", (json_int_t)seen->since_ms, "refused", (int)seen->refused, "invited",
                      (int)seen->invited, "blocked", (int)seen->blocked, "vouched", (int)seen->vouched));
    }
    return rows;
}
