/* Proposals that wait for a commit, by their references; and how they are stored. */
#include "mls/state.h"

#include <stdlib.h>

static void cached_free(struct hs_mls_cached *cached)
{
    hs_mls_blob_unref(cached->raw);
    hs_mls_leaf_unref(cached->leaf);
}

void hs_mls_public_forget_proposals(struct hs_mls_public *pub)
{
    for (size_t i = 0; i < pub->cached_count; i++) {
        pub->cached_stale |= pub->cached[i].saved;
        cached_free(&pub->cached[i]);
    }
    free(pub->cached);
    free(pub->by_ref);
    pub->cached = NULL;
    pub->by_ref = NULL;
    pub->cached_count = pub->cached_size = 0;
}

static int ref_compare(struct hs_bytes a, struct hs_bytes b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

/* The place in by_ref where ref is, or belongs. */
static size_t search(const struct hs_mls_public *pub, struct hs_bytes ref, bool *found)
{
    size_t low = 0, high = pub->cached_count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = ref_compare(HS_MLS_VIEW(pub->cached[pub->by_ref[middle]].ref), ref);
        *found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

const struct hs_mls_cached *hs_mls_public_cached(const struct hs_mls_public *pub, struct hs_bytes ref)
{
    bool found;
    size_t at = search(pub, ref, &found);
    return found ? &pub->cached[pub->by_ref[at]] : NULL;
}

static enum hs_err check_bytes(const struct hs_mls_public *pub, size_t more)
{
    size_t left = HS_MLS_MAX_CACHED_BYTES;
    for (size_t i = 0; i < pub->cached_count; i++)
        left -= pub->cached[i].raw->len;
    return more <= left ? HS_OK : HS_ERR_TOO_LARGE;
}

static enum hs_err reserve(struct hs_mls_public *pub)
{
    if (pub->cached_count < pub->cached_size)
        return HS_OK;
    HS_REQUIRE(pub->cached_count < HS_MLS_MAX_CACHED_PROPOSALS, HS_ERR_TOO_LARGE);
    size_t size = pub->cached_size == 0 ? 8 : 2 * pub->cached_size;
    size = size < HS_MLS_MAX_CACHED_PROPOSALS ? size : HS_MLS_MAX_CACHED_PROPOSALS;
    struct hs_mls_cached *cached = realloc(pub->cached, size * sizeof *cached);
    HS_REQUIRE(cached != NULL, HS_ERR_NOMEM);
    pub->cached = cached;
    uint16_t *by_ref = realloc(pub->by_ref, size * sizeof *by_ref);
    HS_REQUIRE(by_ref != NULL, HS_ERR_NOMEM);
    pub->by_ref = by_ref;
    pub->cached_size = size;
    return HS_OK;
}

enum hs_err hs_mls_public_cache(struct hs_mls_public *pub, const struct hs_mls_author *sender,
                                const struct hs_mls_hash *ref, struct hs_bytes raw, struct hs_mls_leaf *leaf)
{
    bool found;
    HS_TRY(check_bytes(pub, raw.len));
    HS_TRY(reserve(pub));
    struct hs_mls_blob *copy = hs_mls_blob_new(raw);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    struct hs_mls_cached *cached = &pub->cached[pub->cached_count];
    *cached =
        (struct hs_mls_cached){.ref = *ref, .sender = *sender, .raw = copy, .leaf = hs_mls_leaf_ref(leaf)};
    struct hs_reader r = hs_reader(hs_mls_blob_bytes(copy));
    hs_mls_read_proposal(&r, &cached->proposal);
    HS_ASSERT(hs_reader_finish(&r) == HS_OK);
    size_t at = search(pub, HS_MLS_VIEW(*ref), &found);
    HS_ASSERT(!found);
    memmove(pub->by_ref + at + 1, pub->by_ref + at, (pub->cached_count - at) * sizeof *pub->by_ref);
    pub->by_ref[at] = (uint16_t)pub->cached_count++;
    return HS_OK;
}

enum hs_err hs_mls_public_drop_proposal(struct hs_mls_public *pub, struct hs_bytes ref)
{
    bool found;
    size_t place = search(pub, ref, &found);
    HS_REQUIRE(found, HS_ERR_NOT_FOUND);
    size_t at = pub->by_ref[place];
    pub->cached_stale |= pub->cached[at].saved;
    cached_free(&pub->cached[at]);
    pub->cached_count--;
    memmove(pub->by_ref + place, pub->by_ref + place + 1, (pub->cached_count - place) * sizeof *pub->by_ref);
    memmove(pub->cached + at, pub->cached + at + 1, (pub->cached_count - at) * sizeof *pub->cached);
    for (size_t i = 0; i < pub->cached_count; i++)
        if (pub->by_ref[i] > at)
            pub->by_ref[i]--;
    return HS_OK;
}
