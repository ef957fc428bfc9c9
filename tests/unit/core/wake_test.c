/* Waking devices that sleep: once, while they sleep, for what they read. */
#include "peer_world.h"

#include "core/delivery/inbox.h"
#include "core/delivery/wake.h"
#include "core/federation/url.h"
#include "core/records/table.h"
#include "core/records/thin.h"

#include <stdio.h>

#define URL "https://push.example/d/1"

struct scene {
    struct world *w;
    struct world_node *hub;
    struct world_device *owner, *anna;
    struct world_room *room, *annas;
};

static Hanse__Frame *wake_frame(struct world *w, const char *url)
{
    Hanse__Frame *frame = world_frame(w);
    frame->set_wake = WORLD_NEW(w, Hanse__SetWake, hanse__set_wake);
    frame->set_wake->url = (char *)(uintptr_t)url;
    frame->body_case = HANSE__FRAME__BODY_SET_WAKE;
    return frame;
}

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w, .hub = world_node_new(w, "hub.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.anna = world_customer(s.hub, "anna");
    s.room = world_room_new(s.owner, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    s.annas = world_join(s.anna, s.room, &invite);
    assert_ok(world_ask(s.anna, wake_frame(w, URL), NULL));
    world_settle(w);
    return s;
}

static void post(struct scene *s)
{
    assert_ok(world_post(s->room, "x", NULL));
    world_settle(s->w);
}

static void back(struct world_device *d)
{
    assert_ok(world_connect(d, NULL));
    world_attach(d);
    world_settle(d->world);
}

/* DELIVERY-46: who is there isn't woken; who sleeps is, once in HS_WAKE_MS, and only for something new. */
static void sleepers_are_woken_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    post(&s);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 0);
    world_disconnect(s.anna);
    world_pass(w, HS_WAKE_MS);
    assert_int_equal(s.hub->wakes, 0);
    for (int i = 0; i < 10; i++)
        post(&s);
    assert_int_equal(s.hub->wakes, 0); /* with the next tick */
    world_pass(w, 1);
    assert_int_equal(s.hub->wakes, 1);
    assert_string_equal(s.hub->woken, URL);
    for (int i = 0; i < 10; i++) {
        post(&s);
        world_pass(w, HS_WAKE_MS / 10 - 1);
    }
    assert_int_equal(s.hub->wakes, 1);
    world_pass(w, 10);
    assert_int_equal(s.hub->wakes, 2);
    world_pass(w, 10 * HS_WAKE_MS);
    assert_int_equal(s.hub->wakes, 2); /* nothing new */
    back(s.anna);
    post(&s);
    world_pass(w, HS_WAKE_MS);
    assert_int_equal(s.hub->wakes, 2);
    assert_int_equal(s.annas->post_count, 22);
}

/* DELIVERY-46: what comes into the inbox wakes as well; a room that it was removed from doesn't. */
static void inboxes_wake_and_left_rooms_do_not(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(world_remove(s.room, s.annas));
    world_settle(w);
    world_disconnect(s.anna);
    post(&s);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 0);
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__OutcomeItem outcome = HANSE__OUTCOME_ITEM__INIT;
    item.outcome = &outcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
    struct hs_key device = world_persona(s.anna, &s.hub->root.pub)->keys.signature.pub;
    struct hs_turn *turn = raw_turn_begin(s.hub);
    hs_inbox_put(turn, &device, &item);
    raw_turn_end(turn);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 1);
}

/* DELIVERY-45: kept over a restart; who has something waiting then is woken. Rooms that are joined later
 * count, too. */
static void urls_are_kept(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_disconnect(s.anna);
    world_node_restart(s.hub);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 0); /* she has it all */
    back(s.owner);
    post(&s);
    world_node_restart(s.hub); /* before anybody was woken */
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 1);
    back(s.anna);
    back(s.owner);
    struct world_room *second = world_room_new(s.owner, "second");
    struct world_invite invite = world_invite(second, 10);
    (void)world_join(s.anna, second, &invite);
    world_settle(w);
    world_disconnect(s.anna);
    world_pass(w, HS_WAKE_MS);
    assert_int_equal(s.hub->wakes, 1);
    assert_ok(world_post(second, "x", NULL));
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 2);
}

static void outcome(struct scene *s, const struct hs_key *device, unsigned status)
{
    uint8_t bytes[34];
    struct hs_core_input input = {.kind = HS_INPUT_WOKEN, .bytes = hs_bytes(bytes, sizeof bytes)};
    memcpy(bytes, device, 32);
    bytes[32] = (uint8_t)(status >> 8);
    bytes[33] = (uint8_t)status;
    world_input(s->hub, &input);
}

