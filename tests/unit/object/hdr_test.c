#include "object/hdr.h"
#include "support/test.h"

static const struct hs_key issuer = {{1, 2, 3}};

static Hanse__Hdr *make(struct hs_arena *arena, struct hs_hdr_spec spec)
{
    static const uint8_t nonce[HS_NONCE_LEN] = "0123456789abcdef";
    Hanse__Hdr *hdr;
    assert_ok(hs_hdr_new(arena, &issuer, (struct hs_time){1000}, &spec, nonce, &hdr));
    return hdr;
}

/* OBJECT-6 */
static void header_is_filled(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    struct hs_key audience = {{9}};
    struct hs_id prev = {{8}};
    Hanse__Hdr *hdr =
        make(&arena,
             (struct hs_hdr_spec){.audience = HS_VIEW(audience), .prev = HS_VIEW(prev), .not_after = {2000}});
    assert_ok(hs_hdr_check(hdr));
    struct hs_key got = hs_hdr_issuer(hdr);
    assert_true(hs_key_equal(&got, &issuer));
    assert_true(hs_hdr_is_for(hdr, &audience));
    assert_false(hs_hdr_is_for(hdr, &issuer));
    assert_int_equal(hdr->created_ms, 1000);
    assert_int_equal(hdr->not_after_ms, 2000);
    assert_bytes(hs_pb_bytes(hdr->nonce), hs_bytes_str("0123456789abcdef"));
}

static void nonces_are_fresh(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    Hanse__Hdr *a, *b;
    struct hs_hdr_spec spec = {0};
    assert_ok(hs_hdr_new(&arena, &issuer, (struct hs_time){1}, &spec, NULL, &a));
    assert_ok(hs_hdr_new(&arena, &issuer, (struct hs_time){1}, &spec, NULL, &b));
    assert_false(hs_bytes_equal(hs_pb_bytes(a->nonce), hs_pb_bytes(b->nonce)));
}

static void header_refuses_bad_arguments(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    Hanse__Hdr *hdr;
    struct hs_hdr_spec odd = {.audience = hs_bytes("x", 1)};
    assert_err(hs_hdr_new(&arena, &issuer, (struct hs_time){1}, &odd, NULL, &hdr), HS_ERR_INVALID_ARG);
    struct hs_hdr_spec spec = {0};
    assert_err(hs_hdr_new(&arena, &issuer, (struct hs_time){-1}, &spec, NULL, &hdr), HS_ERR_INVALID_ARG);
    struct hs_arena HS_ARENA tiny = hs_arena(32);
    assert_err(hs_hdr_new(&tiny, &issuer, (struct hs_time){1}, &spec, NULL, &hdr), HS_ERR_NOMEM);
    assert_null(hdr);
}

/* OBJECT-6: each length one off, each time negative. */
static void header_check_is_exact(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    assert_err(hs_hdr_check(NULL), HS_ERR_MALFORMED);
    Hanse__Hdr *hdr = make(&arena, (struct hs_hdr_spec){0});
    size_t *lens[] = {&hdr->issuer_key.len, &hdr->nonce.len, &hdr->audience.len, &hdr->prev.len};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        size_t good = *lens[i];
        for (size_t bad = 0; bad <= 33; bad++) {
            *lens[i] = bad;
            bool fits = bad == good || (i >= 2 && bad == 32);
            assert_err(hs_hdr_check(hdr), fits ? HS_OK : HS_ERR_MALFORMED);
        }
        *lens[i] = good;
    }
    hdr->created_ms = -1;
    assert_err(hs_hdr_check(hdr), HS_ERR_MALFORMED);
    hdr->created_ms = 0;
    hdr->not_after_ms = -1;
    assert_err(hs_hdr_check(hdr), HS_ERR_MALFORMED);
}

static enum hs_err window(int64_t created, int64_t not_before, int64_t not_after, int64_t now)
{
    return hs_window_check((struct hs_time){created}, (struct hs_time){not_before},
                           (struct hs_time){not_after}, (struct hs_time){now});
}

/* OBJECT-7: half-open, skew on the creation only. */
static void windows_are_half_open(void **state)
{
    (void)state;
    assert_ok(window(0, 0, 0, 0));
    assert_ok(window(0, 100, 200, 100));
    assert_err(window(0, 100, 200, 99), HS_ERR_NOT_YET);
    assert_ok(window(0, 100, 200, 199));
    assert_err(window(0, 100, 200, 200), HS_ERR_EXPIRED);
    assert_ok(window(HS_CLOCK_SKEW_MS + 5, 0, 0, 5));
    assert_err(window(HS_CLOCK_SKEW_MS + 6, 0, 0, 5), HS_ERR_NOT_YET);
    assert_err(window(INT64_MAX, 0, 0, 5), HS_ERR_NOT_YET);
    assert_ok(window(0, 0, 0, INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_filled),
        cmocka_unit_test(nonces_are_fresh),
        cmocka_unit_test(header_refuses_bad_arguments),
        cmocka_unit_test(header_check_is_exact),
        cmocka_unit_test(windows_are_half_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
