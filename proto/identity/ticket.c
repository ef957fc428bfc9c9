#include "identity/ticket.h"

#include "identity/scratch.h"

enum hs_err hs_ticket_build(const struct hs_signer *root, const struct hs_key *ticket_key, uint32_t max_uses,
                            struct hs_time now, struct hs_time not_after, struct hs_arena *arena,
                            Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(max_uses > 0, HS_ERR_INVALID_ARG);
    HS_TRY(hs_sign_key_check(ticket_key));
    Hanse__Ticket msg = HANSE__TICKET__INIT;
    msg.ticket_key = hs_pb_data(HS_VIEW(*ticket_key));
    msg.max_uses = max_uses;
    struct hs_author author = {.signer = root, .issuer = root->pub, .now = now};
    return hs_object_make(HS_KIND_TICKET, &msg.base, &author, &(struct hs_hdr_spec){.not_after = not_after},
                          arena, out);
}

/* Whatever is wrong with a ticket, its bearer can do one of two things: ask for a valid one, or wait. */
static enum hs_err ticket_err(enum hs_err err)
{
    bool told = err == HS_OK || err == HS_ERR_NOMEM || err == HS_ERR_EXPIRED || err == HS_ERR_NOT_YET;
    return told ? err : HS_ERR_TICKET_INVALID;
}

static enum hs_err ticket_read(const Hanse__Ticket *msg, const struct hs_key *root, struct hs_time now,
                               struct hs_ticket *out)
{
    struct hs_ticket t = {
        .root = *root,
        .max_uses = msg->max_uses,
        .created = hs_hdr_created(msg->hdr),
        .not_after = {msg->hdr->not_after_ms},
    };
    struct hs_key issuer = hs_hdr_issuer(msg->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, root), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(msg->max_uses > 0 && HS_FIXED(hs_pb_bytes(msg->ticket_key), &t.key), HS_ERR_MALFORMED);
    HS_TRY(hs_sign_key_check(&t.key));
    HS_TRY(hs_hdr_window(msg->hdr, 0, now));
    *out = t;
    return HS_OK;
}

enum hs_err hs_ticket_verify(const Hanse__SignedObject *obj, const struct hs_key *root, struct hs_time now,
                             struct hs_ticket *out)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__Ticket *msg;
    HS_TRY(ticket_err(HS_OBJECT_OPEN(hanse__ticket, obj, HS_KIND_TICKET, root, 1, &scratch, &msg)));
    return ticket_err(ticket_read(msg, root, now, out));
}

enum hs_err hs_ticket_proof_build(const struct hs_signer *ticket, const struct hs_key *root,
                                  const struct hs_key *persona, struct hs_time now, struct hs_time not_after,
                                  struct hs_arena *arena, Hanse__SignedObject **out)
{
    Hanse__TicketProof msg = HANSE__TICKET_PROOF__INIT;
    msg.persona_key = hs_pb_data(HS_VIEW(*persona));
    struct hs_author author = {.signer = ticket, .issuer = ticket->pub, .now = now};
    struct hs_hdr_spec spec = {.audience = HS_VIEW(*root), .not_after = not_after};
    return hs_object_make(HS_KIND_TICKET_PROOF, &msg.base, &author, &spec, arena, out);
}

static enum hs_err proof_check(const Hanse__TicketProof *msg, const struct hs_ticket *ticket,
                               const struct hs_key *persona, struct hs_time now)
{
    struct hs_key issuer = hs_hdr_issuer(msg->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, &ticket->key), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(hs_hdr_is_for(msg->hdr, &ticket->root), HS_ERR_WRONG_PEER);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(msg->persona_key), HS_VIEW(*persona)), HS_ERR_WRONG_PEER);
    return hs_hdr_window(msg->hdr, 0, now);
}

enum hs_err hs_ticket_proof_verify(const Hanse__SignedObject *obj, const struct hs_ticket *ticket,
                                   const struct hs_key *persona, struct hs_time now)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__TicketProof *msg;
    HS_TRY(ticket_err(
        HS_OBJECT_OPEN(hanse__ticket_proof, obj, HS_KIND_TICKET_PROOF, &ticket->key, 1, &scratch, &msg)));
    return ticket_err(proof_check(msg, ticket, persona, now));
}