/* DELIVERY-47: 410 ends it, for good; nothing else does. */
static void gone_is_gone(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    static const unsigned harmless[] = {0, 200, 302, 404, 409, 411, 500};
    struct hs_key device = world_persona(s.anna, &s.hub->root.pub)->keys.signature.pub,
                  other = s.room->persona->signer.pub;
    struct hs_core_input garbage = {.kind = HS_INPUT_WOKEN, .bytes = hs_bytes_str("?")};
    world_disconnect(s.anna);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        outcome(&s, &device, harmless[i]);
    outcome(&s, &other, 410);
    world_input(s.hub, &garbage);
    post(&s);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 1);
    outcome(&s, &device, 410);
    outcome(&s, &device, 410);
    post(&s);
    world_pass(w, HS_WAKE_MS);
    world_node_restart(s.hub);
    world_pass(w, HS_WAKE_MS);
    assert_int_equal(s.hub->wakes, 1);
    back(s.anna); /* and may be set anew */
    back(s.owner);
    assert_ok(world_ask(s.anna, wake_frame(w, "https://push.example/d/2"), NULL));
    world_disconnect(s.anna);
    post(&s);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 2);
    assert_string_equal(s.hub->woken, "https://push.example/d/2");
}

/* DELIVERY-47: an answer is about the URL that was woken, which may be another one by then. */
static void an_old_url_is_gone(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key device = world_persona(s.anna, &s.hub->root.pub)->keys.signature.pub;
    world_disconnect(s.anna);
    post(&s);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 1);
    back(s.anna);
    assert_ok(world_ask(s.anna, wake_frame(w, "https://push.example/d/2"), NULL));
    world_disconnect(s.anna);
    outcome(&s, &device, 410); /* of the first one */
    post(&s);
    world_pass(w, HS_WAKE_MS);
    assert_int_equal(s.hub->wakes, 2);
    assert_string_equal(s.hub->woken, "https://push.example/d/2");
}

/* DELIVERY-45: one URL a device, the newest; the empty one ends it; what isn't https is refused, and the
 * session goes on. The same again writes nothing. */
static void urls_are_set_and_taken_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    char longest[HS_URL_MAX + 2] = URL;
    struct hs_id before = world_store_hash(s.hub);
    assert_ok(world_ask(s.anna, wake_frame(w, URL), NULL));
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    assert_err(world_ask(s.anna, wake_frame(w, "http://push.example/"), NULL), HS_ERR_UNSUPPORTED);
    assert_err(world_ask(s.anna, wake_frame(w, "file:///etc/passwd"), NULL), HS_ERR_UNSUPPORTED);
    memset(longest + strlen(longest), 'x', sizeof longest - 1 - strlen(longest));
    assert_err(world_ask(s.anna, wake_frame(w, longest), NULL), HS_ERR_UNSUPPORTED);
    longest[HS_URL_MAX] = '\0';
    assert_ok(world_ask(s.anna, wake_frame(w, longest), NULL));
    assert_ok(world_ask(s.anna, wake_frame(w, ""), NULL));
    world_disconnect(s.anna);
    post(&s);
    world_pass(w, HS_WAKE_MS);
    assert_int_equal(s.hub->wakes, 0);
}

/* DELIVERY-46: a session that ends with something undelivered is woken for it. */
static void what_was_not_delivered_counts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    s.anna->stalled = true;
    world_pass(w, 0);
    post(&s);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 0);
    world_disconnect(s.anna);
    world_pass(w, 1000);
    assert_int_equal(s.hub->wakes, 1);
}

static size_t stream_bytes(struct world_node *node)
{
    struct hs_kv_key from = {0};
    struct hs_bytes key, value, none = {0};
    for (size_t bytes = 0;; bytes += value.len) {
        struct hs_arena HS_ARENA scratch = hs_arena(1 << 20);
        if (!hs_kv_next(node->kv, HS_T_STREAM, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return bytes;
        from = hs_kv_after(key);
    }
}

static void a_day_later(struct scene *s)
{
    world_disconnect(s->anna);
    world_pass(s->w, HS_THIN_AGE_MS);
    for (int i = 0; i < 3; i++)
        world_pass(s->w, HS_THIN_LAP_MS);
    assert_ok(world_connect(s->anna, NULL));
}

/* DELIVERY-71, NODE-100: a record keeps the URL that counts, the others theirs for a day. */
static void former_urls_are_cut(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    char url[501];
    size_t before = stream_bytes(s.hub);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(url, sizeof url, "https://push.example/%0400d/%d", 0, i);
        assert_ok(world_ask(s.anna, wake_frame(w, url), NULL));
        world_rebuild_check(s.hub);
    }
    assert_true(stream_bytes(s.hub) >= before + 10 * 400);
    a_day_later(&s);
    assert_in_range(stream_bytes(s.hub), before + 400, before + 400 + 10 * 50);
    assert_ok(world_ask(s.anna, wake_frame(w, ""), NULL));
    a_day_later(&s);
    world_rebuild_check(s.hub);
    assert_true(stream_bytes(s.hub) <= before - strlen(URL)); /* one record, and none of the URLs */
    assert_ok(world_ask(s.anna, wake_frame(w, URL), NULL));
    world_disconnect(s.anna);
    world_run(w);
    world_pass(w, HS_WAKE_MS);
    post(&s);
    world_pass(w, 1000);
    assert_string_equal(s.hub->woken, URL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleepers_are_woken_once),
        cmocka_unit_test(inboxes_wake_and_left_rooms_do_not),
        cmocka_unit_test(urls_are_kept),
        cmocka_unit_test(gone_is_gone),
        cmocka_unit_test(an_old_url_is_gone),
        cmocka_unit_test(urls_are_set_and_taken_back),
        cmocka_unit_test(what_was_not_delivered_counts),
        cmocka_unit_test(former_urls_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
