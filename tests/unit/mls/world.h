/* People with groups, for scenarios: each step is checked, so that a test reads as what happens. */
#ifndef TESTS_MLS_WORLD_H
#define TESTS_MLS_WORLD_H

#include "support/mls_store.h"
#include "support/test.h"

#include "base/writer.h"
#include "crypto/selftest.h"
#include "mls/group.h"
#include "mls/member.h"

#include <stdio.h>
#include <string.h>

enum { ROOM_POLICY = 0xF4A1, NOW = 1000, CAP = 64 << 20 };

struct person {
    char name[16];
    struct hs_mls_signer signer;
    struct hs_writer key_package;
    struct hs_mls_key_package_private priv;
    struct hs_mls_group *group;
    struct mls_store *store; /* where the group is saved; NULL until it is */
    struct hs_mls_settings settings;
};

static const uint16_t room_types[] = {ROOM_POLICY};

static inline struct hs_mls_leaf_params person_params(const struct person *p)
{
    return (struct hs_mls_leaf_params){
        .signer = &p->signer,
        .identity = hs_bytes_str(p->name),
        .not_after = 2 * NOW,
        .extension_types = room_types,
        .extension_type_count = 1,
    };
}

/* A new key package; the old one is forgotten. */
static inline void person_key_package_with(struct person *p, const struct hs_mls_leaf_params *params,
                                           bool last_resort)
{
    hs_writer_reset(&p->key_package);
    assert_ok(hs_mls_key_package_new(params, last_resort, &p->key_package, &p->priv));
}

static inline void person_key_package(struct person *p)
{
    const struct hs_mls_leaf_params params = person_params(p);
    person_key_package_with(p, &params, false);
}

/* suite: its number. */
static inline void person_init_with(struct person *p, const char *name, uint16_t suite)
{
    memset(p, 0, sizeof *p);
    (void)snprintf(p->name, sizeof p->name, "%.*s", (int)sizeof p->name - 1, name);
    assert_non_null(hs_mls_suite_find(suite));
    assert_ok(hs_mls_signer_random(hs_mls_suite_find(suite), &p->signer));
    p->key_package = hs_writer(CAP);
    p->settings = hs_mls_settings_default();
    person_key_package(p);
}

static inline void person_init(struct person *p, const char *name)
{
    person_init_with(p, name, 3);
}

/* Group and store go, the person stays. */
static inline void person_leave(struct person *p)
{
    hs_mls_group_free_at(&p->group);
    mls_store_free_at(&p->store);
}

static inline void person_free(struct person *p)
{
    person_leave(p);
    hs_writer_free(&p->key_package);
    hs_mls_key_package_private_wipe(&p->priv);
    hs_mls_signer_wipe(&p->signer);
}

static inline void person_create(struct person *p, const char *policy)
{
    const struct hs_mls_extension extension = {.type = ROOM_POLICY, .data = hs_bytes_str(policy)};
    struct hs_mls_create create = {
        .leaf = person_params(p),
        .group_id = hs_bytes_str("room"),
        .extensions = &extension,
        .extension_count = 1,
        .settings = p->settings,
    };
    person_leave(p);
    assert_ok(hs_mls_group_create(&create, &p->group));
}

static inline enum hs_err person_try_join(struct person *p, struct hs_bytes welcome, struct hs_bytes tree)
{
    struct hs_mls_join join = {
        .welcome = welcome,
        .key_package = hs_writer_bytes(&p->key_package),
        .priv = &p->priv,
        .signer = &p->signer,
        .tree = tree,
        .settings = p->settings,
    };
    person_leave(p);
    return hs_mls_group_join(&join, &p->group);
}

/* What one commit gave. */
struct sent {
    struct hs_writer commit, welcome, group_info;
};

static inline struct sent sent_new(void)
{
    return (struct sent){.commit = hs_writer(CAP), .welcome = hs_writer(CAP), .group_info = hs_writer(CAP)};
}

static inline void sent_free(struct sent *s)
{
    hs_writer_free(&s->commit);
    hs_writer_free(&s->welcome);
    hs_writer_free(&s->group_info);
}
#define SENT HS_AUTO(sent_free)

static inline enum hs_err person_try_commit(struct person *p, const struct hs_mls_commit_request *request,
                                            struct sent *s)
{
    const struct hs_mls_commit_result result = {
        .commit = &s->commit, .welcome = &s->welcome, .group_info = &s->group_info};
    return hs_mls_group_commit(p->group, request, &result);
}

static const struct hs_mls_commit_request empty = {0};

/* Commits, and the service took it. */
static inline void person_commit(struct person *p, const struct hs_mls_commit_request *request,
                                 struct sent *s)
{
    assert_ok(person_try_commit(p, request, s));
    assert_ok(hs_mls_group_accept(p->group));
}

