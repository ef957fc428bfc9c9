#include "base/text.h"

#include <sodium.h>

char *hs_hex(struct hs_bytes in, char *out)
{
    sodium_bin2hex(out, HS_HEX_SIZE(in.len), in.data, in.len);
    return out;
}

enum hs_err hs_unhex(const char *text, uint8_t *out, size_t out_len)
{
    size_t got = 0;
    const char *end = NULL;
    int rc = sodium_hex2bin(out, out_len, text, strlen(text), NULL, &got, &end);
    HS_REQUIRE(rc == 0 && got == out_len && *end == '\0', HS_ERR_MALFORMED);
    return HS_OK;
}

char *hs_base64(struct hs_bytes in, char *out)
{
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    sodium_bin2base64(out, sodium_base64_encoded_len(in.len, variant), in.data, in.len, variant);
    return out;
}

enum hs_err hs_unbase64(struct hs_bytes text, uint8_t *out, size_t out_size, size_t *out_len)
{
    const char *end = NULL;
    HS_REQUIRE(text.len <= out_size / 3 * 4 + 4, HS_ERR_TOO_LARGE);
    int rc = sodium_base642bin(out, out_size, (const char *)text.data, text.len, NULL, out_len, &end,
                               sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    HS_REQUIRE(rc == 0 && end == (const char *)text.data + text.len, HS_ERR_MALFORMED);
    return HS_OK;
}

struct hs_short hs_short(struct hs_bytes id)
{
    struct hs_short out = {0};
    hs_hex(hs_bytes(id.data, id.len < 4 ? id.len : 4), out.text);
    return out;
}

/* The length of the well-formed sequence at p (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF);
 * 0 where there is none. */
static size_t sequence_len(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return p[0] >= 0x20 || p[0] == '\t' || p[0] == '\n' ? 1 : 0;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool outside = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    bool control = p[0] == 0xc2 && p[1] < 0xa0; /* C1 controls can steer a terminal too */
    return overlong || outside || control ? 0 : len;
}

bool hs_text_is_clean(struct hs_bytes text)
{
    size_t i = 0;
    while (i < text.len) {
        size_t len = text.data[i] == 0x7f ? 0 : sequence_len(text.data + i, text.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}
