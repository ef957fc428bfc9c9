/* People with groups, seen through hanse/mls.h alone. */
#ifndef TESTS_MLS_API_CLUB_H
#define TESTS_MLS_API_CLUB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hanse/mls.h>

#include <stdlib.h>

#define assert_fault(expr, want)                                                                             \
    do {                                                                                                     \
        enum hanse_err got_ = (expr);                                                                        \
        if (got_ != (want))                                                                                  \
            fail_msg("%s: %s, expected %s", #expr, hanse_mls_errname(got_), hanse_mls_errname(want));        \
    } while (0)
#define assert_good(expr) assert_fault(expr, HANSE_OK)

#define assert_same(got, want)                                                                               \
    do {                                                                                                     \
        struct hanse_mls_bytes a_ = (got), b_ = (want);                                                      \
        assert_int_equal(a_.len, b_.len);                                                                    \
        if (b_.len > 0)                                                                                      \
            assert_memory_equal(a_.data, b_.data, b_.len);                                                   \
    } while (0)
#define assert_text(got, want) assert_same(got, hanse_mls_text(want))

enum { SUITE = HANSE_MLS_X25519_CHACHA20POLY1305_SHA256_ED25519, NOW = 1000 };

static const struct hanse_mls_bytes nothing;

/* A buffer that a test owns. */
#define BUF __attribute__((cleanup(hanse_mls_buf_free))) struct hanse_mls_buf

static inline void event_free(struct hanse_mls_event **event)
{
    hanse_mls_event_free(*event);
}
#define EVENT __attribute__((cleanup(event_free))) struct hanse_mls_event

/* ---- A store whose calls can be made to fail ---- */

struct record {
    uint8_t key[HANSE_MLS_KEY_MAX];
    size_t key_len, len;
    uint8_t *value;
};

struct shelf {
    struct record records[512];
    size_t count, calls;
    size_t fails_at; /* the call of that number fails with IO; 0: none */
};

static inline bool shelf_fails(struct shelf *shelf)
{
    return ++shelf->calls == shelf->fails_at;
}

static inline void shelf_drop(struct shelf *shelf, size_t at)
{
    free(shelf->records[at].value);
    shelf->records[at] = shelf->records[--shelf->count];
}

static inline struct record *shelf_find(struct shelf *shelf, struct hanse_mls_bytes key)
{
    for (size_t i = 0; i < shelf->count; i++)
        if (hanse_mls_bytes_equal(hanse_mls_bytes(shelf->records[i].key, shelf->records[i].key_len), key))
            return &shelf->records[i];
    return NULL;
}

/* In two parts, for both must do. */
static inline enum hanse_err shelf_get(void *context, struct hanse_mls_bytes key,
                                       struct hanse_mls_value *value)
{
    const struct record *r = shelf_find(context, key);
    if (shelf_fails(context))
        return HANSE_ERR_IO;
    if (r == NULL)
        return HANSE_ERR_NOT_FOUND;
    hanse_mls_value_write(value, r->value, r->len / 2);
    hanse_mls_value_write(value, r->value + r->len / 2, r->len - r->len / 2);
    return HANSE_OK;
}

static inline enum hanse_err shelf_put(void *context, struct hanse_mls_bytes key,
                                       struct hanse_mls_bytes value)
{
    struct shelf *shelf = context;
    struct record *r = shelf_find(shelf, key);
    if (shelf_fails(shelf))
        return HANSE_ERR_IO;
    assert_in_range(key.len, 1, HANSE_MLS_KEY_MAX);
    assert_true(r != NULL || shelf->count < sizeof shelf->records / sizeof shelf->records[0]);
    if (r != NULL)
        free(r->value);
    else
        r = &shelf->records[shelf->count++];
    *r = (struct record){.key_len = key.len, .len = value.len, .value = malloc(value.len + 1)};
    assert_non_null(r->value);
    memcpy(r->key, key.data, key.len);
    if (value.len > 0)
        memcpy(r->value, value.data, value.len);
    return HANSE_OK;
}

static inline enum hanse_err shelf_del(void *context, struct hanse_mls_bytes prefix)
{
    struct shelf *shelf = context;
    if (shelf_fails(shelf))
        return HANSE_ERR_IO;
    for (size_t i = shelf->count; i-- > 0;)
        if (shelf->records[i].key_len >= prefix.len &&
            memcmp(shelf->records[i].key, prefix.data, prefix.len) == 0)
            shelf_drop(shelf, i);
    return HANSE_OK;
}

static inline struct hanse_mls_store shelf_store(struct shelf *shelf)
{
    return (struct hanse_mls_store){sizeof(struct hanse_mls_store), shelf, shelf_get, shelf_put, shelf_del};
}

static inline void shelf_free(struct shelf *shelf)
{
    while (shelf->count > 0)
        shelf_drop(shelf, 0);
    free(shelf);
}

static inline struct shelf *shelf_copy(const struct shelf *from)
{
    struct shelf *copy = calloc(1, sizeof *copy);
    assert_non_null(copy);
    for (size_t i = 0; i < from->count; i++) {
        const struct record *r = &from->records[i];
        assert_int_equal(
            shelf_put(copy, hanse_mls_bytes(r->key, r->key_len), hanse_mls_bytes(r->value, r->len)),
            HANSE_OK);
    }
    return copy;
}

/* ---- People ---- */

struct person {
    const char *name;
    struct hanse_mls_signer *signer;
    struct hanse_mls_buf package, private_half;
    struct hanse_mls_group *group;
    struct shelf *shelf;
};

enum { CLUB_RULES = 0xF4A1 }; /* an extension of the group's */

static const uint16_t club_types[] = {CLUB_RULES};

static inline struct hanse_mls_leaf person_leaf(const struct person *p)
{
    return (struct hanse_mls_leaf){.size = sizeof(struct hanse_mls_leaf),
                                   .signer = p->signer,
                                   .identity = hanse_mls_text(p->name),
                                   .not_after = 2 * NOW,
                                   .extension_types = club_types,
                                   .extension_type_count = 1};
}

static inline void person_init_with(struct person *p, const char *name, uint16_t suite)
{
    *p = (struct person){.name = name, .shelf = calloc(1, sizeof *p->shelf)};
    assert_non_null(p->shelf);
    assert_good(hanse_mls_signer_generate(suite, &p->signer));
    struct hanse_mls_leaf leaf = person_leaf(p);
    assert_good(hanse_mls_key_package_new(&leaf, false, &p->package, &p->private_half));
}

static inline void person_init(struct person *p, const char *name)
{
    person_init_with(p, name, SUITE);
}

static inline void person_free(struct person *p)
{
    hanse_mls_group_free(p->group);
    hanse_mls_signer_free(p->signer);
    hanse_mls_buf_free(&p->package);
    hanse_mls_buf_free(&p->private_half);
    shelf_free(p->shelf);
}

static inline void person_save(struct person *p)
{
    struct hanse_mls_store store = shelf_store(p->shelf);
    assert_good(hanse_mls_group_save(p->group, &store));
}

static inline void person_load(struct person *p)
{
    struct hanse_mls_store store = shelf_store(p->shelf);
    const struct hanse_mls_signer *signer = p->signer;
    hanse_mls_group_free(p->group);
    assert_good(hanse_mls_group_load(&store, &signer, 1, &p->group));
}

static inline void person_create(struct person *p, const struct hanse_mls_settings *settings)
{
    struct hanse_mls_leaf leaf = person_leaf(p);
    const struct hanse_mls_extension rules = {CLUB_RULES, hanse_mls_text("be kind")};
    struct hanse_mls_create create = {.size = sizeof create,
                                      .leaf = &leaf,
                                      .group_id = hanse_mls_text("club"),
                                      .extensions = &rules,
                                      .extension_count = 1,
                                      .settings = settings};
    assert_good(hanse_mls_group_create(&create, &p->group));
}

static inline struct hanse_mls_join person_join(const struct person *p, const struct hanse_mls_buf *welcome)
{
    return (struct hanse_mls_join){.size = sizeof(struct hanse_mls_join),
                                   .welcome = hanse_mls_view(welcome),
                                   .key_package = hanse_mls_view(&p->package),
                                   .private_half = hanse_mls_view(&p->private_half),
                                   .signer = p->signer};
}

/* Commits, and the service took it. */
static inline void person_commits(struct person *p, const struct hanse_mls_commit *request,
                                  struct hanse_mls_buf *commit, struct hanse_mls_buf *welcome)
{
    assert_good(hanse_mls_group_commit(p->group, request, commit, welcome, NULL));
    assert_good(hanse_mls_group_accept(p->group));
}

/* a adds b, who joins. */
static inline void person_adds(struct person *a, struct person *b)
{
    BUF welcome = {0};
    struct hanse_mls_bytes add = hanse_mls_view(&b->package);
    const struct hanse_mls_commit request = {
        .size = sizeof request, .adds = &add, .add_count = 1, .tree_in_welcome = true};
    person_commits(a, &request, NULL, &welcome);
    struct hanse_mls_join join = person_join(b, &welcome);
    assert_good(hanse_mls_group_join(&join, &b->group));
}

static inline struct hanse_mls_event *person_gets(struct person *p, const struct hanse_mls_buf *message)
{
    struct hanse_mls_event *event;
    assert_good(hanse_mls_group_process(p->group, hanse_mls_view(message), &event));
    return event;
}

/* Merges a commit that came. */
static inline void person_merges(struct person *p, const struct hanse_mls_buf *message)
{
    EVENT *event = person_gets(p, message);
    assert_int_equal(event->kind, HANSE_MLS_EVENT_COMMIT);
    assert_good(hanse_mls_group_merge(p->group, event->staged));
}

static inline void assert_agree(const struct person *a, const struct person *b)
{
    struct hanse_mls_hash x = hanse_mls_group_authenticator(a->group);
    struct hanse_mls_hash y = hanse_mls_group_authenticator(b->group);
    assert_int_equal(hanse_mls_group_epoch(a->group), hanse_mls_group_epoch(b->group));
    assert_int_equal(x.len, 32);
    assert_same(hanse_mls_hash_view(&x), hanse_mls_hash_view(&y));
}

#endif