/* Proposals that stand alone. */
static inline enum hs_err propose_remove(struct person *p, uint32_t leaf, struct hs_writer *out)
{
    return hs_mls_group_propose(p->group,
                                &(struct hs_mls_proposal_request){.type = HS_MLS_REMOVE, .leaf = leaf}, out);
}

static inline enum hs_err propose_update(struct person *p, const char *identity, struct hs_writer *out)
{
    const struct hs_mls_proposal_request request = {.type = HS_MLS_UPDATE,
                                                    .identity = hs_bytes_str(identity)};
    return hs_mls_group_propose(p->group, &request, out);
}

static inline enum hs_err propose_add(struct person *p, struct hs_bytes key_package, struct hs_writer *out)
{
    return hs_mls_group_propose(
        p->group, &(struct hs_mls_proposal_request){.type = HS_MLS_ADD, .key_package = key_package}, out);
}

static inline enum hs_err propose_extensions(struct person *p, const struct hs_mls_extension *extensions,
                                             size_t count, struct hs_writer *out)
{
    const struct hs_mls_proposal_request request = {
        .type = HS_MLS_GROUP_CONTEXT_EXTENSIONS, .extensions = extensions, .extension_count = count};
    return hs_mls_group_propose(p->group, &request, out);
}

/* Receives a commit of somebody else and merges it. */
static inline void person_follow(struct person *p, struct hs_bytes commit)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(p->group, commit, &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_COMMIT);
    assert_ok(hs_mls_group_merge(p->group, event->staged));
}

/* A commit with nothing in it, for two. */
static inline void next_epoch(struct person *by, struct person *other)
{
    struct sent SENT s = sent_new();
    person_commit(by, &empty, &s);
    person_follow(other, hs_writer_bytes(&s.commit));
}

/* Receives a proposal. */
static inline void person_hear(struct person *p, struct hs_bytes proposal)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(p->group, proposal, &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_PROPOSAL);
}

static inline void assert_same_epoch(const struct person *a, const struct person *b)
{
    struct hs_mls_secret x = hs_mls_group_authenticator(a->group), y = hs_mls_group_authenticator(b->group);
    assert_bytes(hs_mls_public_context(hs_mls_group_public(a->group)),
                 hs_mls_public_context(hs_mls_group_public(b->group)));
    assert_bytes(HS_MLS_VIEW(x), HS_MLS_VIEW(y));
}

/* from says text, to reads it. */
static inline void assert_talks(struct person *from, struct person *to, const char *text)
{
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_protect(from->group, hs_bytes_str(text), hs_bytes_str("ad"), 64, &w));
    assert_ok(hs_mls_group_process(to->group, hs_writer_bytes(&w), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_APPLICATION);
    assert_bytes(event->plaintext, hs_bytes_str(text));
    assert_bytes(event->authenticated_data, hs_bytes_str("ad"));
    assert_bytes(event->sender.identity, hs_bytes_str(from->name));
    assert_int_equal(event->sender.leaf, hs_mls_group_own_leaf(from->group));
}

static inline void person_save(struct person *p)
{
    if (p->store == NULL)
        p->store = mls_store_new();
    assert_ok(hs_mls_group_save(p->group, &p->store->store));
}

/* Goes on with what was saved last, as after a crash. */
static inline void person_crash(struct person *p)
{
    hs_mls_group_free_at(&p->group);
    assert_ok(hs_mls_group_load(&p->store->store, &p->signer, 1, &p->group));
}

/* What was saved and loaded has nothing to save. */
static inline void person_restart(struct person *p)
{
    person_save(p);
    person_crash(p);
    mls_store_count_from_here(p->store);
    person_save(p);
    assert_int_equal(p->store->counts.puts, 0);
}

/* The hash of all that the store holds, with everything written anew that could have changed unnoticed. */
static inline struct hs_id person_state(struct person *p)
{
    p->group->saved.state = p->group->saved.before = p->group->saved.pending = false;
    p->group->saved.head.len = 0;
    person_save(p);
    return mls_store_hash(p->store);
}

#define assert_same_state(p, before)                                                                         \
    do {                                                                                                     \
        const struct hs_id now_ = person_state(p);                                                           \
        assert_bytes(HS_VIEW(now_), HS_VIEW(before));                                                        \
    } while (0)

/* by adds newcomer; all others who are there follow. */
static inline void world_add(struct person *by, struct person *newcomer, struct person *const *others,
                             size_t count)
{
    struct sent SENT s = sent_new();
    struct hs_bytes add = hs_writer_bytes(&newcomer->key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1, .tree_in_welcome = true};
    person_commit(by, &request, &s);
    for (size_t i = 0; i < count; i++)
        person_follow(others[i], hs_writer_bytes(&s.commit));
    assert_ok(person_try_join(newcomer, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    assert_same_epoch(by, newcomer);
}

static inline int world_setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

#endif
