/* What tills and customers ask of an issuer's ledger. A unit moves only as it may: it is lent once, spent
 * once, and an answer that isn't new changes nothing. Input: choice (bit 0: signed anew; bits 1, 2: the
 * unit's state; the rest: what is asked), Ledger message. */
#include "fuzz/fuzz.h"

#include "fuzz/cast.h"
#include "fuzz/random.h"
#include "fuzz/resign.h"
#include "fuzz/shop.h"
#include "schema/link.pb-c.h"
#include "wire/unpack.h"

static struct shop shop;

static void world_init(void)
{
    static struct hs_arena arena;
    if (arena.cap != 0)
        return;
    fuzz_random_install();
    fuzz_begin();
    fuzz_random_restart();
    arena = hs_arena(64 << 20);
    shop_make(&shop, 2, &arena);
}

static void check_unit(const struct hs_unit *unit)
{
    uint8_t stored[HS_UNIT_SIZE], again[HS_UNIT_SIZE];
    struct hs_unit read;
    hs_unit_pack(unit, stored);
    FUZZ_OK(hs_unit_unpack(hs_bytes(stored, sizeof stored), &read));
    hs_unit_pack(&read, again);
    HS_ASSERT(memcmp(stored, again, sizeof stored) == 0);
}

static void check_answer(const struct hs_unit *before, const struct hs_issuer_answer *a,
                         enum hs_unit_state from, enum hs_unit_state to)
{
    if (a->answer == HS_LEDGER_REPLAY) {
        HS_ASSERT(a->refused == HS_OK && a->reply == NULL && before != NULL);
        return;
    }
    HS_ASSERT(a->reply != NULL);
    if (a->refused != HS_OK) {
        HS_ASSERT(hs_object_claimed_kind(a->reply) == HS_KIND_REFUSAL);
        return;
    }
    HS_ASSERT(before != NULL && before->state == from && a->next.state == to);
    HS_ASSERT(a->next.discount.minor <= a->next.max_discount.minor);
    check_unit(&a->next);
    fuzz_accepted++;
}

static void ask_claim(struct hs_chain *chain, const Hanse__SignedObject *request, struct hs_arena *arena)
{
    struct hs_coupon_claim claim;
    struct hs_claims claims = {.issued = 1};
    enum hs_ledger_answer answer;
    uint32_t unit_no;
    if (hs_coupon_claim_open(chain, request, cast_at(0), arena, &claim) != HS_OK)
        return;
    if (hs_ledger_claim(&claims, &shop.unit.def, &claim, cast_at(0), &answer, &unit_no) != HS_OK)
        return;
    HS_ASSERT(answer == HS_LEDGER_NEW && unit_no == 2);
    fuzz_accepted++;
}

static void ask(uint8_t choice, struct hs_chain *chain, const Hanse__SignedObject *request,
                struct hs_arena *arena)
{
    const struct hs_unit *const units[] = {&shop.available, &shop.held, &shop.redeemed, NULL};
    const struct hs_unit *unit = units[choice >> 1 & 3];
    struct hs_issuer issuer = shop_issuer();
    struct hs_issuer_answer a;
    switch ((choice >> 3) % 4) {
    case 0:
        if (hs_issuer_reserve(&issuer, chain, &shop.unit.def, unit, request, arena, &a) == HS_OK)
            check_answer(unit, &a, HS_UNIT_AVAILABLE, HS_UNIT_HELD);
        return;
    case 1:
        if (hs_issuer_commit(&issuer, chain, &shop.unit.coupon.id, unit, request, arena, &a) == HS_OK)
            check_answer(unit, &a, HS_UNIT_HELD, HS_UNIT_REDEEMED);
        return;
    case 2:
        if (hs_issuer_release(&issuer, chain, unit, request, arena, &a) == HS_OK)
            check_answer(unit, &a, HS_UNIT_HELD, HS_UNIT_AVAILABLE);
        return;
    default:
        ask_claim(chain, request, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world_init();
    fuzz_random_restart();
    struct hs_arena HS_ARENA arena = hs_arena(16 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    uint8_t choice = fuzz_choice(&in);
    Hanse__Ledger *msg;
    struct hs_chain chain;
    if ((choice & 1) != 0)
        in = fuzz_resign(&hanse__ledger__descriptor, in, &arena);
    if (HS_UNPACK(hanse__ledger, in, HS_LENIENT, &arena, &msg) != HS_OK || msg->request == NULL)
        return 0;
    if (hs_chain_open(msg->chain, msg->n_chain, &cast(CAST_ROOT)->pub, &arena, &chain) != HS_OK)
        return 0;
    ask(choice, &chain, msg->request, &arena);
    return 0;
}
