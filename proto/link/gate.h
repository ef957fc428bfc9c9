/* The cheap gate before any public-key work: a MAC over message 1 with a key that only those can make who
 * know the responder's static key. It keeps scanners out; it proves nothing. */
#ifndef HS_LINK_GATE_H
#define HS_LINK_GATE_H

#include "base/bytes.h"

enum { HS_GATE_LEN = 16 };

/* BLAKE2b-128 of message1, keyed with BLAKE2b-256("hanse-gate-v1" || responder). */
void hs_gate_mac(const struct hs_key *responder, struct hs_bytes message1, uint8_t mac[static HS_GATE_LEN]);

/* Constant-time. */
bool hs_gate_check(const struct hs_key *responder, struct hs_bytes message1, struct hs_bytes mac);

#endif
