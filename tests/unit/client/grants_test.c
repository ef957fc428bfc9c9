/* Grants that come after the account: roles and a handle for a key that exists. */
#include "town.h"

#include "base/text.h"
#include "identity/grant.h"
#include "object/object.h"

#include <stdio.h>

enum { TEXT_SIZE = 4096 };

struct wish {
    const struct hs_signer *root; /* who signs */
    struct hs_key key;
    Hanse__Role role;
    const char *handle;
    struct hs_time not_after;
};

/* What hansed grant prints. */
static void grant_text(struct town_node *node, const struct wish *w, char text[static TEXT_SIZE])
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *objects[3];
    Hanse__Chain chain = HANSE__CHAIN__INIT;
    uint8_t packed[TEXT_SIZE / 2];
    struct hs_time now = town_now(node->town);
    struct hs_grant grant = {.key = w->key, .role = w->role, .not_after = w->not_after};
    assert_ok(hs_object_unpack(node->descriptor, &arena, &objects[chain.n_objects++]));
    assert_ok(hs_grant_build(w->root, &grant, now, &arena, &objects[chain.n_objects++]));
    if (w->handle != NULL) {
        struct hs_handle_grant handle = {.key = w->key};
        (void)snprintf(handle.name, sizeof handle.name, "%s", w->handle);
        (void)snprintf(handle.domain, sizeof handle.domain, "%s", node->domain);
        assert_ok(hs_handle_grant_build(w->root, &handle, now, &arena, &objects[chain.n_objects++]));
    }
    chain.objects = objects;
    assert_true(hanse__chain__get_packed_size(&chain) <= sizeof packed);
    size_t len = hanse__chain__pack(&chain, packed);
    memcpy(text, "hanse:g/", 8);
    hs_base64(hs_bytes(packed, len), text + 8);
}

static struct wish wish_for(struct town_node *node, struct town_device *d)
{
    struct wish w = {.root = &node->root, .role = HANSE__ROLE__ROLE_STAFF};
    assert_ok(hs_sync_persona(d->sync, &node->root.pub, &w.key));
    return w;
}

static struct town_device *customer(struct town_node *node)
{
    uint64_t op;
    struct town_device *d = town_device_new(node->town);
    TOWN_WANT(d, hs_want_identity(&s, "Uwe"));
    TOWN_WANT(d, hs_want_sign_up(&s, town_ticket(node, 0, NULL, 1), &op));
    hs_sync_stay_online(d->sync, true);
    town_run(node->town);
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
    return d;
}

static enum hanse_err create(struct town_device *d)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_room(&s, &(struct hanse_room_spec){.name = "staff"}, &op));
    town_run(d->town);
    return town_done(d, op)->err;
}

/* CLIENT-29: a customer who was made staff founds a room; the same text again is nothing new; it holds over a
 * restart. */
static void a_role_comes_later(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *d = customer(node);
    char text[TEXT_SIZE];
    uint64_t op;
    assert_int_equal(create(d), HANSE_ERR_DENIED);
    struct wish w = wish_for(node, d);
    w.handle = "uwe";
    grant_text(node, &w, text);
    for (size_t i = 0; i < 2; i++) {
        TOWN_WANT(d, hs_want_grants(&s, text, &op));
        town_run(t);
        assert_int_equal(town_done(d, op)->err, HANSE_OK);
    }
    town_device_kill(d);
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
    town_run(t);
    assert_int_equal(create(d), HANSE_OK);
    town_free(t);
}

/* CLIENT-29: another brand's, another key's, one that has run out, a second handle, other text: refused, and
 * nothing is kept. */
static void what_is_not_a_grant_is_refused(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example"), *other = town_node_new(t, "kaffee.example");
    struct town_device *d = customer(node);
    char text[TEXT_SIZE];
    uint64_t op;
    struct wish w = wish_for(node, d), bad = w;
    bad.root = &other->root;
    grant_text(node, &bad, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_WRONG_SIGNER);
    bad = w;
    bad.key = node->root.pub;
    grant_text(node, &bad, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_BAD_CHAIN);
    bad = w;
    bad.not_after.ms = town_now(t).ms;
    grant_text(node, &bad, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_EXPIRED);
    TOWN_WANT_ERR(d, hs_want_grants(&s, "hanse:g/", &op), HS_ERR_MALFORMED);
    TOWN_WANT_ERR(d, hs_want_grants(&s, "hanse:t/AAAA", &op), HS_ERR_MALFORMED);
    assert_int_equal(create(d), HANSE_ERR_DENIED);
    w.handle = "uwe";
    grant_text(node, &w, text);
    TOWN_WANT(d, hs_want_grants(&s, text, &op));
    w.handle = "udo";
    grant_text(node, &w, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_NAME_REFUSED);
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_comes_later),
        cmocka_unit_test(what_is_not_a_grant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
