#include "room/invite_link.h"

#include "base/text.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "identity/descriptor.h"

#include <stdio.h>

enum {
    LINK_VERSION = 1,
    LINK_FIXED_LEN = 1 + HS_KEY_LEN + HS_INVITE_SEED_LEN,
    LINK_BYTES_MAX = LINK_FIXED_LEN + HS_INVITE_ADDRESS_MAX
};

static const char scheme[] = "hanse:i/";
static const char url_scheme[] = "https://";
static const char url_path[] = "/i#";

_Static_assert(sizeof scheme - 1 + HS_BASE64_SIZE(LINK_BYTES_MAX) <= HS_INVITE_TEXT_SIZE, "the longest link");

void hs_invite_link_wipe(struct hs_invite_link *link)
{
    hs_wipe(link, sizeof *link);
}

/* The base64url part, with its NUL. */
static enum hs_err link_code(const struct hs_invite_link *link,
                             char out[static HS_BASE64_SIZE(LINK_BYTES_MAX)])
{
    HS_REQUIRE(memchr(link->address, 0, sizeof link->address) != NULL, HS_ERR_INVALID_ARG);
    HS_REQUIRE(hs_address_is_valid(hs_bytes_str(link->address)), HS_ERR_INVALID_ARG);
    struct hs_writer HS_WRITER w = hs_writer(LINK_BYTES_MAX);
    hs_write_u8(&w, LINK_VERSION);
    hs_write_bytes(&w, HS_VIEW(link->root));
    hs_write_bytes(&w, hs_bytes(link->seed, sizeof link->seed));
    hs_write_bytes(&w, hs_bytes_str(link->address));
    HS_TRY(w.err);
    hs_base64(hs_writer_bytes(&w), out);
    return HS_OK;
}

enum hs_err hs_invite_link_text(const struct hs_invite_link *link, char text[static HS_INVITE_TEXT_SIZE])
{
    char code[HS_BASE64_SIZE(LINK_BYTES_MAX)];
    HS_TRY(link_code(link, code));
    (void)snprintf(text, HS_INVITE_TEXT_SIZE, "%s%s", scheme, code);
    hs_wipe(code, sizeof code);
    return HS_OK;
}

enum hs_err hs_invite_link_url(const struct hs_invite_link *link, const char *domain,
                               char url[static HS_INVITE_URL_SIZE])
{
    char code[HS_BASE64_SIZE(LINK_BYTES_MAX)];
    HS_REQUIRE(hs_domain_is_valid(hs_bytes_str(domain)), HS_ERR_INVALID_ARG);
    HS_TRY(link_code(link, code));
    (void)snprintf(url, HS_INVITE_URL_SIZE, "%s%s%s%s", url_scheme, domain, url_path, code);
    hs_wipe(code, sizeof code);
    return HS_OK;
}

/* Where the code begins; NULL where the text is neither form. */
static const char *code_find(const char *text)
{
    if (strncmp(text, scheme, sizeof scheme - 1) == 0)
        return text + sizeof scheme - 1;
    if (strncmp(text, url_scheme, sizeof url_scheme - 1) != 0)
        return NULL;
    const char *domain = text + sizeof url_scheme - 1;
    const char *path = strstr(domain, url_path);
    if (path == NULL || !hs_domain_is_valid(hs_bytes(domain, (size_t)(path - domain))))
        return NULL;
    return path + sizeof url_path - 1;
}

static enum hs_err link_read(const uint8_t *bytes, size_t len, struct hs_invite_link *link)
{
    HS_REQUIRE(len > 0, HS_ERR_MALFORMED);
    HS_REQUIRE(bytes[0] == LINK_VERSION, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(len > LINK_FIXED_LEN, HS_ERR_MALFORMED);
    memcpy(link->root.b, bytes + 1, HS_KEY_LEN);
    memcpy(link->seed, bytes + 1 + HS_KEY_LEN, HS_INVITE_SEED_LEN);
    size_t address_len = len - LINK_FIXED_LEN;
    HS_REQUIRE(memchr(bytes + LINK_FIXED_LEN, 0, address_len) == NULL, HS_ERR_MALFORMED);
    memcpy(link->address, bytes + LINK_FIXED_LEN, address_len);
    HS_REQUIRE(hs_address_is_valid(hs_bytes_str(link->address)), HS_ERR_MALFORMED);
    return hs_sign_key_check(&link->root);
}

enum hs_err hs_invite_link_parse(const char *text, struct hs_invite_link *link)
{
    *link = (struct hs_invite_link){0};
    HS_REQUIRE(strlen(text) < HS_INVITE_URL_SIZE, HS_ERR_TOO_LARGE);
    const char *code = code_find(text);
    HS_REQUIRE(code != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(strlen(code) < HS_BASE64_SIZE(LINK_BYTES_MAX), HS_ERR_TOO_LARGE);
    uint8_t bytes[LINK_BYTES_MAX];
    size_t len = 0;
    enum hs_err err = hs_unbase64(hs_bytes_str(code), bytes, sizeof bytes, &len);
    if (err == HS_OK)
        err = link_read(bytes, len, link);
    if (err != HS_OK)
        hs_invite_link_wipe(link);
    hs_wipe(bytes, sizeof bytes);
    return err;
}

void hs_invite_signer(const uint8_t seed[static HS_INVITE_SEED_LEN], struct hs_signer *out)
{
    struct hs_secret32 HS_SECRET prk = {0};
    struct hs_secret32 HS_SECRET key = {0};
    hs_hkdf_extract(hs_bytes(NULL, 0), hs_bytes(seed, HS_INVITE_SEED_LEN), &prk);
    enum hs_err err = hs_hkdf_expand(HS_VIEW(prk), hs_bytes_str("hanse-invite-v1"), key.b, sizeof key.b);
    HS_ASSERT(err == HS_OK);
    hs_signer_init(out, &key);
}
