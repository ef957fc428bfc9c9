/* The public group in its store: a head, the state of its epoch, its tree in pieces, what waits. */
#include "mls/state.h"

#include <stdlib.h>

enum {
    HEAD_VERSION = 1,
    STATE_VERSION = 1,
    PROPOSAL_VERSION = 1,
    RECORD_CAP = HS_MLS_MAX_MESSAGE, /* a context or a proposal is no larger than the message it came in */
};

static void write_hash(struct hs_writer *w, const struct hs_mls_hash *hash)
{
    hs_write_mls_vec(w, HS_MLS_VIEW(*hash));
}

static void read_hash(struct hs_reader *r, struct hs_mls_hash *hash)
{
    if (!HS_MLS_SET(hs_read_mls_vec(r), hash))
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

static void write_census(struct hs_writer *w, const struct hs_mls_census *census)
{
    hs_write_u32(w, census->members);
    for (int i = 0; i < 2; i++) {
        hs_write_u32(w, census->uses[i]);
        hs_write_u32(w, census->supports[i]);
    }
}

static void read_census(struct hs_reader *r, struct hs_mls_census *census)
{
    census->members = hs_read_u32(r);
    for (int i = 0; i < 2; i++) {
        census->uses[i] = hs_read_u32(r);
        census->supports[i] = hs_read_u32(r);
    }
}

void hs_mls_state_write(struct hs_writer *w, const struct hs_mls_state *state)
{
    hs_write_u8(w, STATE_VERSION);
    hs_write_mls_vec(w, hs_mls_blob_bytes(state->context));
    write_hash(w, &state->interim);
    write_hash(w, &state->confirmation_tag);
    write_census(w, &state->census);
    hs_write_mls_vec(w, hs_mls_blob_bytes(state->reinit));
}

static enum hs_err read_context(struct hs_reader *r, struct hs_mls_state *state)
{
    struct hs_mls_group_context context;
    struct hs_reader inner = hs_read_mls_sub(r);
    HS_TRY(r->err);
    hs_mls_read_group_context(&inner, &context);
    HS_TRY(hs_reader_finish(&inner));
    state->suite = hs_mls_suite_find(context.suite);
    HS_REQUIRE(state->suite != NULL, HS_ERR_MLS_VERSION);
    return hs_mls_state_set_context(state, &context);
}

static enum hs_err read_reinit(struct hs_reader *r, struct hs_mls_state *state)
{
    struct hs_mls_proposal proposal;
    struct hs_bytes raw = hs_read_mls_vec(r);
    if (raw.len == 0)
        return r->err;
    struct hs_reader inner = hs_reader(raw);
    hs_mls_read_proposal(&inner, &proposal);
    HS_TRY(hs_reader_finish(&inner));
    HS_REQUIRE(proposal.type == HS_MLS_REINIT, HS_ERR_MALFORMED);
    state->reinit = hs_mls_blob_new(raw);
    return state->reinit != NULL ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_mls_state_read(struct hs_reader *r, struct hs_mls_state *out)
{
    struct hs_mls_state HS_MLS_STATE state = {0};
    uint8_t version = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(version == STATE_VERSION, HS_ERR_UNSUPPORTED);
    HS_TRY(read_context(r, &state));
    read_hash(r, &state.interim);
    read_hash(r, &state.confirmation_tag);
    read_census(r, &state.census);
    HS_TRY(read_reinit(r, &state));
    HS_TRY(r->err);
    *out = hs_mls_state_share(&state);
    return HS_OK;
}

static enum hs_err save_head(const struct hs_mls_store *store, uint64_t epoch)
{
    struct hs_writer HS_WRITER w = hs_writer(RECORD_CAP);
    const struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_HEAD);
    hs_write_u8(&w, HEAD_VERSION);
    hs_write_u64(&w, epoch);
    HS_TRY(w.err);
    return hs_mls_store_put(store, &key, &w);
}

static enum hs_err load_head(const struct hs_mls_store *store, uint64_t *epoch)
{
    struct hs_writer HS_WRITER w = hs_writer(RECORD_CAP);
    const struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_HEAD);
    HS_TRY(hs_mls_store_get(store, &key, &w));
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    uint8_t version = hs_read_u8(&r);
    HS_TRY(r.err);
    HS_REQUIRE(version == HEAD_VERSION, HS_ERR_UNSUPPORTED);
    *epoch = hs_read_u64(&r);
    return hs_reader_finish(&r);
}

/* A new epoch: its state, the nodes that are new in its tree; then what only the old one needed goes. */
static enum hs_err save_epoch(struct hs_mls_public *pub, const struct hs_mls_store *store)
{
    const uint64_t epoch = pub->now.parsed.epoch;
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_STATE, epoch),
                                  old = hs_mls_store_key_of(HS_MLS_RECORD_STATE, pub->saved_epoch);
    struct hs_writer HS_WRITER w = hs_writer(RECORD_CAP);
    hs_mls_state_write(&w, &pub->now);
    HS_TRY(w.err);
    HS_TRY(hs_mls_tree_save(&pub->now.tree, pub->is_saved ? &pub->saved_tree : NULL, store, epoch));
    HS_TRY(hs_mls_store_put(store, &key, &w));
    HS_TRY(save_head(store, epoch));
    if (pub->is_saved) {
        HS_TRY(hs_mls_tree_forget(store, pub->saved_epoch, epoch));
        HS_TRY(hs_mls_store_del(store, &old));
    }
    hs_mls_tree_free(&pub->saved_tree);
    pub->saved_tree = hs_mls_tree_share(&pub->now.tree);
    pub->saved_epoch = epoch;
    pub->is_saved = true;
    return HS_OK;
}

