/* Six dozen devices, up to sixty of them in one group, hundreds of epochs, whatever comes to their minds:
 * concurrent commits and proposals, lost and reordered posts, crashes at every step, external joins, resyncs,
 * PSKs, removals, epochs that are taken back. All that are in agree on everything, and nobody else reads a
 * word. HANSE_SEED repeats a run, HANSE_EPOCHS says how long it is. */
#include "unit/mls/model.h"

#include <stdlib.h>

static size_t how_many(void)
{
    const char *given = getenv("HANSE_EPOCHS");
    return given != NULL ? strtoul(given, NULL, 10) : 100;
}

/* Has the newest tree a leaf of it? It may, though the device has lost everything, or came back in vain. */
static bool hub_knows(const struct town *t, const struct device *d)
{
    struct hs_mls_member member;
    for (size_t i = 0; i < d->signer_count; i++)
        if (hs_mls_public_member_by_key(t->hub, HS_MLS_VIEW(d->signers[i].pub), &member) == HS_OK)
            return true;
    return false;
}

/* All come to the end of the log; then each says something, and all who are in read it. */
static void at_last(struct town *t)
{
    while (t->unsettled)
        town_decide(t);
    for (size_t i = 0; i < DEVICES; i++) {
        struct device *d = &t->devices[i];
        device_follow(t, d, false);
        if (device_is_member(d))
            assert_int_equal(d->now.moment, t->moment);
    }
    size_t known = 0;
    for (size_t i = 0; i < DEVICES && t->hub != NULL; i++) {
        bool knows = hub_knows(t, &t->devices[i]);
        assert_true(knows || !device_is_member(&t->devices[i]));
        known += knows;
    }
    if (t->hub != NULL)
        assert_int_equal(hs_mls_public_member_count(t->hub), known);
    for (size_t i = 0; i < DEVICES; i++)
        for (size_t j = 0; j < DEVICES; j++) {
            if (i == j || !device_is_member(&t->devices[i]) || !device_is_member(&t->devices[j]))
                continue;
            assert_talks(&t->devices[i].p, &t->devices[j].p, "at last");
        }
}

static void live(bool settling, bool private_handshakes)
{
    static struct town town;
    struct town *t = &town;
    town_open(t, settling, private_handshakes);
    for (size_t step = 0; t->epochs < how_many() && t->entry_count + 4 < ENTRIES; step++) {
        device_acts(t, &t->devices[rng_below(&t->rng, DEVICES)]);
        town_decide(t);
    }
    at_last(t);
    print_message(
        "%zu epochs, %zu voided, %zu members; %zu crashes, %zu external joins, %zu resyncs, %zu posts "
        "read, %zu came too late\n",
        t->epochs, t->reverts, town_members(t), t->crashes, t->joins, t->resyncs, t->reads, t->losers);
    assert_true(t->epochs >= how_many());
    town_close(t);
}

static void public_handshakes(void **state)
{
    (void)state;
    live(false, false);
}

static void private_handshakes(void **state)
{
    (void)state;
    live(false, true);
}

static void settling(void **state)
{
    (void)state;
    live(true, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_handshakes),
        cmocka_unit_test(private_handshakes),
        cmocka_unit_test(settling),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
