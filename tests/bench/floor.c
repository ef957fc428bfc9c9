#include "bench/floor.h"

#include "bench/bench.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* More than these aren't run but multiplied. */
enum { EACH_RUN = 200 };

/* RFC 9180, 7.3. */
enum { AEAD_CHACHA = 3 };

static struct {
    bool ready;
    uint8_t pk[32], sk[64], scalar[32], point[32], key[32], nonce[12], out[64];
    uint8_t *message, *sealed;
    size_t size;
} world;

static void floor_put(struct floor *f, enum floor_call call, size_t times, size_t len, bool each)
{
    HS_ASSERT(f->count < FLOOR_MAX);
    if (times > 0)
        f->items[f->count++] = (struct floor_item){call, times, len, each};
}

void floor_once(struct floor *f, enum floor_call call, size_t times, size_t len)
{
    floor_put(f, call, times, len, false);
}

void floor_each(struct floor *f, enum floor_call call, size_t times, size_t len)
{
    floor_put(f, call, times, len, true);
}

static void world_init(void)
{
    (void)crypto_sign_keypair(world.pk, world.sk);
    randombytes_buf(world.scalar, sizeof world.scalar);
    randombytes_buf(world.key, sizeof world.key);
    (void)crypto_scalarmult_base(world.point, world.scalar);
    world.ready = true;
}

/* Makes room for messages of that length. */
static void world_grow(size_t len)
{
    if (!world.ready)
        world_init();
    if (len <= world.size)
        return;
    free(world.message);
    free(world.sealed);
    world.size = 2 * len;
    world.message = calloc(1, world.size);
    world.sealed = calloc(1, world.size + HS_MLS_TAG_LEN);
    HS_ASSERT(world.message != NULL && world.sealed != NULL);
}

static void call_chacha(bool open, size_t len)
{
    if (open)
        HS_ASSERT(crypto_aead_chacha20poly1305_ietf_decrypt(world.message, NULL, NULL, world.sealed,
                                                            len + HS_MLS_TAG_LEN, NULL, 0, world.nonce,
                                                            world.key) == 0);
    else
        (void)crypto_aead_chacha20poly1305_ietf_encrypt(world.sealed, NULL, world.message, len, NULL, 0, NULL,
                                                        world.nonce, world.key);
}

static void call_aead(const struct hs_mls_suite *suite, bool open, size_t len)
{
    struct hs_bytes none = {0};
    if (suite->aead_id == AEAD_CHACHA)
        call_chacha(open, len);
    else if (open)
        FUZZ_OK(suite->open(world.key, world.nonce, none, hs_bytes(world.sealed, len + HS_MLS_TAG_LEN),
                            world.message));
    else
        FUZZ_OK(suite->seal(world.key, world.nonce, none, hs_bytes(world.message, len), world.sealed));
}

static void call(const struct floor *f, const struct floor_item *item, const uint8_t *sig)
{
    switch (item->call) {
    case FLOOR_SIGN:
        (void)crypto_sign_detached(world.out, NULL, world.message, item->len, world.sk);
        break;
    case FLOOR_VERIFY:
        HS_ASSERT(crypto_sign_verify_detached(sig, world.message, item->len, world.pk) == 0);
        break;
    case FLOOR_DH:
        HS_ASSERT(crypto_scalarmult(world.out, world.scalar, world.point) == 0);
        break;
    case FLOOR_BASE:
        (void)crypto_scalarmult_base(world.out, world.scalar);
        break;
    case FLOOR_HMAC:
        (void)crypto_auth_hmacsha256(world.out, world.message, item->len, world.key);
        break;
    case FLOOR_HASH:
        (void)crypto_hash_sha256(world.out, world.message, item->len);
        break;
    case FLOOR_SEAL:
    case FLOOR_OPEN:
        call_aead(f->suite, item->call == FLOOR_OPEN, item->len);
        break;
    }
}

/* What a verification or an opening needs to succeed is made before the clock runs. */
static double item_time(const struct floor *f, const struct floor_item *item)
{
    uint8_t sig[64];
    size_t each = !item->each ? 1 : f->each < EACH_RUN ? f->each : EACH_RUN;
    world_grow(item->len);
    memset(world.message, 0, item->len);
    if (item->call == FLOOR_VERIFY)
        (void)crypto_sign_detached(sig, NULL, world.message, item->len, world.sk);
    if (item->call == FLOOR_OPEN)
        call_aead(f->suite, false, item->len);
    double start = bench_now_ns();
    for (size_t i = 0; i < item->times * each; i++)
        call(f, item, sig);
    double ns = bench_now_ns() - start;
    return item->each && each > 0 ? ns / (double)each * (double)f->each : ns;
}

/* What reading the clock takes, which is in each item's time. */
static double clock_cost(void)
{
    double start = bench_now_ns();
    for (int i = 0; i < 100; i++)
        (void)bench_now_ns();
    return (bench_now_ns() - start) / 100;
}

double floor_sample(const struct floor *f)
{
    static double clock_ns;
    double ns = 0;
    if (clock_ns <= 0)
        clock_ns = clock_cost();
    for (size_t i = 0; i < f->count; i++)
        ns += item_time(f, &f->items[i]) - (f->items[i].each ? 0 : clock_ns);
    return ns;
}

static size_t text_calls(const struct floor *f, bool each, char *text, size_t size)
{
    static const char *const names[FLOOR_CALLS] = {"sign", "verify", "dh",   "base",
                                                   "hmac", "hash",   "seal", "open"};
    size_t len = 0;
    for (size_t c = 0; c < FLOOR_CALLS; c++) {
        size_t times = 0;
        for (size_t i = 0; i < f->count; i++)
            if (f->items[i].each == each && f->items[i].call == c)
                times += f->items[i].times;
        if (times > 0)
            len +=
                (size_t)snprintf(text + len, size - len, "%s%zu %s", len > 0 ? " + " : "", times, names[c]);
        HS_ASSERT(len < size);
    }
    return len;
}

void floor_text(const struct floor *f, char text[static FLOOR_TEXT])
{
    char each[FLOOR_TEXT];
    size_t len = text_calls(f, false, text, FLOOR_TEXT);
    if (text_calls(f, true, each, sizeof each) == 0)
        return;
    HS_ASSERT(snprintf(text + len, FLOOR_TEXT - len, "%s%zu (%s)", len > 0 ? " + " : "", f->each, each) <
              (int)(FLOOR_TEXT - len));
}
