#include "base/err.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    enum hs_err err;
    const char *name, *text;
} table[] = {
#define ROW(name, number, text) {HS_ERR_##name, #name, text},
#include "base/errors.def"
#undef ROW
};

static const size_t table_len = sizeof table / sizeof table[0];

enum { WIRE_INTERNAL = 1 };

static size_t row_of(enum hs_err err)
{
    size_t i = 0;
    while (i < table_len && table[i].err != err)
        i++;
    return i;
}

const char *hs_err_text(enum hs_err err)
{
    size_t i = row_of(err);
    if (i < table_len)
        return table[i].text;
    return err == HS_OK ? "done" : "unknown error";
}

const char *hs_err_name(enum hs_err err)
{
    size_t i = row_of(err);
    if (i < table_len)
        return table[i].name;
    return err == HS_OK ? "OK" : "UNKNOWN";
}

uint32_t hs_err_to_wire(enum hs_err err)
{
    bool peer = err <= -100 && err > -200;
    bool told = err == HS_ERR_BUSY || err == HS_ERR_NOT_FOUND || err == HS_ERR_STORE_FULL ||
                err == HS_ERR_UNREACHABLE || err == HS_ERR_TIMEOUT;
    return peer || told ? (uint32_t)-err : WIRE_INTERNAL;
}

enum hs_err hs_err_from_wire(uint32_t code)
{
    if (code == WIRE_INTERNAL)
        return HS_ERR_IO;
    for (size_t i = 0; i < table_len; i++)
        if (code < 200 && table[i].err == (enum hs_err)(-(int)code) && hs_err_to_wire(table[i].err) == code)
            return table[i].err;
    return HS_ERR_MALFORMED;
}

bool hs_err_is_transient(enum hs_err err)
{
    switch (err) {
    case HS_ERR_BUSY:
    case HS_ERR_TIMEOUT:
    case HS_ERR_UNREACHABLE:
    case HS_ERR_CLOSED:
    case HS_ERR_RATE_LIMITED:
    case HS_ERR_STORE_FULL:
    case HS_ERR_IO:
    case HS_ERR_UNSETTLED:
    case HS_ERR_RECOVERING:
    case HS_ERR_HUB_MOVED:
        return true;
    default:
        return false;
    }
}

enum {
    AGAIN_MS = 1000,     /* buckets have filled again; most commits are settled long before */
    FULL_AGAIN_MS = 4000 /* somebody has to make room; below the time for which a node holds order */
};

uint32_t hs_err_again_ms(enum hs_err err)
{
    if (!hs_err_is_transient(err))
        return 0;
    return err == HS_ERR_STORE_FULL ? FULL_AGAIN_MS : AGAIN_MS;
}

void hs_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: this must hold and doesn't: %s\n", file, line, cond);
    abort();
}
