/* Seeds of signed objects and of what identity makes of them. */
#include "fuzz/cast.h"
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"

#include "base/text.h"
#include "fuzz/types.h"
#include "identity/bind.h"
#include "identity/credential.h"
#include "identity/ticket.h"
#include "wire/unpack.h"

#include <stdio.h>

/* As an envelope, as one to be signed anew, and its payload alone. */
static void add_object(const char *name, const Hanse__SignedObject *obj, struct hs_arena *arena)
{
    char file[64];
    struct hs_bytes packed;
    uint8_t choices[] = {(uint8_t)(hs_object_claimed_kind(obj) - 1), 1};
    FUZZ_OK(hs_object_pack(obj, arena, &packed));
    corpus_add("signed_object", name, hs_bytes(choices, sizeof choices), packed);
    choices[1] = 2;
    (void)snprintf(file, sizeof file, "%s.payload", name);
    corpus_add("signed_object", file, hs_bytes(choices, sizeof choices), hs_pb_bytes(obj->payload));
}

static void add_credentials(struct hs_arena *arena)
{
    Hanse__SignedObject *certificate = cast_certificate(arena, CAST_CUSTOMER, CAST_PHONE);
    Hanse__SignedObject *grants[] = {cast_handle(arena, CAST_CUSTOMER, "anna"),
                                     cast_grant(arena, CAST_CUSTOMER, HANSE__ROLE__ROLE_STAFF)};
    struct hs_bytes plain, staff;
    FUZZ_OK(hs_credential_pack(certificate, NULL, 0, "Anna", arena, &plain));
    FUZZ_OK(hs_credential_pack(certificate, grants, 2, "Anna", arena, &staff));
    corpus_add1("credential", "plain", 1, plain);
    corpus_add1("credential", "staff", 3, staff);
    corpus_add1("credential", "raw", 2, staff);
    /* A name that breaks the line: the last bytes are the display name. */
    uint8_t *broken = (uint8_t *)(uintptr_t)hs_arena_copy(arena, plain).data;
    HS_ASSERT(broken != NULL);
    broken[plain.len - 2] = '\n';
    corpus_add1("credential", "broken", 1, hs_bytes(broken, plain.len));
}

static Hanse__SignedObject *ticket_object(struct hs_arena *arena, uint32_t uses)
{
    Hanse__SignedObject *out;
    FUZZ_OK(hs_ticket_build(cast(CAST_ROOT), &cast(CAST_TICKET)->pub, uses, cast_at(0), cast_at(CAST_DAY_MS),
                            arena, &out));
    return out;
}

static void add_ticket(const char *name, uint32_t uses, Hanse__SignedObject **grants, size_t count,
                       struct hs_arena *arena)
{
    char *text, file[64];
    struct hs_secret32 seed;
    hs_signer_seed(cast(CAST_TICKET), &seed);
    FUZZ_OK(hs_ticket_text_build(&seed, cast_descriptor(arena), ticket_object(arena, uses), grants, count,
                                 cast_at(0), arena, &text));
    corpus_add1("ticket_text", name, 0, hs_bytes_str(text));
    uint8_t packed[HS_TICKET_TEXT_MAX];
    size_t len;
    FUZZ_OK(hs_unbase64(hs_bytes_str(text + 8), packed, sizeof packed, &len));
    (void)snprintf(file, sizeof file, "%s.packed", name);
    corpus_add1("ticket_text", file, 1, hs_bytes(packed, len));
    uint8_t choices[] = {fuzz_type_choice(&hanse__ticket_text__descriptor), 1};
    corpus_add("prewalk", file, hs_bytes(choices, 2), hs_bytes(packed, len));
}

static void add_tickets(struct hs_arena *arena)
{
    Hanse__SignedObject *grants[] = {cast_handle(arena, CAST_TICKET, "till"),
                                     cast_grant(arena, CAST_TICKET, HANSE__ROLE__ROLE_TILL)};
    add_ticket("customers", 500, NULL, 0, arena);
    add_ticket("till", 1, grants, 2, arena);
}

static void add_identity_objects(struct hs_arena *arena)
{
    Hanse__SignedObject *bind, *proof;
    FUZZ_OK(hs_bind_build(cast(CAST_CUSTOMER), cast(CAST_FRIEND), &cast(CAST_ROOT)->pub,
                          &cast(CAST_SHOP)->pub, cast_at(0), cast_at(CAST_DAY_MS), arena, &bind));
    FUZZ_OK(hs_ticket_proof_build(cast(CAST_TICKET), &cast(CAST_ROOT)->pub, &cast(CAST_CUSTOMER)->pub,
                                  cast_at(0), cast_at(CAST_DAY_MS), arena, &proof));
    add_object("certificate", cast_certificate(arena, CAST_CUSTOMER, CAST_PHONE), arena);
    add_object("grant", cast_grant(arena, CAST_TILL, HANSE__ROLE__ROLE_TILL), arena);
    add_object("handle", cast_handle(arena, CAST_CUSTOMER, "anna"), arena);
    add_object("descriptor", cast_descriptor(arena), arena);
    add_object("ticket", ticket_object(arena, 3), arena);
    add_object("ticket_proof", proof, arena);
    add_object("bind", bind, arena);
}

/* Of every other kind an empty payload with a header: mutations find the rest. */
static void add_all_kinds(struct hs_arena *arena)
{
    for (unsigned kind = 1; kind < HS_KIND_COUNT; kind++) {
        const struct hs_kind_info *info = hs_kind_info((enum hs_kind)kind);
        ProtobufCMessage *payload = hs_arena_alloc(arena, info->payload->sizeof_message);
        struct hs_author author = cast_author(CAST_CUSTOMER, CAST_CUSTOMER);
        struct hs_hdr_spec spec = {0};
        Hanse__SignedObject *obj;
        HS_ASSERT(payload != NULL);
        protobuf_c_message_init(info->payload, payload);
        if (info->signatures == 1) {
            FUZZ_OK(hs_object_make((enum hs_kind)kind, payload, &author, &spec, arena, &obj));
            add_object(info->payload->short_name, obj, arena);
        }
    }
}

void corpus_objects(struct hs_arena *arena)
{
    add_identity_objects(arena);
    add_all_kinds(arena);
    add_credentials(arena);
    add_tickets(arena);
}
