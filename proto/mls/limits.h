/* Every limit of the MLS stage, once, with its reason. */
#ifndef HS_MLS_LIMITS_H
#define HS_MLS_LIMITS_H

#include <stdint.h>

enum {
    /* The largest room is a channel of 100,000; its tree is 2^17 leaves wide. */
    HS_MLS_MAX_LEAVES = 1 << 17,
    /* Levels of that tree, leaf and root counted. */
    HS_MLS_MAX_DEPTH = 18,
    /* One message: a GroupInfo with the tree of 2^17 members at about 500 bytes a leaf and 110 a parent. */
    HS_MLS_MAX_MESSAGE = 96 << 20,
    /* One record of the store: the largest holds a pending commit, its message and the content of a private
       one. */
    HS_MLS_MAX_SAVED = 256 << 20,
    /* An encrypted post: the protocol's content limit is 32 KiB; room for padding, deals and framing. */
    HS_MLS_MAX_APPLICATION = 1 << 20,
    /* A credential: a device certificate has some 500 bytes. */
    HS_MLS_MAX_IDENTITY = 16 << 10,
    /* A leaf: its identity, and extensions of the application's own; a tree holds one a member. */
    HS_MLS_MAX_LEAF = 1 << 20,
    /* The group's id: a room id has 32 bytes. */
    HS_MLS_MAX_GROUP_ID = 255,
    /* Proposals of one epoch that wait for a commit: each costs a signature check and memory. */
    HS_MLS_MAX_CACHED_PROPOSALS = 1024,
    /* What these take together: a thousand key packages of some size. Anybody may propose its own Add. */
    HS_MLS_MAX_CACHED_BYTES = 32 << 20,
    /* Updates that one member has out in one epoch: more than one only by mistake. Each has a private key
       that waits for whoever commits it. */
    HS_MLS_MAX_OWN_UPDATES = 8,
    /* Extensions of one list, and types in one capabilities list: more than any client knows. */
    HS_MLS_MAX_EXTENSIONS = 64,
    HS_MLS_MAX_CAPABILITIES = 256,
    /* What settings may ask for at most: memory and work that one sender can cause. */
    HS_MLS_MAX_OUT_OF_ORDER = 1024,
    HS_MLS_MAX_FORWARD = 100000,
    HS_MLS_MAX_PAST_EPOCHS = 64,
    HS_MLS_MAX_PADDING = 64 << 10,
    /* PSKs of one commit or Welcome (RFC 9420, 8.4 counts them in 16 bits): each costs some hashing. */
    HS_MLS_MAX_PSKS = 256,
    /* Commits of one epoch that were taken back: each is remembered, so that it is never merged again. A hub
       that voids more than that has other faults. */
    HS_MLS_MAX_VOIDED = 32,
    /* External senders that a group knows: moderators' services, a hub. */
    HS_MLS_MAX_EXTERNAL_SENDERS = 64,
};

#endif
