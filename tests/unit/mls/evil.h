/* A member that can do all that a member can and keeps to no rule: its proposals, commits and paths are
 * signed, tagged and encrypted in earnest, so that nothing but the one rule in question is broken. Bob, an
 * honest member, and a hub judge them; both must be the same, byte for byte, after they refused. */
#ifndef TESTS_MLS_EVIL_H
#define TESTS_MLS_EVIL_H

#include "unit/mls/world.h"

struct evil {
    struct person alice, bob, carol, dave; /* members, leaves 0 to 3; alice, carol and dave are evil */
    struct person erin, frank;             /* no members (yet) */
    struct hs_mls_signer moderator;        /* external sender 0 */
    struct hs_mls_public *hub;
    struct mls_store *hub_store;
};

enum { EVIL_SUITE = 3 };

static const struct hs_bytes nothing = {0};

static inline struct hs_writer writer(void)
{
    return hs_writer(CAP);
}

int evil_setup(void **state);
int evil_teardown(void **state);
#define EVIL_TEST(name) cmocka_unit_test_setup_teardown(name, evil_setup, evil_teardown)

/* Both answer with that error, and have not changed. The second form: where only members can see it (or only
 * a hub). */
void evil_refused(struct evil *e, struct hs_bytes message, enum hs_err want);
void evil_judged(struct evil *e, struct hs_bytes message, enum hs_err member, enum hs_err hub);

/* All hear the proposal, and keep it. Gives its reference. */
struct hs_mls_hash evil_heard(struct evil *e, struct hs_bytes message);

/* All members and the hub take the commit. */
void evil_accepted(struct evil *e, struct hs_bytes message);

/* Elements of a commit's list. */
void evil_value(struct hs_writer *list, const struct hs_mls_proposal *proposal);
void evil_ref(struct hs_writer *list, const struct hs_mls_hash *ref);

/* Proposals. Those with bytes borrow them. */
struct hs_mls_proposal evil_add(struct hs_bytes key_package);
struct hs_mls_proposal evil_remove(uint32_t leaf);
struct hs_mls_proposal evil_extensions(struct hs_bytes extensions);
struct hs_mls_proposal evil_psk(const char *id, struct hs_bytes nonce);
struct hs_mls_proposal evil_reinit(void);
struct hs_mls_proposal evil_external_init(struct hs_bytes kem_output);

/* A leaf before it is signed. */
struct evil_leaf {
    struct hs_mls_leaf_node node;
    const struct hs_mls_signer *signer;
    struct hs_bytes group_id;
    uint32_t index;
    void *context;
};

/* An Update by this member, bent before it is signed (bend may be NULL); out holds its bytes. */
struct hs_mls_proposal evil_update(struct person *by, void (*bend)(struct evil_leaf *leaf), void *context,
                                   struct hs_writer *out);

/* Who sends. A member where person is set; else from outside. */
struct evil_sender {
    const struct person *person;
    const struct hs_mls_signer *signer;                   /* NULL: the person's */
    struct hs_mls_author author;                          /* type 0: the person as a member */
    void (*bend)(struct hs_mls_authed *authed);           /* after it was signed */
    void (*bend_content)(struct hs_mls_content *content); /* before */
};

/* The proposal by itself, framed as PublicMessage in the group's epoch. */
void evil_propose(struct evil *e, const struct evil_sender *sender, const struct hs_mls_proposal *proposal,
                  struct hs_writer *out);

/* A member's, which all hear. Gives its reference. */
struct hs_mls_hash evil_says(struct evil *e, const struct person *by, const struct hs_mls_proposal *proposal);

struct evil_commit {
    struct person *by;
    bool external;                 /* by comes in from outside */
    struct hs_bytes list;          /* as it is sent */
    const struct hs_bytes *honest; /* what tree, path and secrets are made for, where the list can't be */
    bool no_path;
    void (*bend_leaf)(struct evil_leaf *leaf);                 /* of the path */
    void (*bend_secrets)(struct hs_mls_path_secrets *secrets); /* before they are encrypted */
    void (*bend_nodes)(struct hs_bytes nodes, struct hs_writer *out);
    void (*bend_content)(struct hs_mls_content *content);
    void (*bend_authed)(struct hs_mls_authed *authed); /* after it was signed and tagged */
    void *context;
    const struct hs_mls_secret *init; /* external: of the ExternalInit in the list */
    bool as_private;                  /* goes as PrivateMessage */
};

void evil_commit(struct evil *e, const struct evil_commit *plan, struct hs_writer *out);

/* Made, and refused or judged as above. */
void evil_commit_refused(struct evil *e, const struct evil_commit *plan, enum hs_err want);
void evil_commit_judged(struct evil *e, const struct evil_commit *plan, enum hs_err member, enum hs_err hub);

/* A commit by alice, with a path, of that list; refused with that error. The path is made for the list, or
 * for another one where that can't be carried out at all. */
void evil_list_refused(struct evil *e, struct hs_bytes list, enum hs_err want);
void evil_split_refused(struct evil *e, struct hs_bytes list, struct hs_bytes honest, enum hs_err want);

/* kem_output for an ExternalInit of the present epoch, and the init secret that it brings. */
struct hs_bytes evil_external(struct evil *e, uint8_t kem[static HS_MLS_MAX_PUB], struct hs_mls_secret *init);

/* A KeyPackage, as MLSMessage, of which leaf and rest are bent before they are signed. */
struct evil_package {
    struct person *by;
    void (*bend_leaf)(struct evil_leaf *leaf);
    void (*bend)(struct hs_mls_key_package *kp);
    bool wrong_signature;
    void *context;
};
void evil_key_package(const struct evil_package *plan, struct hs_writer *out);

#endif
