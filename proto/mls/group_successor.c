/* A group that follows another: after a ReInit, or as a branch (RFC 9420, 11.2 and 11.3). */
#include "mls/key_package_check.h"
#include "mls/member.h"

#include <stdlib.h>

/* What two leaves of the same client have in common: the credential or the signature key. The application may
 * know better, and judges the members itself; this is what can be seen without it. */
struct faces {
    struct hs_bytes *keys, *credentials; /* sorted */
    size_t count;
};

static void faces_free(struct faces *faces)
{
    free(faces->keys);
    free(faces->credentials);
}

static int compare(const void *a, const void *b)
{
    const struct hs_bytes *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->len > 0 ? memcmp(x->data, y->data, x->len) : 0;
}

static enum hs_err faces_of(const struct hs_mls_tree *tree, struct faces *out)
{
    struct hs_mls_leaf *leaf;
    size_t width = hs_mls_tree_width(tree);
    out->keys = calloc(width, sizeof *out->keys);
    out->credentials = calloc(width, sizeof *out->credentials);
    HS_REQUIRE(out->keys != NULL && out->credentials != NULL, HS_ERR_NOMEM);
    for (uint32_t i = 0; hs_mls_tree_next(tree, &i, &leaf); i++) {
        out->keys[out->count] = hs_mls_leaf_signature_key(leaf);
        out->credentials[out->count++] = hs_mls_leaf_node(leaf).credential;
    }
    qsort(out->keys, out->count, sizeof *out->keys, compare);
    qsort(out->credentials, out->count, sizeof *out->credentials, compare);
    return hs_mls_tree_error(tree);
}

static bool faces_have(const struct faces *faces, const struct hs_mls_leaf_node *leaf)
{
    return bsearch(&leaf->signature_key, faces->keys, faces->count, sizeof *faces->keys, compare) != NULL ||
           bsearch(&leaf->credential, faces->credentials, faces->count, sizeof *faces->credentials,
                   compare) != NULL;
}

/* The tree of that epoch of the old group. */
static enum hs_err tree_of_epoch(const struct hs_mls_group *from, uint64_t epoch,
                                 const struct hs_mls_tree **out)
{
    *out = &from->pub->now.tree;
    if (epoch == hs_mls_group_epoch(from))
        return HS_OK;
    for (size_t i = 0; i < from->past_count; i++) {
        *out = &from->past[i].tree;
        if (from->past[i].epoch == epoch)
            return hs_mls_past_open(from, &from->past[i]);
    }
    return HS_ERR_MLS_WELCOME;
}

static bool is_succession(const struct hs_mls_psk_id *id)
{
    return id->type == HS_MLS_PSK_RESUMPTION &&
           (id->usage == HS_MLS_PSK_REINIT || id->usage == HS_MLS_PSK_BRANCH);
}

/* RFC 9420, 11.2. */
static enum hs_err check_reinit(const struct hs_mls_group *from, const struct hs_mls_psk_id *id,
                                const struct hs_mls_group_context *context)
{
    struct hs_mls_reinit reinit;
    HS_REQUIRE(hs_mls_public_reinit(from->pub, &reinit), HS_ERR_MLS_WELCOME);
    bool same = id->epoch == hs_mls_group_epoch(from) && context->version == reinit.version &&
                context->suite == reinit.suite && hs_bytes_equal(context->group_id, reinit.group_id) &&
                hs_bytes_equal(context->extensions, reinit.extensions);
    return same ? HS_OK : HS_ERR_MLS_WELCOME;
}

/* RFC 9420, 11.3. */
static enum hs_err check_branch(const struct hs_mls_group *from, const struct hs_mls_psk_id *id,
                                const struct hs_mls_state *state)
{
    struct hs_mls_leaf *leaf;
    const struct hs_mls_tree *old;
    struct faces HS_AUTO(faces_free) faces = {0};
    HS_REQUIRE(state->parsed.version == from->pub->now.parsed.version && state->suite == from->suite,
               HS_ERR_MLS_WELCOME);
    HS_TRY(tree_of_epoch(from, id->epoch, &old));
    HS_TRY(faces_of(old, &faces));
    for (uint32_t i = 0; hs_mls_tree_next(&state->tree, &i, &leaf); i++) {
        const struct hs_mls_leaf_node node = hs_mls_leaf_node(leaf);
        HS_REQUIRE(faces_have(&faces, &node), HS_ERR_MLS_WELCOME);
    }
    return HS_OK;
}

enum hs_err hs_mls_succession_check(const struct hs_mls_group *from, const struct hs_mls_psk_id *ids,
                                    size_t count, const struct hs_mls_state *state)
{
    const struct hs_mls_psk_id *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!is_succession(&ids[i]))
            continue;
        HS_REQUIRE(found == NULL, HS_ERR_MLS_WELCOME);
        found = &ids[i];
    }
    HS_REQUIRE((found != NULL) == (from != NULL), HS_ERR_MLS_WELCOME);
    if (found == NULL)
        return HS_OK;
    HS_REQUIRE(hs_bytes_equal(found->group_id, hs_mls_group_id(from)) && state->parsed.epoch == 1,
               HS_ERR_MLS_WELCOME);
    return found->usage == HS_MLS_PSK_REINIT ? check_reinit(from, found, &state->parsed)
                                             : check_branch(from, found, state);
}

