#include "fuzz/mutate.h"

static void flip_bit(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    (void)other;
    if (m->len > 0)
        m->data[rng_below(rng, m->len)] ^= (uint8_t)(1u << rng_below(rng, 8));
}

/* Values at which parsers err: ends of ranges of lengths, varints and signs. */
static void set_byte(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    static const uint8_t values[] = {0x00, 0x01, 0x02, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff};
    (void)other;
    if (m->len > 0)
        m->data[rng_below(rng, m->len)] = values[rng_below(rng, sizeof values)];
}

static void add_small(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    (void)other;
    if (m->len > 0) {
        uint8_t *at = &m->data[rng_below(rng, m->len)];
        *at = (uint8_t)(*at + rng_below(rng, 9) - 4);
    }
}

/* Room for len bytes at a random place; false where they don't fit. */
static bool make_gap(struct mutant *m, size_t len, struct rng *rng, size_t *at)
{
    if (len > m->size - m->len)
        return false;
    *at = rng_below(rng, m->len + 1);
    memmove(m->data + *at + len, m->data + *at, m->len - *at);
    m->len += len;
    return true;
}

static void insert_bytes(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    size_t len = 1 + rng_below(rng, 16), at;
    (void)other;
    if (make_gap(m, len, rng, &at))
        rng_fill(rng, m->data + at, len);
}

static void delete_bytes(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    (void)other;
    if (m->len == 0)
        return;
    size_t at = rng_below(rng, m->len), most = m->len - at < 64 ? m->len - at : 64;
    size_t len = 1 + rng_below(rng, most);
    memmove(m->data + at, m->data + at + len, m->len - at - len);
    m->len -= len;
}

static void splice(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    if (other.len == 0)
        return;
    size_t from = rng_below(rng, other.len), at;
    size_t len = 1 + rng_below(rng, other.len - from);
    if (make_gap(m, len, rng, &at))
        memcpy(m->data + at, other.data + from, len);
}

/* A part of itself once more: repeated fields, lists that are too long. */
static void repeat(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    (void)other;
    if (m->len == 0)
        return;
    size_t from = rng_below(rng, m->len);
    size_t len = 1 + rng_below(rng, m->len - from);
    if (len > m->size - m->len)
        return;
    memmove(m->data + from + len, m->data + from, m->len - from);
    m->len += len;
}

static void overwrite(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    if (other.len == 0 || m->len == 0)
        return;
    size_t from = rng_below(rng, other.len), at = rng_below(rng, m->len);
    size_t most = other.len - from < m->len - at ? other.len - from : m->len - at;
    memcpy(m->data + at, other.data + from, 1 + rng_below(rng, most));
}

static void truncate(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    (void)other;
    m->len = rng_below(rng, m->len + 1);
}

void mutate(struct mutant *m, struct hs_bytes other, struct rng *rng)
{
    static void (*const all[])(struct mutant *, struct hs_bytes, struct rng *) = {
        flip_bit, flip_bit,     set_byte, set_byte,  add_small, insert_bytes,
        repeat,   delete_bytes, splice,   overwrite, truncate};
    size_t times = 1 + rng_below(rng, 4);
    for (size_t i = 0; i < times; i++)
        all[rng_below(rng, sizeof all / sizeof *all)](m, other, rng);
}
