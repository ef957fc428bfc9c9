/* The identity in an MLS leaf, by anybody. Input: choice (odd: signed anew), Credential. */
#include "fuzz/fuzz.h"

#include "fuzz/cast.h"
#include "fuzz/resign.h"
#include "identity/credential.h"

enum { ARENA = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    struct hs_arena HS_ARENA arena = hs_arena(ARENA);
    struct hs_bytes in = hs_bytes(data, size);
    uint8_t choice = fuzz_choice(&in);
    if ((choice & 1) != 0)
        in = fuzz_resign(&hanse__credential__descriptor, in, &arena);
    struct hs_credential c;
    const char *domain = (choice & 2) != 0 ? CAST_DOMAIN : NULL;
    const struct hs_key *root = &cast(CAST_ROOT)->pub;
    if (hs_credential_verify(in, &cast(CAST_PHONE)->pub, root, domain, cast_at(0), &c) != HS_OK)
        return 0;
    HS_ASSERT(hs_key_equal(&c.certificate.signature_key, &cast(CAST_PHONE)->pub));
    FUZZ_OK(hs_certificate_check_time(&c.certificate, cast_at(0)));
    HS_ASSERT(memchr(c.display_name, 0, sizeof c.display_name) != NULL);
    HS_ASSERT(memchr(c.handle, 0, sizeof c.handle) != NULL);
    /* A handle shows the domain that was asked for, and no display name can look like one of another line. */
    const char *at = strchr(c.handle, '@');
    HS_ASSERT(c.handle[0] == '\0' || (at != NULL && at != c.handle));
    HS_ASSERT(domain == NULL || c.handle[0] == '\0' || strcmp(at + 1, domain) == 0);
    HS_ASSERT(strpbrk(c.display_name, "\n\t") == NULL);
    fuzz_accepted++;
    return 0;
}
