/* Which proposals does one's own commit hold (RFC 9420, 12.4)? */
#include "mls/key_package_check.h"
#include "mls/member.h"

#include <stdlib.h>

/* The keys of all leaves that the request adds, of both kinds, sorted: so that many waiting leaves can be
 * held against them. */
struct requested {
    struct hs_bytes *keys;
    size_t count;
};

static void requested_free(struct requested *requested)
{
    free(requested->keys);
}

static int compare_keys(const void *a, const void *b)
{
    const struct hs_bytes *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static enum hs_err requested_read(const struct hs_mls_commit_request *request, struct requested *out,
                                  struct hs_mls_census *census)
{
    out->keys = calloc(2 * request->add_count + 1, sizeof *out->keys);
    HS_REQUIRE(out->keys != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < request->add_count; i++) {
        struct hs_mls_key_package kp;
        HS_TRY(hs_mls_key_package_read(request->adds[i], &kp));
        out->keys[out->count++] = kp.leaf.signature_key;
        out->keys[out->count++] = kp.leaf.encryption_key;
        hs_mls_census_count_node(census, &kp.leaf, true);
    }
    qsort(out->keys, out->count, sizeof *out->keys, compare_keys);
    return HS_OK;
}

/* What is at hand while the list is made. */
struct composing {
    const struct hs_mls_group *group;
    const struct hs_mls_public *pub;
    const struct hs_mls_commit_request *request;
    struct requested adds;
    struct hs_bytes extensions;  /* of the GroupContext that the commit will set, or leave */
    size_t extensions_at;        /* the waiting proposal that they are from; SIZE_MAX: none */
    struct hs_mls_census census; /* with all that come, those who go too */
    size_t psk_count;
    struct hs_writer *list;
};

static bool is_by(const struct hs_mls_cached *cached, uint32_t leaf)
{
    return cached->sender.type == HS_MLS_SENDER_MEMBER && cached->sender.index == leaf;
}

static enum hs_err check_target(const struct hs_mls_group *group, uint32_t leaf)
{
    bool removable = leaf != group->own && hs_mls_tree_leaf(&group->pub->now.tree, leaf) != NULL;
    return removable ? HS_OK : hs_mls_state_error(&group->pub->now, HS_ERR_INVALID_ARG);
}

/* True where a waiting Remove, before number limit, is for that leaf. */
static bool waits_for_removal(const struct hs_mls_public *pub, uint32_t leaf, size_t limit)
{
    for (size_t i = 0; i < limit; i++)
        if (pub->cached[i].proposal.type == HS_MLS_REMOVE && pub->cached[i].proposal.removed == leaf)
            return true;
    return false;
}

static bool request_removes(const struct hs_mls_commit_request *request, uint32_t leaf)
{
    for (size_t i = 0; i < request->remove_count; i++)
        if (request->removes[i] == leaf)
            return true;
    return false;
}

/* Does the request add a leaf with one of these keys? Key packages are public: anybody can take theirs. */
static bool request_adds(const struct composing *c, const struct hs_mls_leaf *leaf)
{
    const struct hs_bytes keys[] = {hs_mls_leaf_signature_key(leaf), hs_mls_leaf_encryption_key(leaf)};
    for (int i = 0; i < 2; i++)
        if (bsearch(&keys[i], c->adds.keys, c->adds.count, sizeof keys[i], compare_keys) != NULL)
            return true;
    return false;
}

/* True where a later one of the same kind, by the same sender where that counts, takes its place. */
static bool is_superseded(const struct hs_mls_public *pub, size_t index)
{
    const struct hs_mls_cached *cached = &pub->cached[index];
    for (size_t i = index + 1; i < pub->cached_count; i++) {
        const struct hs_mls_cached *later = &pub->cached[i];
        if (later->proposal.type == cached->proposal.type &&
            (cached->proposal.type != HS_MLS_UPDATE || is_by(later, cached->sender.index)))
            return true;
    }
    return false;
}

/* Do all who are there, and all whom the request adds, know what these extensions ask for? */
static bool are_supported(const struct composing *c, struct hs_bytes extensions)
{
    if (hs_mls_tree_supports(&c->pub->now.tree, extensions) != HS_OK)
        return false;
    for (size_t i = 0; i < c->request->add_count; i++) {
        struct hs_mls_key_package kp;
        struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
        if (hs_mls_key_package_read(c->request->adds[i], &kp) != HS_OK ||
            hs_mls_leaf_new(c->group->suite, &kp.leaf, &leaf) != HS_OK ||
            hs_mls_leaf_supports(leaf, extensions) != HS_OK)
            return false;
    }
    return true;
}

/* The GroupContext extensions that the commit will set, or leave: of those that wait the newest counts, or
 * none where it can't be carried out. */
static void find_extensions(struct composing *c, struct hs_bytes requested)
{
    const struct hs_mls_public *pub = c->pub;
    c->extensions_at = SIZE_MAX;
    c->extensions = c->request->set_extensions ? requested : pub->now.parsed.extensions;
    for (size_t i = pub->cached_count; i > 0 && !c->request->set_extensions; i--) {
        if (pub->cached[i - 1].proposal.type != HS_MLS_GROUP_CONTEXT_EXTENSIONS)
            continue;
        if (are_supported(c, pub->cached[i - 1].proposal.extensions)) {
            c->extensions_at = i - 1;
            c->extensions = pub->cached[i - 1].proposal.extensions;
        }
        return;
    }
}

/* A new leaf of a waiting Add or Update, that the group as it will be can have; counts it. */
static bool fits(struct composing *c, const struct hs_mls_cached *cached)
{
    const struct hs_mls_leaf *old = NULL;
    if (cached->proposal.type == HS_MLS_UPDATE)
        old = hs_mls_tree_leaf(&c->pub->now.tree, cached->sender.index);
    return hs_mls_leaf_supports(cached->leaf, c->extensions) == HS_OK &&
           hs_mls_census_admit(&c->census, old, cached->leaf);
}

static bool share_a_key(const struct hs_mls_leaf *a, const struct hs_mls_leaf *b)
{
    return hs_bytes_equal(hs_mls_leaf_signature_key(a), hs_mls_leaf_signature_key(b)) ||
           hs_bytes_equal(hs_mls_leaf_encryption_key(a), hs_mls_leaf_encryption_key(b));
}

/* A leaf of which a key is in the group already, at another place than its own, or in an Add or Update
 * before. */
static bool is_known(const struct hs_mls_public *pub, size_t index)
{
    const struct hs_mls_cached *cached = &pub->cached[index];
    const struct hs_mls_leaf *leaf = cached->leaf;
    bool update = cached->proposal.type == HS_MLS_UPDATE;
    uint32_t node, own = update ? 2 * cached->sender.index : HS_MLS_NO_NODE;
    if (hs_mls_keys_find(&pub->keys, &pub->now.tree, HS_MLS_KEY_SIGNATURE, hs_mls_leaf_signature_key(leaf),
                         own, &node) ||
        hs_mls_keys_find(&pub->keys, &pub->now.tree, HS_MLS_KEY_ENCRYPTION, hs_mls_leaf_encryption_key(leaf),
                         own, &node))
        return true;
    for (size_t i = 0; i < index; i++) {
        const struct hs_mls_cached *before = &pub->cached[i];
        bool same_member =
            update && before->proposal.type == HS_MLS_UPDATE && is_by(before, cached->sender.index);
        if (before->leaf != NULL && !same_member && share_a_key(before->leaf, leaf))
            return true;
    }
    return false;
}

/* A PSK that this member has, and that stands in the list once. */
static bool is_usable_psk(const struct composing *c, size_t index)
{
    struct hs_bytes secret;
    const struct hs_mls_psk_id *id = &c->pub->cached[index].proposal.psk;
    const struct hs_mls_psk_source source = {
        .group = c->group, .list = c->group->psks.list, .count = c->group->psks.count};
    for (size_t i = 0; i < index; i++)
        if (c->pub->cached[i].proposal.type == HS_MLS_PSK &&
            hs_bytes_equal(c->pub->cached[i].proposal.psk.raw, id->raw))
            return false;
    return hs_mls_psk_find(&source, id, &secret) == HS_OK;
}

/* Nobody's proposal may keep others from committing: what can't stand in the list is left out of it. */
static bool is_wanted(struct composing *c, size_t index)
{
    const struct hs_mls_public *pub = c->pub;
    const struct hs_mls_cached *cached = &pub->cached[index];
    switch (cached->proposal.type) {
    case HS_MLS_ADD:
        return !is_known(pub, index) && !request_adds(c, cached->leaf) && fits(c, cached);
    case HS_MLS_UPDATE:
        return !is_by(cached, c->group->own) && !is_superseded(pub, index) && !is_known(pub, index) &&
               !request_adds(c, cached->leaf) && !request_removes(c->request, cached->sender.index) &&
               !waits_for_removal(pub, cached->sender.index, pub->cached_count) && fits(c, cached);
    case HS_MLS_REMOVE:
        return cached->proposal.removed != c->group->own &&
               !waits_for_removal(pub, cached->proposal.removed, index);
    case HS_MLS_PSK:
        return is_usable_psk(c, index) && c->request->psk_count + c->psk_count++ < HS_MLS_MAX_PSKS;
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        return index == c->extensions_at;
    default:
        return false;
    }
}

static void write_ref(const struct composing *c, size_t index)
{
    const struct hs_mls_proposal_or_ref item = {.by_ref = true,
                                                .ref = HS_MLS_VIEW(c->pub->cached[index].ref)};
    hs_mls_write_proposal_or_ref(c->list, &item);
}

static void write_value(const struct composing *c, const struct hs_mls_proposal *proposal)
{
    const struct hs_mls_proposal_or_ref item = {.proposal = *proposal};
    hs_mls_write_proposal_or_ref(c->list, &item);
}

static enum hs_err write_removes(const struct composing *c)
{
    for (size_t i = 0; i < c->request->remove_count; i++) {
        struct hs_mls_proposal proposal = {.type = HS_MLS_REMOVE};
        proposal.removed = c->request->removes[i];
        HS_TRY(check_target(c->group, proposal.removed));
        if (!waits_for_removal(c->pub, proposal.removed, c->pub->cached_count))
            write_value(c, &proposal);
    }
    return c->list->err;
}

static enum hs_err write_adds(const struct composing *c)
{
    for (size_t i = 0; i < c->request->add_count; i++) {
        struct hs_mls_proposal proposal = {.type = HS_MLS_ADD};
        HS_TRY(hs_mls_key_package_read(c->request->adds[i], &proposal.add));
        write_value(c, &proposal);
    }
    return c->list->err;
}

static enum hs_err write_psks(const struct composing *c)
{
    for (size_t i = 0; i < c->request->psk_count; i++) {
        struct hs_mls_hash nonce;
        struct hs_mls_proposal proposal = {.type = HS_MLS_PSK};
        proposal.psk = c->request->psks[i];
        hs_mls_psk_nonce(c->group->suite, &proposal.psk, &nonce);
        write_value(c, &proposal);
    }
    return c->list->err;
}

/* A ReInit stands alone; one that waits gives way to everything else (RFC 9420, 12.2). */
static void write_reinit(const struct composing *c)
{
    for (size_t i = c->pub->cached_count; i > 0 && c->list->len == 0; i--)
        if (c->pub->cached[i - 1].proposal.type == HS_MLS_REINIT)
            write_ref(c, i - 1);
}

/* RFC 9420, 12.4: whoever asked for its own removal can't commit. */
static bool is_leaving(const struct hs_mls_group *group)
{
    for (size_t i = 0; i < group->pub->cached_count; i++) {
        const struct hs_mls_cached *cached = &group->pub->cached[i];
        if (cached->proposal.type == HS_MLS_REMOVE && cached->proposal.removed == group->own &&
            is_by(cached, group->own))
            return true;
    }
    return false;
}

static enum hs_err write_all(struct composing *c, struct hs_bytes requested)
{
    find_extensions(c, requested);
    for (size_t i = 0; i < c->pub->cached_count; i++)
        if (is_wanted(c, i))
            write_ref(c, i);
    if (c->request->set_extensions) {
        struct hs_mls_proposal proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS};
        proposal.extensions = requested;
        write_value(c, &proposal);
    }
    HS_TRY(write_psks(c));
    HS_TRY(write_removes(c));
    HS_TRY(write_adds(c));
    bool plain = !c->request->force_path && c->request->identity.len == 0 && c->request->signer == NULL;
    if (plain)
        write_reinit(c);
    return c->list->err;
}

enum hs_err hs_mls_group_compose(const struct hs_mls_group *group,
                                 const struct hs_mls_commit_request *request, struct hs_writer *list)
{
    struct requested HS_AUTO(requested_free) adds = {0};
    struct hs_writer HS_WRITER extensions = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_REQUIRE(!is_leaving(group), HS_ERR_INVALID_STATE);
    struct composing c = {.group = group,
                          .pub = group->pub,
                          .request = request,
                          .list = list,
                          .census = group->pub->now.census};
    if (request->reinit != NULL) {
        struct hs_mls_proposal proposal = {.type = HS_MLS_REINIT};
        proposal.reinit = *request->reinit;
        HS_REQUIRE(request->add_count + request->remove_count + request->psk_count == 0 &&
                       !request->set_extensions,
                   HS_ERR_INVALID_ARG);
        write_value(&c, &proposal);
        return list->err;
    }
    HS_TRY(requested_read(request, &adds, &c.census));
    c.adds = adds;
    if (request->set_extensions)
        HS_TRY(hs_mls_extensions_write(request->extensions, request->extension_count, &extensions));
    return write_all(&c, hs_writer_bytes(&extensions));
}