enum hs_err hs_mls_public_save(struct hs_mls_public *pub, const struct hs_mls_store *store)
{
    HS_REQUIRE(!pub->is_saved || pub->saved_tree.store == store, HS_ERR_INVALID_ARG);
    if (!pub->is_saved || pub->saved_epoch != pub->now.parsed.epoch)
        HS_TRY(save_epoch(pub, store));
    return hs_mls_proposals_save(pub, store);
}

static enum hs_err load_state(const struct hs_mls_store *store, uint64_t epoch, struct hs_mls_state *state)
{
    struct hs_writer HS_WRITER w = hs_writer(RECORD_CAP);
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_STATE, epoch);
    HS_TRY(hs_mls_store_get(store, &key, &w));
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    HS_TRY(hs_mls_state_read(&r, state));
    HS_TRY(hs_reader_finish(&r));
    HS_REQUIRE(state->parsed.epoch == epoch, HS_ERR_MALFORMED);
    return hs_mls_tree_load(state->suite, store, epoch, &state->tree);
}

enum hs_err hs_mls_public_load(const struct hs_mls_store *store, struct hs_mls_public **out)
{
    struct hs_mls_state HS_MLS_STATE state = {0};
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
    uint64_t epoch;
    HS_TRY(load_head(store, &epoch));
    enum hs_err err = load_state(store, epoch, &state);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_NOT_FOUND ? HS_ERR_MALFORMED : err);
    HS_TRY(hs_mls_public_adopt_loaded(&state, &pub));
    pub->saved_tree = hs_mls_tree_share(&pub->now.tree);
    pub->saved_epoch = epoch;
    pub->is_saved = true;
    HS_TRY(hs_mls_proposals_load(pub, store));
    *out = pub;
    pub = NULL;
    return HS_OK;
}

static struct hs_mls_store_key proposal_key(uint32_t number)
{
    struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_PROPOSAL);
    hs_mls_store_key_u32(&key, number);
    return key;
}

static enum hs_err save_cached(const struct hs_mls_cached *cached, const struct hs_mls_store *store,
                               uint32_t number)
{
    const struct hs_mls_store_key key = proposal_key(number);
    struct hs_writer HS_WRITER w = hs_writer(RECORD_CAP);
    hs_write_u8(&w, PROPOSAL_VERSION);
    write_hash(&w, &cached->ref);
    hs_write_u8(&w, (uint8_t)cached->sender.type);
    hs_write_u32(&w, cached->sender.index);
    hs_write_mls_vec(&w, hs_mls_blob_bytes(cached->raw));
    HS_TRY(w.err);
    return hs_mls_store_put(store, &key, &w);
}

enum hs_err hs_mls_proposals_save(struct hs_mls_public *pub, const struct hs_mls_store *store)
{
    if (pub->cached_stale) {
        const struct hs_mls_store_key all = hs_mls_store_key(HS_MLS_RECORD_PROPOSAL);
        HS_TRY(hs_mls_store_del(store, &all));
    }
    for (size_t i = 0; i < pub->cached_count; i++) {
        if (pub->cached[i].saved && !pub->cached_stale)
            continue;
        HS_TRY(save_cached(&pub->cached[i], store, (uint32_t)i));
        pub->cached[i].saved = true;
    }
    pub->cached_stale = false;
    return HS_OK;
}

static enum hs_err load_cached(struct hs_mls_public *pub, struct hs_bytes record)
{
    struct hs_mls_hash ref;
    struct hs_mls_author sender;
    struct hs_mls_proposal proposal;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_reader r = hs_reader(record);
    uint8_t version = hs_read_u8(&r);
    HS_TRY(r.err);
    HS_REQUIRE(version == PROPOSAL_VERSION, HS_ERR_UNSUPPORTED);
    read_hash(&r, &ref);
    sender.type = hs_read_u8(&r);
    sender.index = hs_read_u32(&r);
    struct hs_reader inner = hs_read_mls_sub(&r);
    HS_TRY(hs_reader_finish(&r));
    hs_mls_read_proposal(&inner, &proposal);
    HS_TRY(hs_reader_finish(&inner));
    HS_REQUIRE(hs_mls_public_cached(pub, HS_MLS_VIEW(ref)) == NULL, HS_ERR_MALFORMED);
    if (proposal.type == HS_MLS_ADD)
        HS_TRY(hs_mls_leaf_new(pub->now.suite, &proposal.add.leaf, &leaf));
    else if (proposal.type == HS_MLS_UPDATE)
        HS_TRY(hs_mls_leaf_new(pub->now.suite, &proposal.update, &leaf));
    HS_TRY(hs_mls_public_cache(pub, &sender, &ref, proposal.raw, leaf));
    pub->cached[pub->cached_count - 1].saved = true;
    return HS_OK;
}

enum hs_err hs_mls_proposals_load(struct hs_mls_public *pub, const struct hs_mls_store *store)
{
    for (uint32_t number = 0; number < HS_MLS_MAX_CACHED_PROPOSALS; number++) {
        struct hs_writer HS_WRITER w = hs_writer(RECORD_CAP);
        const struct hs_mls_store_key key = proposal_key(number);
        enum hs_err err = hs_mls_store_get(store, &key, &w);
        if (err == HS_ERR_NOT_FOUND)
            break;
        HS_TRY(err);
        HS_TRY(load_cached(pub, hs_writer_bytes(&w)));
    }
    return HS_OK;
}
