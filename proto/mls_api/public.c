/* The public group, of a hub or inside a member's. */
#include "mls/codec.h"
#include "mls_api/api.h"

#include <stdlib.h>

/* A member's group may exchange its public side when it merges: it is asked each time. */
static const struct hs_mls_public *inner_of(const struct hanse_mls_public *pub)
{
    return pub->group != NULL ? hs_mls_group_public(pub->group->inner) : pub->inner;
}

static enum hs_err adopt(struct hs_mls_public *inner, struct hanse_mls_public **out)
{
    struct hanse_mls_public *pub = calloc(1, sizeof *pub);
    if (pub == NULL) {
        hs_mls_public_free(inner);
        return HS_ERR_NOMEM;
    }
    pub->inner = inner;
    *out = pub;
    return HS_OK;
}

static enum hs_err make(struct hs_bytes group_info, struct hs_bytes tree, struct hanse_mls_public **out)
{
    struct hs_mls_public *inner;
    HS_TRY(hs_mls_api_ready());
    HS_TRY(hs_mls_public_new(group_info, tree, &inner));
    return adopt(inner, out);
}

/* The handle comes first: the group reads from the store that is in it. */
static enum hs_err load(const struct hanse_mls_store *store, struct hanse_mls_public **out)
{
    struct hanse_mls_public *pub;
    HS_TRY(hs_mls_api_ready());
    HS_TRY(adopt(NULL, &pub));
    enum hs_err err = hs_mls_api_store_set(&pub->store, store);
    if (err == HS_OK)
        err = hs_mls_public_load(&pub->store.inner, &pub->inner);
    if (err != HS_OK) {
        free(pub);
        return err;
    }
    *out = pub;
    return HS_OK;
}

static enum hs_err save(struct hanse_mls_public *pub, const struct hanse_mls_store *store)
{
    HS_TRY(hs_mls_api_store_set(&pub->store, store));
    return hs_mls_public_save(pub->inner, &pub->store.inner);
}

static enum hs_err read_from(struct hanse_mls_public *pub, const struct hanse_mls_store *store)
{
    HS_REQUIRE(hs_mls_api_store_is_set(&pub->store), HS_ERR_INVALID_ARG);
    return hs_mls_api_store_set(&pub->store, store);
}

enum hanse_err hanse_mls_public_new(struct hanse_mls_bytes group_info, struct hanse_mls_bytes tree,
                                    struct hanse_mls_public **out)
{
    *out = NULL;
    return hs_mls_api_err(make(hs_mls_api_in(group_info), hs_mls_api_in(tree), out));
}

enum hanse_err hanse_mls_public_save(struct hanse_mls_public *pub, const struct hanse_mls_store *store)
{
    return hs_mls_api_err(save(pub, store));
}

enum hanse_err hanse_mls_public_load(const struct hanse_mls_store *store, struct hanse_mls_public **out)
{
    *out = NULL;
    return hs_mls_api_err(load(store, out));
}

enum hanse_err hanse_mls_public_read_from(struct hanse_mls_public *pub, const struct hanse_mls_store *store)
{
    return hs_mls_api_err(read_from(pub, store));
}

void hanse_mls_public_free(struct hanse_mls_public *pub)
{
    if (pub != NULL)
        hs_mls_public_free(pub->inner);
    free(pub);
}

enum hanse_err hanse_mls_public_process(struct hanse_mls_public *pub, struct hanse_mls_bytes message,
                                        struct hanse_mls_event **out)
{
    *out = NULL;
    return hs_mls_api_err(
        hs_mls_public_process(pub->inner, hs_mls_api_in(message), (struct hs_mls_event **)out));
}

enum hanse_err hanse_mls_public_merge(struct hanse_mls_public *pub, struct hanse_mls_staged *staged)
{
    if (staged == NULL)
        return HANSE_ERR_INVALID_ARG;
    return hs_mls_api_err(hs_mls_public_merge(pub->inner, (struct hs_mls_staged *)staged));
}

