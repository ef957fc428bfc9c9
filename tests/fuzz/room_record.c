/* Records of a room log from a hub that may be hostile: chain, head, and the bodies that nodes and members
 * verify. Input: choice, and by it a list of records, a head or a body. Lists: two bytes of length, then
 * header, then two bytes of length, then body, and so on. */
#include "fuzz/fuzz.h"

#include "fuzz/cast.h"
#include "fuzz/resign.h"
#include "room/genesis.h"
#include "room/head.h"
#include "room/invite.h"
#include "room/join.h"
#include "schema/room.pb-c.h"

enum { ARENA = 16 << 20 };

static struct hs_bytes take_block(struct hs_bytes *in)
{
    size_t len = (size_t)fuzz_choice(in) << 8;
    len |= fuzz_choice(in);
    return fuzz_take(in, len);
}

/* The tip moves by one record at a time and only where the record continues the log. */
static void log_check(struct hs_bytes in, struct hs_arena *arena)
{
    struct hs_id room = hs_record_body_hash(hs_bytes_str("room"));
    struct hs_log_tip tip = {0};
    (void)arena;
    while (in.len > 0) {
        struct hs_log_tip before = tip;
        struct hs_bytes header = take_block(&in), body = take_block(&in);
        struct hs_record_header h;
        /* The room's id as the first header has it: any room will do. */
        if (tip.next_seq == 0 && hs_record_header_parse(header, &h) == HS_OK)
            room = h.room;
        if (hs_log_check_next(&tip, &room, header, body, &h) != HS_OK) {
            HS_ASSERT(memcmp(&tip, &before, sizeof tip) == 0);
            continue;
        }
        HS_ASSERT(tip.next_seq == before.next_seq + 1 && h.seq == before.next_seq);
        HS_ASSERT(tip.hub_time.ms >= before.hub_time.ms && hs_id_equal(&tip.hash, &h.hash));
        fuzz_accepted++;
        HS_ASSERT(h.erased == (body.len == 0));
    }
}

static void head_check(struct hs_bytes in, struct hs_arena *arena)
{
    Hanse__SignedObject *obj;
    Hanse__Head *msg;
    struct hs_head head;
    struct hs_id room = {0};
    if (hs_object_unpack(in, arena, &obj) != HS_OK)
        return;
    const struct hs_key *node = &cast(CAST_NODE)->pub;
    if (HS_OBJECT_OPEN(hanse__head, obj, HS_KIND_HEAD, node, 1, arena, &msg) == HS_OK)
        (void)HS_FIXED(hs_pb_bytes(msg->room), &room);
    if (hs_head_verify(obj, node, &room, &head) != HS_OK)
        return;
    struct hs_log_tip tip = {.next_seq = head.seq + 1, .hash = head.hash};
    HS_ASSERT(head.seq == UINT64_MAX || hs_head_check_tip(&head, &tip) == HS_OK);
    tip.hash.b[0] ^= 1;
    HS_ASSERT(head.seq == UINT64_MAX || hs_head_check_tip(&head, &tip) == HS_ERR_LOG_FORK);
    fuzz_accepted++;
    HS_ASSERT(!hs_head_conflicts(&head, &head));
}

static void genesis_check(struct hs_bytes in, struct hs_arena *arena)
{
    struct hs_genesis g;
    if (hs_genesis_verify(in, cast_at(0), arena, &g) != HS_OK)
        return;
    struct hs_key owner = hs_policy_owner(&g.policy);
    fuzz_accepted++;
    HS_ASSERT(hs_key_equal(&owner, &g.owner));
    HS_ASSERT(g.policy.hub_term == HS_POLICY_HUB_TERM_FIRST);
}

static void invite_check(struct hs_bytes in, struct hs_arena *arena)
{
    struct hs_id room = {0};
    struct hs_invite invite;
    (void)arena;
    if (hs_invite_claimed_room(in, &room) != HS_OK ||
        hs_invite_verify(in, &room, cast_at(0), &invite) != HS_OK)
        return;
    fuzz_accepted++;
    HS_ASSERT(invite.max_uses >= 1 && invite.max_uses <= HS_INVITE_USES_MAX);
    HS_ASSERT(invite.not_after.ms > CAST_NOW_MS && hs_id_equal(&invite.room, &room));
}

static void join_check(struct hs_bytes in, struct hs_arena *arena)
{
    struct hs_bytes key_package;
    struct hs_join join;
    struct hs_id room;
    memset(room.b, 7, sizeof room.b); /* the corpus's room */
    (void)hs_join_key_package(in, arena, &key_package);
    if (hs_join_verify(in, &room, &cast(CAST_ROOT)->pub, cast_at(0), &join) != HS_OK)
        return;
    fuzz_accepted++;
    HS_ASSERT(hs_key_equal(&join.persona, &join.member.persona));
    FUZZ_OK(hs_sign_key_check(&join.member.device));
}

static const struct target_row {
    const ProtobufCMessageDescriptor *type; /* to be signed anew; NULL: as it is */
    void (*check)(struct hs_bytes in, struct hs_arena *arena);
} rows[] = {
    {NULL, log_check},
    {&hanse__signed_object__descriptor, head_check},
    {&hanse__genesis_body__descriptor, genesis_check},
    {&hanse__invite_body__descriptor, invite_check},
    {&hanse__join_body__descriptor, join_check},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    struct hs_arena HS_ARENA arena = hs_arena(ARENA);
    struct hs_bytes in = hs_bytes(data, size);
    uint8_t choice = fuzz_choice(&in);
    const struct target_row *row = &rows[(choice >> 1) % (sizeof rows / sizeof *rows)];
    if ((choice & 1) != 0 && row->type != NULL)
        in = fuzz_resign(row->type, in, &arena);
    row->check(in, &arena);
    return 0;
}
