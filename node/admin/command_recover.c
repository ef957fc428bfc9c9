/* resume and evidence: asked of the core, and what it says as JSON. */
#include "admin/commands.h"

#include "base/text.h"
#include "object/hdr.h"
#include "room/evidence.h"

#include <stdlib.h>

/* The room that the request names by the first digits of its id; NULL where it names none. */
static enum hs_err room_asked(const struct hs_control_call *call, struct hs_arena *arena,
                              Hanse__State__AdminAskRoom **out)
{
    const char *room = json_string_value(json_object_get(call->request, "room"));
    *out = NULL;
    if (room == NULL)
        return HS_OK;
    *out = hs_arena_alloc(arena, sizeof **out);
    HS_REQUIRE(*out != NULL, HS_ERR_NOMEM);
    hanse__state__admin_ask_room__init(*out);
    return hs_control_take_prefix(room, arena, *out);
}

enum hs_err hs_control_resume_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                  Hanse__State__AdminRequest *out)
{
    out->resume = hs_arena_alloc(arena, sizeof *out->resume);
    HS_REQUIRE(out->resume != NULL, HS_ERR_NOMEM);
    hanse__state__admin_ask_resume__init(out->resume);
    out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_RESUME;
    out->resume->all = json_is_true(json_object_get(call->request, "all"));
    return room_asked(call, arena, &out->resume->room);
}

enum hs_err hs_control_proofs(struct hs_control_call *call, const Hanse__State__AdminProofs *proofs)
{
    if (proofs == NULL)
        return HS_OK;
    json_t *facts = json_pack("{s:I, s:I, s:I, s:I, s:I}", "taken", (json_int_t)proofs->taken, "against",
                              (json_int_t)proofs->against, "from", (json_int_t)proofs->from, "tills",
                              (json_int_t)proofs->tills, "tills_done", (json_int_t)proofs->tills_done);
    return json_object_set_new(call->answer, "proofs", facts) == 0 ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_control_resume(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    HS_REQUIRE(facts->resumed != NULL, HS_ERR_UNSUPPORTED);
    if (facts->resumed->moved) {
        hs_control_say(call,
                       "the room has moved to another node, as its readers have shown: as soon as one of "
                       "them brings the rest of its log, it is followed from there; see to it that the "
                       "node that has it, or another one with members, reaches this one");
        return HS_ERR_HUB_MOVED;
    }
    bool set = json_object_set_new(call->answer, "frozen", hs_json_number(facts->resumed->frozen)) == 0 &&
               json_object_set_new(call->answer, "ledger", json_boolean(facts->resumed->ledger)) == 0;
    return set ? hs_control_proofs(call, facts->resumed->proofs) : HS_ERR_NOMEM;
}

enum hs_err hs_control_evidence_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                    Hanse__State__AdminRequest *out)
{
    out->evidence = hs_arena_alloc(arena, sizeof *out->evidence);
    HS_REQUIRE(out->evidence != NULL, HS_ERR_NOMEM);
    hanse__state__admin_ask_evidence__init(out->evidence);
    out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_EVIDENCE;
    return room_asked(call, arena, &out->evidence->room);
}

/* The file that hanse verify checks, in hex. */
static json_t *file_of(struct hs_bytes content)
{
    const struct hs_bytes magic = hs_bytes_str(HS_EVIDENCE_MAGIC);
    char *text = malloc(HS_HEX_SIZE(magic.len + content.len));
    if (text == NULL)
        return NULL;
    (void)hs_hex(magic, text);
    (void)hs_hex(content, text + 2 * magic.len);
    json_t *file = json_string(text);
    free(text);
    return file;
}

static json_t *proof_row(const Hanse__State__AdminProof *proof)
{
    json_t *row = json_pack("{s:o, s:o, s:s, s:I, s:I}", "room", hs_json_hex(hs_pb_bytes(proof->room)),
                            "hub_root", hs_json_hex(hs_pb_bytes(proof->hub_root)), "domain", proof->domain,
                            "seq", (json_int_t)proof->seq, "at_ms", (json_int_t)proof->at_ms);
    if (row != NULL && proof->content.len > 0)
        (void)json_object_set_new(row, "file", file_of(hs_pb_bytes(proof->content)));
    return row;
}

enum hs_err hs_control_evidence(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    json_t *rows = json_array();
    HS_REQUIRE(facts->evidence != NULL, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(json_object_set_new(call->answer, "evidence", rows) == 0, HS_ERR_NOMEM);
    for (size_t i = 0; i < facts->evidence->n_proofs; i++)
        HS_REQUIRE(json_array_append_new(rows, proof_row(facts->evidence->proofs[i])) == 0, HS_ERR_NOMEM);
    return HS_OK;
}
