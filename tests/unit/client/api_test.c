/* The public interface without a node: opening, order of calls, what is refused at once, both loops. */
#include "support/test.h"

#include "hanse/hanse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static char dir[64];
static uint8_t key[HANSE_KEY_LEN];

const char *header_c99_name(void);

#define assert_hanse(call, want) assert_string_equal(hanse_err_name(call), hanse_err_name(want))

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/hanse-api-XXXXXX");
    assert_non_null(mkdtemp(dir));
    memset(key, 1, sizeof key);
    return 0;
}

static int teardown(void **state)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
    return 0;
}

static struct hanse *open_handle(void)
{
    struct hanse *h = NULL;
    assert_hanse(hanse_open(dir, key, 0, &h), HANSE_OK);
    return h;
}

static void test_errors_are_the_projects_own(void **state)
{
    (void)state;
    assert_string_equal(header_c99_name(), "COUPON_USED");
    assert_string_equal(hanse_err_text(HANSE_ERR_LOCKED), hs_err_text(HS_ERR_LOCKED));
    assert_non_null(hanse_err_text((enum hanse_err) - 12345));
}

static void test_ids_as_text(void **state)
{
    (void)state;
    struct hanse_id id, back;
    char text[65];
    for (size_t i = 0; i < sizeof id.b; i++)
        id.b[i] = (uint8_t)(i * 9);
    hanse_id_text(&id, text);
    assert_int_equal(strlen(text), 64);
    assert_hanse(hanse_id_parse(text, &back), HANSE_OK);
    assert_memory_equal(id.b, back.b, sizeof id.b);
    assert_hanse(hanse_id_parse("00", &back), HANSE_ERR_MALFORMED);
    text[63] = 'x';
    assert_hanse(hanse_id_parse(text, &back), HANSE_ERR_MALFORMED);
}

/* CLIENT-1, CLIENT-4 */
static void test_one_handle_and_one_key(void **state)
{
    (void)state;
    struct hanse *h = open_handle(), *second = NULL;
    assert_hanse(hanse_open(dir, key, 0, &second), HANSE_ERR_LOCKED);
    assert_hanse(hanse_open(dir, key, 100, &second), HANSE_ERR_LOCKED);
    hanse_close(h);
    key[0] ^= 1;
    assert_hanse(hanse_open(dir, key, 0, &second), HANSE_ERR_SEAL);
    key[0] ^= 1;
    hanse_close(open_handle());
    hanse_close(NULL);
}

static void test_an_identity_is_made_once_and_stays(void **state)
{
    (void)state;
    struct hanse_identity me;
    struct hanse *h = open_handle();
    char long_name[66];
    memset(long_name, 'n', sizeof long_name);
    long_name[65] = '\0';
    assert_hanse(hanse_identity(h, &me), HANSE_OK);
    assert_false(me.exists);
    assert_hanse(hanse_identity_create(h, long_name), HANSE_ERR_INVALID_ARG);
    assert_hanse(hanse_identity_create(h, "bell\a"), HANSE_ERR_INVALID_ARG);
    long_name[64] = '\0';
    assert_hanse(hanse_identity_create(h, long_name), HANSE_OK);
    assert_hanse(hanse_identity_create(h, "again"), HANSE_ERR_INVALID_STATE);
    assert_hanse(hanse_identity_rename(h, "Ben"), HANSE_OK);
    hanse_close(h);
    h = open_handle();
    assert_hanse(hanse_identity(h, &me), HANSE_OK);
    assert_true(me.exists);
    assert_false(me.has_home);
    assert_string_equal(me.self.name, "Ben");
    hanse_close(h);
}

/* CLIENT-50 */
static void test_no_evidence(void **state)
{
    (void)state;
    struct hanse *h = open_handle();
    struct hanse_id id = {{0}};
    struct hanse_evidence_report report;
    static const uint8_t junk[] = "hanse-evidence-v1\njunk";
    const uint8_t *bytes;
    size_t len;
    assert_hanse(hanse_evidence(h, &id, &bytes, &len), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_evidence_verify(junk, 17, NULL, &report), HANSE_ERR_UNEXPECTED);
    assert_hanse(hanse_evidence_verify(junk + 1, sizeof junk - 1, NULL, &report), HANSE_ERR_UNEXPECTED);
    assert_hanse(hanse_evidence_verify(junk, 18, NULL, &report), HANSE_ERR_MALFORMED);
    assert_int_not_equal(hanse_evidence_verify(junk, sizeof junk, &id, &report), HANSE_OK);
    hanse_close(h);
}

