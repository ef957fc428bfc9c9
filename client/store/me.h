/* Who this device is: the person's seed, the device's secret, the home node. One row. */
#ifndef HS_STORE_ME_H
#define HS_STORE_ME_H

#include "base/secret.h"
#include "identity/credential.h"
#include "store/row.h"

struct hs_me {
    struct hs_secret32 seed;          /* customers' personas are derived from it */
    struct hs_secret32 device_secret; /* this device's keys are */
    bool has_role; /* role_seed is a brand's role, known by one public identity everywhere */
    struct hs_secret32 role_seed;
    uint32_t roles; /* HS_ROLE_BIT()s by the home's root */
    char name[HS_CREDENTIAL_NAME_MAX + 1];
    char handle[HS_HANDLE_TEXT_SIZE];
    struct hs_bytes grants; /* Chain: shown in rooms of the home's brand */
    bool has_home, has_account;
    struct hs_key home_root;
    struct hs_bytes home_descriptor; /* empty until the node showed it */
    char home_address[80];           /* from a link, until the descriptor is there */
    struct hs_bytes ticket;          /* the ticket's text until the account is confirmed */
    uint64_t inbox_next;
    bool moving; /* to this home, which hasn't confirmed the account, or rooms are left that are unmoved */
    uint64_t home_number;   /* how many homes were chosen since the first: no HomeMove to this one has a lower
                               number */
    struct hs_key old_root; /* moving without an account: what to go back to */
    struct hs_bytes old_descriptor;
    uint64_t old_inbox_next;
};

/* False where no identity was made. */
bool hs_me_get(struct hs_kv *kv, struct hs_arena *arena, struct hs_me *out);
void hs_me_put(struct hs_kv *kv, const struct hs_me *me);
void hs_me_wipe(struct hs_me *me);

/* Numbers that are never used again: of outbox rows. */
uint64_t hs_number_next(struct hs_kv *kv);

#endif
