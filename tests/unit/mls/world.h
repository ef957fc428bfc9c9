/* People with groups, for scenarios: each step is checked, so that a test reads as what happens. */
#ifndef TESTS_MLS_WORLD_H
#define TESTS_MLS_WORLD_H

#include "support/test.h"

#include "base/writer.h"
#include "crypto/selftest.h"
#include "mls/group.h"

#include <stdio.h>
#include <string.h>

enum { ROOM_POLICY = 0xF4A1, NOW = 1000, CAP = 64 << 20 };

struct person {
    char name[16];
    struct hs_signer signer;
    struct hs_writer key_package;
    struct hs_mls_key_package_private priv;
    struct hs_mls_group *group;
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
static inline void person_key_package(struct person *p)
{
    struct hs_mls_leaf_params params = person_params(p);
    hs_writer_reset(&p->key_package);
    assert_ok(hs_mls_key_package_new(&params, &p->key_package, &p->priv));
}

static inline void person_init(struct person *p, const char *name)
{
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", name);
    hs_signer_random(&p->signer);
    p->key_package = hs_writer(CAP);
    person_key_package(p);
}

static inline void person_free(struct person *p)
{
    hs_mls_group_free_at(&p->group);
    hs_writer_free(&p->key_package);
    hs_mls_key_package_private_wipe(&p->priv);
    hs_signer_wipe(&p->signer);
}

static inline void person_create(struct person *p, const char *policy)
{
    const struct hs_mls_extension extension = {.type = ROOM_POLICY, .data = hs_bytes_str(policy)};
    struct hs_mls_create create = {
        .leaf = person_params(p),
        .group_id = hs_bytes_str("room"),
        .extensions = &extension,
        .extension_count = 1,
        .settings = hs_mls_settings_default(),
    };
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
        .settings = hs_mls_settings_default(),
    };
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

/* Receives a commit of somebody else and merges it. */
static inline void person_follow(struct person *p, struct hs_bytes commit)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(p->group, commit, &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_COMMIT);
    assert_ok(hs_mls_group_merge(p->group, event->staged));
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
    struct hs_secret32 x = hs_mls_group_authenticator(a->group), y = hs_mls_group_authenticator(b->group);
    assert_bytes(hs_mls_public_context(hs_mls_group_public(a->group)),
                 hs_mls_public_context(hs_mls_group_public(b->group)));
    assert_memory_equal(x.b, y.b, sizeof x.b);
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

/* Saves the group and goes on with what was loaded. */
static inline void person_restart(struct person *p)
{
    struct hs_writer HS_WRITER saved = hs_writer(CAP), HS_WRITER again = hs_writer(CAP);
    struct hs_mls_group *loaded = NULL;
    assert_ok(hs_mls_group_save(p->group, &saved));
    assert_ok(hs_mls_group_load(hs_writer_bytes(&saved), &p->signer, &loaded));
    hs_mls_group_free_at(&p->group);
    p->group = loaded;
    assert_ok(hs_mls_group_save(p->group, &again));
    assert_bytes(hs_writer_bytes(&again), hs_writer_bytes(&saved));
}

/* by adds newcomer; all others who are there follow. */
static inline void world_add(struct person *by, struct person *newcomer, struct person *const *others,
                             size_t count)
{
    struct sent SENT s = sent_new();
    struct hs_bytes add = hs_writer_bytes(&newcomer->key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1, .tree_in_welcome = true};
    assert_ok(person_try_commit(by, &request, &s));
    assert_ok(hs_mls_group_accept(by->group));
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
