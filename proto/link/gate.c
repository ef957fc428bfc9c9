#include "link/gate.h"

#include "base/secret.h"

#include <sodium.h>

static const char label[] = "hanse-gate-v1";

void hs_gate_mac(const struct hs_key *responder, struct hs_bytes message1, uint8_t mac[static HS_GATE_LEN])
{
    struct hs_secret32 HS_SECRET key;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof key.b);
    crypto_generichash_update(&state, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&state, responder->b, sizeof responder->b);
    crypto_generichash_final(&state, key.b, sizeof key.b);
    crypto_generichash(mac, HS_GATE_LEN, message1.data, message1.len, key.b, sizeof key.b);
}

bool hs_gate_check(const struct hs_key *responder, struct hs_bytes message1, struct hs_bytes mac)
{
    uint8_t want[HS_GATE_LEN];
    hs_gate_mac(responder, message1, want);
    return hs_secret_equal(hs_bytes(want, sizeof want), mac);
}
