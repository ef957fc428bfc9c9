/* Field rules that several deals share. */
#ifndef HS_DEAL_RULES_H
#define HS_DEAL_RULES_H

#include "deal/amount.h"
#include "object/hdr.h"
#include "wire/limits.h"

#include <string.h>

/* sku, gtin, category, language: codes, not sentences. */
enum { HS_CODE_MAX = 64 };

static inline bool hs_rule_text(const char *text, size_t max)
{
    return strlen(text) <= max;
}

/* A bytes field of 32 bytes into an id. */
static inline bool hs_rule_id(ProtobufCBinaryData data, struct hs_id *out)
{
    return HS_FIXED(hs_pb_bytes(data), out);
}

/* An amount above 0, of that currency where one is given. AMOUNT, CURRENCY. */
static inline enum hs_err hs_rule_positive(const Hanse__Amount *in, struct hs_amount *out)
{
    struct hs_amount amount;
    HS_TRY(hs_amount_read(in, &amount));
    HS_REQUIRE(amount.minor > 0, HS_ERR_AMOUNT);
    *out = amount;
    return HS_OK;
}

#endif
