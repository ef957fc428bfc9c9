/* Seeds of rooms: policies, contents, records and their bodies, invite links. */
#include "fuzz/cast.h"
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"

#include "identity/credential.h"
#include "mls/key_package.h"
#include "room/body.h"
#include "room/content.h"
#include "room/context.h"
#include "room/genesis.h"
#include "room/head.h"
#include "room/invite.h"
#include "room/invite_link.h"
#include "room/join.h"
#include "room/suite.h"

/* The choices of room_record. */
enum { LIST = 0, HEAD = 3, GENESIS = 5, INVITE = 7, JOIN = 9 };

static struct hs_policy policy_small(struct hs_arena *arena)
{
    struct hs_policy_role *owner = hs_arena_alloc(arena, sizeof *owner);
    *owner = (struct hs_policy_role){.key = cast(CAST_SHOP)->pub, .role = HS_ROOM_OWNER};
    return (struct hs_policy){.name = hs_bytes_str("Rosa's bakery"),
                              .kind = HS_ROOM_GROUP,
                              .roles = owner,
                              .role_count = 1,
                              .max_members = 500,
                              .hub_root = cast(CAST_ROOT)->pub,
                              .hub_term = HS_POLICY_HUB_TERM_FIRST};
}

static struct hs_policy policy_large(struct hs_arena *arena)
{
    struct hs_policy_role moderator = {.key = cast(CAST_CUSTOMER)->pub, .role = HS_ROOM_MODERATOR};
    struct hs_policy_role host = {
        .key = cast(CAST_TILL)->pub, .role = HS_ROOM_HOST, .until = cast_at(CAST_DAY_MS)};
    struct hs_policy policy = policy_small(arena);
    FUZZ_OK(hs_policy_set_role(&policy, &moderator, arena, &policy));
    FUZZ_OK(hs_policy_set_role(&policy, &host, arena, &policy));
    FUZZ_OK(hs_policy_set_banned(&policy, &cast(CAST_FRIEND)->pub, true, arena, &policy));
    policy.retention_ms = 30 * CAST_DAY_MS;
    return policy;
}

static void add_policies(struct hs_arena *arena)
{
    struct hs_policy small = policy_small(arena), large = policy_large(arena);
    struct hs_writer HS_WRITER a = hs_writer(2 * HS_POLICY_MAX);
    struct hs_writer HS_WRITER b = hs_writer(2 * HS_POLICY_MAX);
    FUZZ_OK(hs_policy_pack(&small, &a));
    uint8_t length[] = {(uint8_t)(a.len >> 8), (uint8_t)a.len};
    FUZZ_OK(hs_policy_pack(&large, &b));
    corpus_add("policy", "alone", hs_bytes(length, 2), hs_writer_bytes(&a));
    hs_write_bytes(&a, hs_writer_bytes(&b));
    corpus_add("policy", "change", hs_bytes(length, 2), hs_writer_bytes(&a));
    uint8_t large_length[] = {(uint8_t)(b.len >> 8), (uint8_t)b.len};
    large.name = hs_bytes_str("Rosa's other bakery");
    FUZZ_OK(hs_policy_pack(&large, &b));
    corpus_add("policy", "renamed", hs_bytes(large_length, 2), hs_writer_bytes(&b));
}

static void add_contents(struct hs_arena *arena)
{
    struct hs_writer HS_WRITER text = hs_writer(HS_CONTENT_MAX);
    struct hs_writer HS_WRITER deal = hs_writer(HS_CONTENT_MAX);
    struct hs_writer HS_WRITER context = hs_writer(HS_CONTEXT_MAX);
    struct hs_content c = hs_content_text(hs_bytes_str("Bread is *ready*"), cast_at(0));
    c.is_reply = true;
    FUZZ_OK(hs_content_build(&c, &text));
    corpus_add1("content", "text", 0, hs_writer_bytes(&text));
    Hanse__SignedObject *chain[] = {cast_descriptor(arena),
                                    cast_certificate(arena, CAST_CUSTOMER, CAST_PHONE)};
    c = hs_content_deal(cast_grant(arena, CAST_TILL, HANSE__ROLE__ROLE_TILL), chain, 2,
                        hs_bytes_str("an object"), cast_at(0));
    FUZZ_OK(hs_content_build(&c, &deal));
    corpus_add1("content", "deal", 0, hs_writer_bytes(&deal));
    struct hs_id joins[] = {{{1}}, {{2}}, {{3}}};
    struct hs_message_context m = {.has_head = true, .head_seq = 7, .joins = joins, .join_count = 3};
    FUZZ_OK(hs_message_context_pack(&m, &context));
    corpus_add1("content", "context", 1, hs_writer_bytes(&context));
}

static void add_genesis(struct hs_arena *arena, struct hs_bytes *body, struct hs_id *room)
{
    struct hs_policy policy = policy_large(arena);
    struct hs_genesis_spec spec = {.device = cast(CAST_TILL),
                                   .certificate = cast_certificate(arena, CAST_SHOP, CAST_TILL),
                                   .policy = &policy,
                                   .now = cast_at(0)};
    struct hs_writer HS_WRITER w = hs_writer(HS_BODY_MAX);
    FUZZ_OK(hs_genesis_build(&spec, &w, room));
    *body = hs_arena_copy(arena, hs_writer_bytes(&w));
    corpus_add1("room_record", "genesis", GENESIS, *body);
}