static void test_what_cannot_be_is_told_at_once(void **state)
{
    (void)state;
    struct hanse *h = open_handle();
    struct hanse_id id = {{0}};
    struct hanse_room room;
    struct hanse_message message;
    struct hanse_member member;
    struct hanse_offer offer;
    struct hanse_campaign campaign;
    struct hanse_coupon coupon;
    struct hanse_order order;
    struct hanse_order_line line;
    const uint8_t *bytes;
    size_t len;
    uint64_t op;
    assert_hanse(hanse_sign_up(h, "hanse:t/nonsense", &op), HANSE_ERR_INVALID_STATE);
    assert_hanse(hanse_identity_create(h, NULL), HANSE_OK);
    assert_hanse(hanse_sign_up(h, "hanse:t/nonsense", &op), HANSE_ERR_TICKET_INVALID);
    assert_hanse(hanse_join(h, "https://example.org/", &op), HANSE_ERR_INVITE_INVALID);
    assert_hanse(hanse_ping(h, &op), HANSE_ERR_INVALID_STATE);
    assert_hanse(hanse_room_create(h, "", &op), HANSE_ERR_INVALID_ARG);
    assert_hanse(hanse_room_create(h, "VIP", &op), HANSE_ERR_NO_ACCOUNT);
    assert_hanse(hanse_post(h, &id, "", &op), HANSE_ERR_INVALID_ARG);
    assert_hanse(hanse_post(h, &id, "text", &op), HANSE_ERR_ROOM_UNKNOWN);
    assert_hanse(hanse_coupon_claim(h, &id, &op), HANSE_ERR_COUPON_UNKNOWN);
    assert_hanse(hanse_order_place(h, &id, 1, NULL, &op), HANSE_ERR_OFFER_UNKNOWN);
    assert_hanse(hanse_order_place(h, &id, 0, NULL, &op), HANSE_ERR_INVALID_ARG);
    assert_hanse(hanse_till_enable(h, true), HANSE_ERR_WRONG_SIGNER);
    assert_hanse(hanse_room_next(h, NULL, &room), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_room_get(h, &id, &room), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_member_next(h, &id, 0, &member), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_message_next(h, &id, 0, &message), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_offer_next(h, NULL, &offer), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_campaign_next(h, NULL, &campaign), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_coupon_next(h, NULL, &coupon), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_order_next(h, NULL, &order), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_order_line(h, &id, 0, &line), HANSE_ERR_NOT_FOUND);
    assert_hanse(hanse_order_export(h, &id, &bytes, &len), HANSE_ERR_NOT_FOUND);
    assert_false(hanse_has_pending(h));
    hanse_close(h);
}

static void test_text_at_its_limit(void **state)
{
    (void)state;
    static char text[HANSE_TEXT_MAX + 2];
    struct hanse *h = open_handle();
    struct hanse_id id = {{0}};
    uint64_t op;
    assert_hanse(hanse_identity_create(h, NULL), HANSE_OK);
    memset(text, 'x', HANSE_TEXT_MAX);
    assert_hanse(hanse_post(h, &id, text, &op), HANSE_ERR_ROOM_UNKNOWN);
    text[HANSE_TEXT_MAX] = 'x';
    assert_hanse(hanse_post(h, &id, text, &op), HANSE_ERR_INVALID_ARG);
    assert_hanse(hanse_post(h, &id, "\xff", &op), HANSE_ERR_INVALID_ARG);
    hanse_close(h);
}

static void test_a_loop_without_anything_to_do_sleeps(void **state)
{
    (void)state;
    struct hanse *h = open_handle();
    struct hanse_event event;
    assert_int_equal(hanse_fd(h), -1);
    assert_int_equal(hanse_poll_events(h), 0);
    assert_int_equal(hanse_timeout_ms(h), -1);
    assert_hanse(hanse_step(h), HANSE_OK);
    hanse_next_event(h, &event);
    assert_int_equal(event.kind, HANSE_EVENT_NONE);
    assert_string_equal(event.text, "");
    hanse_close(h);
}

static void on_wake(struct hanse *h, enum hanse_err err, void *context)
{
    (void)h;
    (void)err;
    ++*(int *)context;
}

