/* Secrets: fixed-size values that are wiped when they go out of scope, constant-time compares. */
#ifndef HS_BASE_SECRET_H
#define HS_BASE_SECRET_H

#include "base/bytes.h"

/* 32 secret bytes: a seed, a private key, a key-schedule secret. Never printed, never memcmp'ed. */
struct hs_secret32 {
    uint8_t b[32];
};

/* Overwrites memory in a way that the compiler keeps. */
void hs_wipe(void *data, size_t len);

void hs_secret32_wipe(struct hs_secret32 *secret);

/* Constant-time over the content; a difference in length is told at once (lengths are public). */
bool hs_secret_equal(struct hs_bytes a, struct hs_bytes b);

/* struct hs_secret32 HS_SECRET name = {0}; is wiped on every way out of its scope. */
#define HS_SECRET __attribute__((cleanup(hs_secret32_wipe)))

/* HS_AUTO(free_function) type *name: calls free_function(&name) on every way out of the scope. */
#define HS_AUTO(cleanup_fn) __attribute__((cleanup(cleanup_fn)))

#endif