enum hanse_err hanse_mls_public_drop_proposal(struct hanse_mls_public *pub, struct hanse_mls_bytes ref)
{
    return hs_mls_api_err(hs_mls_public_drop_proposal(pub->inner, hs_mls_api_in(ref)));
}

size_t hanse_mls_public_waiting(const struct hanse_mls_public *pub)
{
    return hs_mls_public_proposal_count(inner_of(pub));
}

struct hanse_mls_bytes hanse_mls_public_id(const struct hanse_mls_public *pub)
{
    return hs_mls_api_out(hs_mls_public_id(inner_of(pub)));
}

uint64_t hanse_mls_public_epoch(const struct hanse_mls_public *pub)
{
    return hs_mls_public_epoch(inner_of(pub));
}

uint16_t hanse_mls_public_suite(const struct hanse_mls_public *pub)
{
    return hs_mls_public_suite(inner_of(pub))->id;
}

struct hanse_mls_bytes hanse_mls_public_tree_hash(const struct hanse_mls_public *pub)
{
    return hs_mls_api_out(hs_mls_public_tree_hash(inner_of(pub)));
}

struct hanse_mls_bytes hanse_mls_public_context(const struct hanse_mls_public *pub)
{
    return hs_mls_api_out(hs_mls_public_context(inner_of(pub)));
}

struct hanse_mls_bytes hanse_mls_public_extensions(const struct hanse_mls_public *pub)
{
    struct hs_reader r = hs_reader(hs_mls_public_context(inner_of(pub)));
    struct hs_mls_group_context context;
    hs_mls_read_group_context(&r, &context);
    return hs_mls_api_out(context.extensions);
}

bool hanse_mls_public_extension(const struct hanse_mls_public *pub, uint16_t type,
                                struct hanse_mls_bytes *data)
{
    struct hs_bytes found = {0};
    bool there = hs_mls_public_extension(inner_of(pub), type, &found);
    *data = hs_mls_api_out(found);
    return there;
}

bool hanse_mls_public_reinit(const struct hanse_mls_public *pub, struct hanse_mls_reinit *reinit)
{
    *reinit = (struct hanse_mls_reinit){0};
    return hs_mls_public_reinit(inner_of(pub), (struct hs_mls_reinit *)reinit);
}

uint32_t hanse_mls_public_width(const struct hanse_mls_public *pub)
{
    return hs_mls_public_width(inner_of(pub));
}

uint32_t hanse_mls_public_member_count(const struct hanse_mls_public *pub)
{
    return hs_mls_public_member_count(inner_of(pub));
}

enum hanse_err hanse_mls_public_member(const struct hanse_mls_public *pub, uint32_t leaf,
                                       struct hanse_mls_member *member)
{
    *member = (struct hanse_mls_member){0};
    return hs_mls_api_err(hs_mls_public_member(inner_of(pub), leaf, (struct hs_mls_member *)member));
}

enum hanse_err hanse_mls_public_member_by_key(const struct hanse_mls_public *pub,
                                              struct hanse_mls_bytes signature_key,
                                              struct hanse_mls_member *member)
{
    *member = (struct hanse_mls_member){0};
    return hs_mls_api_err(hs_mls_public_member_by_key(inner_of(pub), hs_mls_api_in(signature_key),
                                                      (struct hs_mls_member *)member));
}

bool hanse_mls_public_member_next(const struct hanse_mls_public *pub, uint32_t *leaf,
                                  struct hanse_mls_member *member)
{
    return hs_mls_public_member_next(inner_of(pub), leaf, (struct hs_mls_member *)member);
}

enum hanse_err hanse_mls_public_error(const struct hanse_mls_public *pub)
{
    return hs_mls_api_err(hs_mls_public_error(inner_of(pub)));
}

static enum hs_err write_tree(const struct hs_mls_public *pub, struct hanse_mls_buf *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_public_tree(pub, &w));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_public_tree(const struct hanse_mls_public *pub, struct hanse_mls_buf *out)
{
    *out = (struct hanse_mls_buf){0};
    return hs_mls_api_err(write_tree(inner_of(pub), out));
}