/* What the new group is made of. */
struct start {
    struct hs_bytes group_id;
    struct hs_mls_extension extensions[HS_MLS_MAX_EXTENSIONS];
    size_t extension_count;
};

static enum hs_err start_from_reinit(const struct hs_mls_successor *successor, struct start *out)
{
    struct hs_mls_reinit reinit;
    HS_REQUIRE(hs_mls_public_reinit(successor->from->pub, &reinit), HS_ERR_INVALID_STATE);
    HS_REQUIRE(reinit.version == HS_MLS_VERSION_10, HS_ERR_MLS_VERSION);
    HS_REQUIRE(reinit.suite == successor->leaf.signer->suite->id, HS_ERR_INVALID_ARG);
    out->group_id = reinit.group_id;
    struct hs_reader r = hs_reader(reinit.extensions);
    while (hs_reader_left(&r) > 0) {
        HS_REQUIRE(out->extension_count < HS_MLS_MAX_EXTENSIONS, HS_ERR_TOO_LARGE);
        struct hs_mls_extension *extension = &out->extensions[out->extension_count++];
        hs_mls_read_extension(&r, &extension->type, &extension->data);
    }
    return r.err;
}

static enum hs_err start_branch(const struct hs_mls_successor *successor, struct start *out)
{
    struct faces HS_AUTO(faces_free) faces = {0};
    HS_REQUIRE(successor->leaf.signer->suite == successor->from->suite, HS_ERR_INVALID_ARG);
    HS_REQUIRE(successor->extension_count <= HS_MLS_MAX_EXTENSIONS, HS_ERR_INVALID_ARG);
    HS_TRY(faces_of(&successor->from->pub->now.tree, &faces));
    for (size_t i = 0; i < successor->add_count; i++) {
        struct hs_mls_key_package kp;
        HS_TRY(hs_mls_key_package_read(successor->adds[i], &kp));
        HS_REQUIRE(faces_have(&faces, &kp.leaf), HS_ERR_INVALID_ARG);
    }
    out->group_id = successor->group_id;
    out->extension_count = successor->extension_count;
    for (size_t i = 0; i < out->extension_count; i++)
        out->extensions[i] = successor->extensions[i];
    return HS_OK;
}

/* The first commit: all the others, bound to the old group. */
static enum hs_err first_commit(const struct hs_mls_successor *successor, struct hs_mls_group *group,
                                struct hs_writer *welcome)
{
    const struct hs_mls_group *from = successor->from;
    const struct hs_mls_psk psk = {
        .id = {.type = HS_MLS_PSK_RESUMPTION,
               .usage = successor->usage,
               .group_id = hs_mls_group_id(from),
               .epoch = hs_mls_group_epoch(from)},
        .secret = HS_MLS_VIEW(from->epoch.resumption),
    };
    const struct hs_mls_commit_request request = {
        .adds = successor->adds,
        .add_count = successor->add_count,
        .psks = &psk.id,
        .psk_count = 1,
        .tree_in_welcome = successor->tree_in_welcome,
    };
    HS_TRY(hs_mls_group_set_psks(group, &psk, 1));
    HS_TRY(hs_mls_group_commit(group, &request, &(struct hs_mls_commit_result){.welcome = welcome}));
    HS_TRY(hs_mls_group_accept(group));
    HS_TRY(hs_mls_group_set_psks(group, NULL, 0));
    hs_mls_group_drop_past(group);
    return HS_OK;
}

enum hs_err hs_mls_group_succeed(const struct hs_mls_successor *successor, struct hs_writer *welcome,
                                 struct hs_mls_group **out)
{
    struct start start = {0};
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    struct hs_mls_settings settings = successor->settings;
    HS_REQUIRE(!successor->from->removed, HS_ERR_MLS_REMOVED);
    if (successor->usage == HS_MLS_PSK_REINIT)
        HS_TRY(start_from_reinit(successor, &start));
    else if (successor->usage == HS_MLS_PSK_BRANCH)
        HS_TRY(start_branch(successor, &start));
    else
        return HS_ERR_INVALID_ARG;
    /* nobody else sees epoch 0, and it has nothing to go back to */
    settings.private_handshakes = settings.settling = false;
    const struct hs_mls_create create = {
        .leaf = successor->leaf,
        .group_id = start.group_id,
        .extensions = start.extensions,
        .extension_count = start.extension_count,
        .settings = settings,
    };
    HS_TRY(hs_mls_group_create(&create, &group));
    HS_TRY(first_commit(successor, group, welcome));
    group->settings = successor->settings;
    *out = group;
    group = NULL;
    return HS_OK;
}
