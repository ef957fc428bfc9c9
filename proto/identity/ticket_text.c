/* A ticket as the text that people hand on. */
#include "base/text.h"
#include "identity/derive.h"
#include "identity/ticket.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "hanse:t/";
enum { PREFIX_LEN = sizeof prefix - 1, PACKED_MAX = (HS_TICKET_TEXT_MAX - PREFIX_LEN) / 4 * 3 };

void hs_ticket_text_wipe(struct hs_ticket_text *text)
{
    hs_wipe(text, sizeof *text);
}

static enum hs_err grants_check(struct hs_ticket_text *t, struct hs_time now)
{
    for (size_t i = 0; i < t->grant_count; i++) {
        const Hanse__SignedObject *obj = t->grant_objects[i];
        struct hs_key key;
        if (hs_object_claimed_kind(obj) == HS_KIND_HANDLE_GRANT) {
            struct hs_handle_grant g;
            HS_TRY(hs_handle_grant_verify(obj, &t->descriptor.root, now, &g));
            HS_REQUIRE(t->handle[0] == '\0', HS_ERR_MALFORMED);
            HS_REQUIRE(strcmp(g.domain, t->descriptor.domain) == 0, HS_ERR_NAME_REFUSED);
            snprintf(t->handle, sizeof t->handle, "%s@%s", g.name, g.domain);
            key = g.key;
        } else {
            struct hs_grant g;
            HS_TRY(hs_grant_verify(obj, &t->descriptor.root, now, &g));
            t->roles |= hs_role_set(g.role);
            key = g.key;
        }
        HS_REQUIRE(hs_key_equal(&key, &t->ticket.key), HS_ERR_BAD_CHAIN);
    }
    return HS_OK;
}

/* Everything in it against its own descriptor's root. */
static enum hs_err text_verify(struct hs_ticket_text *t, struct hs_time now)
{
    HS_REQUIRE(t->descriptor_object != NULL && t->ticket_object != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(t->grant_count <= HS_TICKET_GRANTS, HS_ERR_MALFORMED);
    HS_TRY(hs_descriptor_verify(t->descriptor_object, NULL, now, &t->descriptor));
    HS_TRY(hs_ticket_verify(t->ticket_object, &t->descriptor.root, now, &t->ticket));
    struct hs_signer HS_SIGNER signer;
    hs_identity_derive(&t->seed, &signer);
    HS_REQUIRE(hs_key_equal(&signer.pub, &t->ticket.key), HS_ERR_BAD_CHAIN);
    /* A role's ticket is one person's: it counts once. */
    HS_REQUIRE(t->grant_count == 0 || t->ticket.max_uses == 1, HS_ERR_MALFORMED);
    return grants_check(t, now);
}

static enum hs_err text_encode(Hanse__TicketText *msg, struct hs_arena *arena, char **out)
{
    struct hs_writer HS_WRITER w = hs_writer(PACKED_MAX);
    HS_TRY(HS_PACK(msg, &w));
    struct hs_bytes packed = hs_writer_bytes(&w);
    char *text = hs_arena_alloc(arena, PREFIX_LEN + HS_BASE64_SIZE(packed.len));
    HS_REQUIRE(text != NULL, HS_ERR_NOMEM);
    memcpy(text, prefix, PREFIX_LEN);
    hs_base64(packed, text + PREFIX_LEN);
    *out = text;
    return HS_OK;
}

enum hs_err hs_ticket_text_build(const struct hs_secret32 *seed, Hanse__SignedObject *descriptor,
                                 Hanse__SignedObject *ticket, Hanse__SignedObject *const *grants,
                                 size_t grant_count, struct hs_time now, struct hs_arena *arena, char **out)
{
    *out = NULL;
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) check = {
        .seed = *seed,
        .descriptor_object = descriptor,
        .ticket_object = ticket,
        .grant_objects = (Hanse__SignedObject **)(uintptr_t)grants,
        .grant_count = grant_count,
    };
    enum hs_err err = text_verify(&check, now);
    HS_REQUIRE(err == HS_OK || err == HS_ERR_NOMEM, HS_ERR_INVALID_ARG);
    HS_TRY(err);
    Hanse__TicketText msg = HANSE__TICKET_TEXT__INIT;
    msg.seed = hs_pb_data(HS_VIEW(check.seed));
    msg.descriptor = descriptor;
    msg.ticket = ticket;
    msg.n_grants = grant_count;
    msg.grants = check.grant_objects;
    return text_encode(&msg, arena, out);
}

static enum hs_err text_decode(struct hs_bytes text, struct hs_arena *arena, Hanse__TicketText **out)
{
    HS_REQUIRE(text.len > PREFIX_LEN && text.len <= HS_TICKET_TEXT_MAX, HS_ERR_TICKET_INVALID);
    HS_REQUIRE(memcmp(text.data, prefix, PREFIX_LEN) == 0, HS_ERR_TICKET_INVALID);
    struct hs_bytes coded = hs_bytes(text.data + PREFIX_LEN, text.len - PREFIX_LEN);
    uint8_t *packed = hs_arena_alloc(arena, coded.len);
    HS_REQUIRE(packed != NULL, HS_ERR_NOMEM);
    size_t len;
    HS_TRY(hs_unbase64(coded, packed, coded.len, &len));
    return HS_UNPACK(hanse__ticket_text, hs_bytes(packed, len), HS_STRICT, arena, out);
}

static enum hs_err text_parse(struct hs_bytes text, struct hs_time now, struct hs_arena *arena,
                              struct hs_ticket_text *t)
{
    Hanse__TicketText *msg;
    HS_TRY(text_decode(text, arena, &msg));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->seed), &t->seed), HS_ERR_MALFORMED);
    t->descriptor_object = msg->descriptor;
    t->ticket_object = msg->ticket;
    t->grant_objects = msg->grants;
    t->grant_count = msg->n_grants;
    return text_verify(t, now);
}

enum hs_err hs_ticket_text_parse(struct hs_bytes text, struct hs_time now, struct hs_arena *arena,
                                 struct hs_ticket_text *out)
{
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) t = {0};
    enum hs_err err = text_parse(text, now, arena, &t);
    bool told = err == HS_OK || err == HS_ERR_NOMEM || err == HS_ERR_EXPIRED || err == HS_ERR_NOT_YET;
    HS_REQUIRE(told, HS_ERR_TICKET_INVALID);
    HS_TRY(err);
    *out = t;
    return HS_OK;
}
