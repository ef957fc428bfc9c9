/* What an operator gives to somebody whose key is known. */
#ifndef TESTS_CLIENT_GRANT_TEXT_H
#define TESTS_CLIENT_GRANT_TEXT_H

#include "town.h"

#include "base/text.h"
#include "identity/grant.h"
#include "object/object.h"

#include <stdio.h>

enum { GRANT_TEXT_SIZE = 4096 };

struct grant_wish {
    const struct hs_signer *root; /* who signs */
    struct hs_key key;
    Hanse__Role role; /* 0: none */
    const char *handle;
    struct hs_time not_after;
};

/* What hansed grant prints. */
static inline void grant_text(struct town_node *node, const struct grant_wish *w,
                              char text[static GRANT_TEXT_SIZE])
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *objects[3];
    Hanse__Chain chain = HANSE__CHAIN__INIT;
    uint8_t packed[GRANT_TEXT_SIZE / 2];
    struct hs_time now = town_now(node->town);
    struct hs_grant grant = {.key = w->key, .role = w->role, .not_after = w->not_after};
    assert_ok(hs_object_unpack(node->descriptor, &arena, &objects[chain.n_objects++]));
    if (w->role != 0)
        assert_ok(hs_grant_build(w->root, &grant, now, &arena, &objects[chain.n_objects++]));
    if (w->handle != NULL) {
        struct hs_handle_grant handle = {.key = w->key};
        (void)snprintf(handle.name, sizeof handle.name, "%s", w->handle);
        (void)snprintf(handle.domain, sizeof handle.domain, "%s", node->domain);
        assert_ok(hs_handle_grant_build(w->root, &handle, now, &arena, &objects[chain.n_objects++]));
    }
    chain.objects = objects;
    assert_true(hanse__chain__get_packed_size(&chain) <= sizeof packed);
    size_t len = hanse__chain__pack(&chain, packed);
    memcpy(text, "hanse:g/", 8);
    hs_base64(hs_bytes(packed, len), text + 8);
}

#endif
