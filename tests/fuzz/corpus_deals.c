/* Seeds of deals: the objects of one shopping trip (shop.h). */
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"
#include "fuzz/random.h"
#include "fuzz/shop.h"

#include "schema/link.pb-c.h"
#include "wire/unpack.h"

#include <stdio.h>

/* What ledger_request is asked, and of which unit. */
enum { RESERVE = 0 << 3, COMMIT = 1 << 3, RELEASE = 2 << 3, CLAIM = 3 << 3 };
enum { AVAILABLE = 0 << 1, HELD = 1 << 1, REDEEMED = 2 << 1, UNKNOWN = 3 << 1 };

static void add_request(struct shop *s, const char *name, Hanse__SignedObject *request, unsigned choice)
{
    Hanse__Ledger msg = HANSE__LEDGER__INIT;
    struct hs_writer HS_WRITER w = hs_writer(65536);
    msg.request = request;
    msg.chain = s->proofs;
    msg.n_chain = SHOP_CHAIN;
    FUZZ_OK(HS_PACK(&msg, &w));
    corpus_add1("ledger_request", name, (uint8_t)(choice | 1), hs_writer_bytes(&w));
}

static void add_objects(struct shop *s)
{
    Hanse__SignedObject *const all[] = {
        s->offer_objects[0], s->def,    s->claim,   s->coupon,     s->asked, s->presentation, s->reserve,
        s->reservation,      s->commit, s->release, s->redemption, s->order, s->placed,       s->accepted};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[32];
        struct hs_bytes packed;
        uint8_t choices[] = {(uint8_t)(hs_object_claimed_kind(all[i]) - 1), 1};
        (void)snprintf(name, sizeof name, "deal%zu", i);
        FUZZ_OK(hs_object_pack(all[i], s->arena, &packed));
        corpus_add("signed_object", name, hs_bytes(choices, sizeof choices), packed);
    }
}

void corpus_deals(struct hs_arena *arena)
{
    static struct shop s;
    struct shop *const one = &s;
    fuzz_random_restart(); /* ledger_request makes the same trip */
    shop_make(one, 2, arena);
    add_objects(one);
    add_request(one, "reserve", one->reserve, RESERVE | AVAILABLE);
    add_request(one, "reserve_again", one->reserve, RESERVE | HELD);
    add_request(one, "reserve_spent", one->reserve, RESERVE | REDEEMED);
    add_request(one, "reserve_unknown", one->reserve, RESERVE | UNKNOWN);
    add_request(one, "other", one->reserve_other, RESERVE | AVAILABLE);
    add_request(one, "other_held", one->reserve_other, RESERVE | HELD);
    add_request(one, "other_spent", one->reserve_other, RESERVE | REDEEMED);
    add_request(one, "commit", one->commit, COMMIT | HELD);
    add_request(one, "commit_again", one->commit, COMMIT | REDEEMED);
    add_request(one, "commit_early", one->commit, COMMIT | AVAILABLE);
    add_request(one, "release", one->release, RELEASE | HELD);
    add_request(one, "release_spent", one->release, RELEASE | REDEEMED);
    add_request(one, "claim", one->claim, CLAIM);
    corpus_add1("order_export", "pinned", 0, one->export_bytes);
    corpus_add1("order_export", "signed", 1, one->export_bytes);
    corpus_add1("order_export", "unpinned", 3, one->export_bytes);
}