static void test_the_libuv_driver_starts_and_stops(void **state)
{
    (void)state;
    uv_loop_t loop;
    int wakes = 0;
    struct hanse *h = open_handle();
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_hanse(hanse_uv_start(h, &loop, on_wake, &wakes), HANSE_OK);
    assert_hanse(hanse_uv_start(h, &loop, on_wake, &wakes), HANSE_ERR_INVALID_STATE);
    uv_run(&loop, UV_RUN_NOWAIT);
    hanse_uv_stop(h);
    hanse_uv_stop(h);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(wakes, 0);
    hanse_close(h);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

/* A link to whoever listens there, with a root that is some key. */
static void link_to(unsigned port, char text[256])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t raw[1 + 32 + 16 + 32] = {1, 0x58};
    memset(raw + 2, 0x66, 31);
    size_t len = 49 + (size_t)snprintf((char *)raw + 49, sizeof raw - 49, "127.0.0.1:%u", port), bits = 0;
    uint32_t held = 0;
    char *to = text + snprintf(text, 256, "hanse:i/");
    for (size_t i = 0; i < len; i++) {
        held = held << 8 | raw[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *to++ = digits[held >> (bits - 6) & 63];
    }
    if (bits > 0)
        *to++ = digits[held << (6 - bits) & 63];
    *to = '\0';
}

/* Somebody listens there; a program that goes on with other things; the loop. */
struct driven {
    uv_loop_t loop;
    uv_idle_t program;
    int door, wakes;
    char link[256];
};

static void driven_new(struct driven *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    memset(c, 0, sizeof *c);
    c->door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(c->door, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(c->door, 1), 0);
    assert_int_equal(getsockname(c->door, (struct sockaddr *)&at, &len), 0);
    link_to(ntohs(at.sin_port), c->link);
    assert_int_equal(uv_loop_init(&c->loop), 0);
    uv_idle_init(&c->loop, &c->program);
}

static void driven_free(struct driven *c)
{
    close(c->door);
    uv_close((uv_handle_t *)&c->program, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
}

/* The library knocks at the door. */
static void comes(struct driven *c)
{
    int came = -1;
    for (int i = 0; i < 1000 && came < 0; i++) {
        uv_run(&c->loop, UV_RUN_NOWAIT);
        came = accept(c->door, NULL, NULL);
        usleep(came < 0 ? 1000 : 0);
    }
    assert_true(came >= 0);
    close(came);
}

/* CLIENT-82: a wish that comes while the loop has nothing to do, from anywhere in the program, is gone about
 * at once; also where nothing else keeps the loop going, and it hasn't begun to run. */
static void test_the_libuv_driver_sees_what_is_called(void **state)
{
    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        struct driven c;
        uint64_t op;
        struct hanse *h = open_handle();
        driven_new(&c);
        if (!alone)
            uv_idle_start(&c.program, on_idle);
        assert_hanse(hanse_uv_start(h, &c.loop, on_wake, &c.wakes), HANSE_OK);
        uv_run(&c.loop, UV_RUN_NOWAIT);
        assert_hanse(hanse_join(h, c.link, &op), HANSE_OK);
        comes(&c);
        hanse_uv_stop(h);
        driven_free(&c);
        hanse_close(h);
        (void)teardown(state);
        (void)setup(state);
    }
}

/* CLIENT-82: and so is staying online. */
static void test_the_libuv_driver_sees_that_it_shall_stay_online(void **state)
{
    (void)state;
    struct driven c;
    uint64_t op;
    driven_new(&c);
    struct hanse *h = open_handle();
    assert_hanse(hanse_join(h, c.link, &op), HANSE_OK);
    hanse_close(h);
    h = open_handle();
    assert_hanse(hanse_uv_start(h, &c.loop, on_wake, &c.wakes), HANSE_OK);
    assert_int_equal(uv_run(&c.loop, UV_RUN_DEFAULT), 0); /* nothing is wanted */
    hanse_stay_online(h, true);
    comes(&c);
    hanse_uv_stop(h);
    hanse_stay_online(h, false);
    driven_free(&c);
    hanse_close(h);
}

static bool blind; /* the loop has no memory for another socket */
static int unseen;

int __real_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd);
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd);
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
    unseen += blind ? 1 : 0;
    return blind ? UV_ENOMEM : __real_uv_poll_init(loop, poll, fd);
}

/* CLIENT-6: a socket that couldn't be waited for isn't forgotten until somebody gives up. */
static void test_the_libuv_driver_tries_again_to_see_a_socket(void **state)
{
    (void)state;
    enum { SOON_MS = 1000 };
    struct driven c;
    uint64_t op;
    struct hanse *h = open_handle();
    driven_new(&c);
    assert_hanse(hanse_join(h, c.link, &op), HANSE_OK);
    blind = true;
    unseen = 0;
    assert_hanse(hanse_uv_start(h, &c.loop, on_wake, &c.wakes), HANSE_OK);
    for (int i = 0; i < 10 && unseen == 0; i++)
        uv_run(&c.loop, UV_RUN_NOWAIT);
    assert_int_not_equal(unseen, 0);
    assert_in_range(uv_backend_timeout(&c.loop), 1, SOON_MS); /* so long it would sleep, and not busily */
    blind = false;
    comes(&c);
    hanse_uv_stop(h);
    driven_free(&c);
    hanse_close(h);
}

static void test_garbage_is_no_order(void **state)
{
    (void)state;
    struct hanse_report *report = NULL;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31);
    for (size_t len = 0; len <= sizeof bytes; len += 8)
        assert_int_not_equal(hanse_verify(bytes, len, NULL, &report), HANSE_OK);
    assert_null(report);
    hanse_report_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_are_the_projects_own),
        cmocka_unit_test(test_ids_as_text),
        cmocka_unit_test_setup_teardown(test_one_handle_and_one_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_identity_is_made_once_and_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_evidence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_is_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_at_its_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_loop_without_anything_to_do_sleeps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_libuv_driver_starts_and_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_libuv_driver_sees_what_is_called, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_libuv_driver_sees_that_it_shall_stay_online, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_libuv_driver_tries_again_to_see_a_socket, setup, teardown),
        cmocka_unit_test(test_garbage_is_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
