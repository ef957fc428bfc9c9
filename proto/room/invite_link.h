/* The text of an invite, as it stands in a link or QR code: whom to ask, and the secret that opens the room.
 */
#ifndef HS_ROOM_INVITE_LINK_H
#define HS_ROOM_INVITE_LINK_H

#include "crypto/sign.h"

enum {
    HS_INVITE_SEED_LEN = 16,
    HS_INVITE_TEXT_MAX = 160, /* a QR code of version 8 (M): a phone reads it across a room */
    HS_INVITE_TEXT_SIZE = HS_INVITE_TEXT_MAX + 1,
    HS_INVITE_ADDRESS_MAX = 65, /* what is left of the text; "host:port" */
    HS_INVITE_URL_SIZE = 8 + 253 + 3 + HS_INVITE_TEXT_MAX + 1
};

/* Secret: whoever has the seed can use the invite. Wipe it. */
struct hs_invite_link {
    struct hs_key root; /* of the hub: pinned before a word is said */
    uint8_t seed[HS_INVITE_SEED_LEN];
    char address[HS_INVITE_ADDRESS_MAX + 1];
};

#define HS_INVITE_LINK HS_AUTO(hs_invite_link_wipe)
void hs_invite_link_wipe(struct hs_invite_link *link);

/* "hanse:i/<base64url(version || root || seed || address)>". INVALID_ARG where the address
 * doesn't pass hs_address_is_valid().
 */
enum hs_err hs_invite_link_text(const struct hs_invite_link *link, char text[static HS_INVITE_TEXT_SIZE]);

/* "https://<domain>/i#<the same>": the fragment reaches no server. INVALID_ARG for a domain that isn't one.
 */
enum hs_err hs_invite_link_url(const struct hs_invite_link *link, const char *domain,
                               char url[static HS_INVITE_URL_SIZE]);

/* Either form. MALFORMED; TOO_LARGE past its size; UNSUPPORTED for another version; BAD_KEY where the root
 * isn't a key. *link is zeros after an error. */
enum hs_err hs_invite_link_parse(const char *text, struct hs_invite_link *link);

/* The invite's key pair: Ed25519 from HKDF-SHA256(seed, "hanse-invite-v1"). */
void hs_invite_signer(const uint8_t seed[static HS_INVITE_SEED_LEN], struct hs_signer *out);

#endif
