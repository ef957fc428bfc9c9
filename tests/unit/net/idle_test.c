/* NODE-41: what a session holds while nobody says anything, by the allocator's own account. */
#include "support/test.h"

#include "core/delivery/due.h"
#include "crypto/dh.h"
#include "crypto/selftest.h"
#include "net/state.h"

#include <malloc.h>

enum { SESSIONS = 64, ROOMS = 4, FRAME = 3000, IDLE_MAX = 8192 };

struct sides {
    struct hs_link *client[SESSIONS], *node[SESSIONS];
};

static size_t carry(struct hs_link *from, struct hs_link *to)
{
    size_t frames = 0;
    for (struct hs_bytes out; (out = hs_link_output(from)).len > 0;) {
        struct hs_link_event event;
        size_t len = out.len < HS_LINK_INPUT_MAX ? out.len : HS_LINK_INPUT_MAX;
        assert_ok(hs_link_input(to, hs_bytes(out.data, len)));
        do {
            assert_ok(hs_link_next(to, &event));
            frames += event.kind == HS_LINK_FRAME;
        } while (event.kind != HS_LINK_NONE);
        hs_link_output_done(from, len);
    }
    return frames;
}

static void open_pair(struct hs_link **client, struct hs_link **node)
{
    struct hs_secret32 ours = {0}, theirs = {0};
    struct hs_key our_pub, their_pub;
    struct hs_time now = {1};
    uint8_t descriptor[HS_DESCRIPTOR_MAX] = {1};
    hs_dh_keypair(&ours, &our_pub);
    hs_dh_keypair(&theirs, &their_pub);
    assert_ok(hs_link_new_initiator(&theirs, &our_pub, now, client));
    assert_ok(hs_link_new_responder(&ours, &our_pub, hs_bytes(descriptor, sizeof descriptor), now, node));
    (void)carry(*client, *node);
    (void)carry(*node, *client);
    (void)carry(*client, *node);
    assert_true(hs_link_is_open(*client) && hs_link_is_open(*node));
    hs_link_set_authenticated(*client);
    hs_link_set_authenticated(*node);
}

static size_t held(void)
{
    return mallinfo2().uordblks;
}

/* Frames both ways leave nothing behind: no buffer, no part of a record. */
static void exchange(struct sides *s)
{
    static const uint8_t frame[FRAME];
    for (size_t i = 0; i < SESSIONS; i++)
        for (size_t n = 0; n < 40; n++) {
            assert_ok(hs_link_send(s->node[i], hs_bytes(frame, sizeof frame)));
            assert_ok(hs_link_send(s->client[i], hs_bytes(frame, sizeof frame)));
        }
    for (size_t i = 0; i < SESSIONS; i++) {
        assert_int_equal(carry(s->node[i], s->client[i]), 40);
        assert_int_equal(carry(s->client[i], s->node[i]), 40);
    }
}

static size_t session_size(void)
{
    struct hs_sessions all = {0};
    size_t before = held();
    for (uint64_t id = 1; id <= SESSIONS; id++) {
        struct hs_session *s = hs_session_add(&all, id);
        struct hs_key key = {{(uint8_t)id}};
        assert_non_null(s);
        assert_true(hs_session_become(s, HS_SESSION_DEVICE, &key));
        for (size_t r = 0; r < ROOMS; r++) {
            struct hs_id room = {{(uint8_t)id, (uint8_t)r}};
            assert_non_null(hs_session_read(&all, s, &room));
        }
        assert_true(hs_session_attach(&all, s));
    }
    size_t size = (held() - before) / SESSIONS;
    hs_sessions_free(&all);
    return size;
}

static void open_all(struct sides *s)
{
    for (size_t i = 0; i < SESSIONS; i++)
        open_pair(&s->client[i], &s->node[i]);
}

static void free_all(struct sides *s)
{
    for (size_t i = 0; i < SESSIONS; i++) {
        hs_link_free(&s->client[i]);
        hs_link_free(&s->node[i]);
    }
}

static void an_idle_session_holds_little(void **state)
{
    (void)state;
    static struct sides s;
    assert_ok(hs_crypto_init());
    open_all(&s); /* what a library looks up at its first use is no session's */
    exchange(&s);
    free_all(&s);
    size_t before = held();
    open_all(&s);
    size_t opened = held();
    exchange(&s);
    assert_true(held() <= opened);
    size_t link = (held() - before) / SESSIONS / 2, session = session_size(),
           conn = sizeof(struct hs_conn) + 16;
    printf("link %zu, session with %d rooms of its own %zu, connection %zu bytes\n", link, ROOMS, session,
           conn);
    assert_in_range(link, sizeof(void *), IDLE_MAX);
    assert_in_range(link + session + conn, 1, IDLE_MAX);
    free_all(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_idle_session_holds_little)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
