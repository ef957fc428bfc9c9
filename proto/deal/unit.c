/* A unit's state as stored bytes. */
#include "deal/ledger.h"

#include "base/reader.h"

#include <string.h>

enum { UNIT_VERSION = 1 };

/* In place, so that there is nothing to allocate: it can't fail. */
static uint8_t *put(uint8_t *at, struct hs_bytes bytes)
{
    memcpy(at, bytes.data, bytes.len);
    return at + bytes.len;
}

static uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(value >> shift);
    return at;
}

static uint8_t *put_amount(uint8_t *at, const struct hs_amount *a)
{
    return put_u64(put(at, hs_bytes((const uint8_t *)a->currency, 3)), (uint64_t)a->minor);
}

void hs_unit_pack(const struct hs_unit *unit, uint8_t out[static HS_UNIT_SIZE])
{
    uint8_t *at = out;
    *at++ = UNIT_VERSION;
    *at++ = (uint8_t)unit->state;
    at = put(at, HS_VIEW(unit->rid));
    at = put(at, HS_VIEW(unit->request_id));
    at = put(at, HS_VIEW(unit->reservation_id));
    at = put(at, HS_VIEW(unit->final_id));
    at = put_amount(at, &unit->max_discount);
    at = put_amount(at, &unit->discount);
    at = put_u64(at, (uint64_t)unit->decide_by.ms);
    at = put_u64(at, (uint64_t)unit->settle_by.ms);
    HS_ASSERT(at == out + HS_UNIT_SIZE);
}

/* An amount that isn't set has no currency and is 0. */
static void amount_read(struct hs_reader *r, struct hs_amount *a)
{
    struct hs_amount raw = {0}, checked;
    hs_read_fixed(r, (uint8_t *)raw.currency, 3);
    raw.minor = (int64_t)hs_read_u64(r);
    bool unset =
        raw.currency[0] == '\0' && raw.currency[1] == '\0' && raw.currency[2] == '\0' && raw.minor == 0;
    if (!unset && hs_amount(raw.currency, raw.minor, &checked) != HS_OK)
        hs_reader_fail(r, HS_ERR_STORE);
    *a = raw;
}

enum hs_err hs_unit_unpack(struct hs_bytes bytes, struct hs_unit *out)
{
    struct hs_reader r = hs_reader(bytes);
    struct hs_unit unit = {0};
    uint8_t version = hs_read_u8(&r), state = hs_read_u8(&r);
    hs_read_fixed(&r, unit.rid.b, sizeof unit.rid.b);
    hs_read_fixed(&r, unit.request_id.b, sizeof unit.request_id.b);
    hs_read_fixed(&r, unit.reservation_id.b, sizeof unit.reservation_id.b);
    hs_read_fixed(&r, unit.final_id.b, sizeof unit.final_id.b);
    amount_read(&r, &unit.max_discount);
    amount_read(&r, &unit.discount);
    unit.decide_by.ms = (int64_t)hs_read_u64(&r);
    unit.settle_by.ms = (int64_t)hs_read_u64(&r);
    HS_REQUIRE(hs_reader_finish(&r) == HS_OK, HS_ERR_STORE);
    HS_REQUIRE(version == UNIT_VERSION && state <= HS_UNIT_REDEEMED, HS_ERR_STORE);
    unit.state = (enum hs_unit_state)state;
    *out = unit;
    return HS_OK;
}
