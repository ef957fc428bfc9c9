/* The text of an invite, from a QR code or a message. Input: the text. */
#include "fuzz/fuzz.h"

#include "identity/descriptor.h"
#include "room/invite_link.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    char *text = malloc(size + 1);
    HS_ASSERT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct hs_invite_link HS_INVITE_LINK link, HS_INVITE_LINK again;
    enum hs_err err = hs_invite_link_parse(text, &link);
    free(text);
    if (err != HS_OK) {
        static const struct hs_invite_link zeros;
        HS_ASSERT(memcmp(&link, &zeros, sizeof link) == 0);
        hs_invite_link_wipe(&again);
        return 0;
    }
    char shown[HS_INVITE_TEXT_SIZE], url[HS_INVITE_URL_SIZE];
    HS_ASSERT(hs_address_is_valid(hs_bytes_str(link.address)));
    FUZZ_OK(hs_invite_link_text(&link, shown));
    FUZZ_OK(hs_invite_link_parse(shown, &again));
    HS_ASSERT(memcmp(&link, &again, sizeof link) == 0);
    fuzz_accepted++;
    FUZZ_OK(hs_invite_link_url(&link, "rosa.example", url));
    FUZZ_OK(hs_invite_link_parse(url, &again));
    HS_ASSERT(memcmp(&link, &again, sizeof link) == 0);
    return 0;
}