static void add_invite(struct hs_arena *arena, const struct hs_id *room, struct hs_bytes *body)
{
    struct hs_invite_spec spec = {.device = cast(CAST_TILL),
                                  .certificate = cast_certificate(arena, CAST_SHOP, CAST_TILL),
                                  .room = *room,
                                  .invite_key = cast(CAST_INVITE)->pub,
                                  .max_uses = 500,
                                  .now = cast_at(0),
                                  .not_after = cast_at(CAST_DAY_MS),
                                  .campaign = "spring"};
    struct hs_writer HS_WRITER w = hs_writer(HS_BODY_MAX);
    FUZZ_OK(hs_invite_build(&spec, &w));
    *body = hs_arena_copy(arena, hs_writer_bytes(&w));
    corpus_add1("room_record", "invite", INVITE, *body);
}

static struct hs_bytes key_package_of_phone(struct hs_arena *arena)
{
    static const uint16_t types[] = {HS_POLICY_EXTENSION};
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_mls_signer signer = hs_room_signer(cast(CAST_PHONE));
    struct hs_mls_leaf_params params = {.signer = &signer,
                                        .not_before = (CAST_NOW_MS - CAST_DAY_MS) / 1000,
                                        .not_after = (CAST_NOW_MS + 80 * CAST_DAY_MS) / 1000,
                                        .extension_types = types,
                                        .extension_type_count = 1};
    FUZZ_OK(hs_credential_pack(cast_certificate(arena, CAST_CUSTOMER, CAST_PHONE), NULL, 0, "Anna", arena,
                               &params.identity));
    struct hs_writer HS_WRITER w = hs_writer(65536);
    FUZZ_OK(hs_mls_key_package_new(&params, false, &w, &priv));
    return hs_arena_copy(arena, hs_writer_bytes(&w));
}

/* Its room is 32 bytes of 7: room_record asks for that one. */
static void add_join(struct hs_arena *arena, struct hs_bytes *body)
{
    struct hs_join_spec spec = {.invite = cast(CAST_INVITE),
                                .persona = cast(CAST_CUSTOMER)->pub,
                                .home_root = cast(CAST_ROOT)->pub,
                                .key_package = key_package_of_phone(arena),
                                .now = cast_at(0)};
    memset(spec.room.b, 7, sizeof spec.room.b);
    struct hs_writer HS_WRITER w = hs_writer(HS_BODY_MAX);
    FUZZ_OK(hs_join_build(&spec, &w));
    *body = hs_arena_copy(arena, hs_writer_bytes(&w));
    corpus_add1("room_record", "join", JOIN, *body);
}

static void write_block(struct hs_writer *w, struct hs_bytes block)
{
    hs_write_u16(w, (uint16_t)block.len);
    hs_write_bytes(w, block);
}

static void add_log(struct hs_arena *arena, const struct hs_id *room, const struct hs_bytes bodies[3])
{
    static const enum hs_record_kind kinds[] = {HS_RECORD_GENESIS, HS_RECORD_INVITE, HS_RECORD_JOIN};
    struct hs_log_tip tip = {0};
    struct hs_writer HS_WRITER list = hs_writer(FUZZ_INPUT_MAX);
    for (size_t i = 0; i < 3; i++) {
        struct hs_record_spec spec = {.kind = kinds[i],
                                      .sender_node = cast(CAST_ROOT)->pub,
                                      .sender_persona = cast(CAST_SHOP)->pub,
                                      .body = bodies[i],
                                      .hub_time = cast_at((int64_t)i)};
        struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX);
        FUZZ_OK(hs_log_build_next(&tip, room, &spec, &header, NULL));
        write_block(&list, hs_writer_bytes(&header));
        write_block(&list, i == 1 ? (struct hs_bytes){0} : bodies[i]);
    }
    corpus_add1("room_record", "log", LIST, hs_writer_bytes(&list));
    Hanse__SignedObject *head;
    struct hs_bytes packed;
    FUZZ_OK(hs_head_build(cast(CAST_NODE), room, &tip, 1, 1, cast_at(3), arena, &head));
    FUZZ_OK(hs_object_pack(head, arena, &packed));
    corpus_add1("room_record", "head", HEAD, packed);
}

static void add_links(void)
{
    struct hs_invite_link HS_INVITE_LINK link = {.root = cast(CAST_ROOT)->pub,
                                                 .address = "rosa.example:7300"};
    char text[HS_INVITE_TEXT_SIZE], url[HS_INVITE_URL_SIZE];
    memcpy(link.seed, cast_invite_seed, sizeof link.seed);
    FUZZ_OK(hs_invite_link_text(&link, text));
    FUZZ_OK(hs_invite_link_url(&link, CAST_DOMAIN, url));
    corpus_add("invite_link", "text", (struct hs_bytes){0}, hs_bytes_str(text));
    corpus_add("invite_link", "url", (struct hs_bytes){0}, hs_bytes_str(url));
}

void corpus_rooms(struct hs_arena *arena)
{
    struct hs_id room;
    struct hs_bytes bodies[3];
    add_policies(arena);
    add_contents(arena);
    add_genesis(arena, &bodies[0], &room);
    add_invite(arena, &room, &bodies[1]);
    add_join(arena, &bodies[2]);
    add_log(arena, &room, bodies);
    add_links();
}
