#include "mls/staged.h"

#include <stdlib.h>

struct hs_mls_event_memory {
    struct hs_arena arena;
    struct hs_mls_leaf *leaves[2]; /* the sender's, and a proposal's target */
};

/* What one event copies: authenticated data, a plaintext, a proposal, a newcomer's leaf. */
enum { EVENT_CAP = 3 * (HS_MLS_MAX_MESSAGE + 64) };

void hs_mls_event_free(struct hs_mls_event *event)
{
    if (event == NULL)
        return;
    hs_mls_staged_free(event->staged);
    hs_arena_free(&event->memory->arena);
    for (int i = 0; i < 2; i++)
        hs_mls_leaf_unref(event->memory->leaves[i]);
    free(event->memory);
    free(event);
}

void hs_mls_event_free_at(struct hs_mls_event **event)
{
    hs_mls_event_free(*event);
    *event = NULL;
}

enum hs_err hs_mls_event_copy(struct hs_mls_event *event, struct hs_bytes in, struct hs_bytes *out)
{
    *out = hs_arena_copy(&event->memory->arena, in);
    return out->len == in.len ? HS_OK : HS_ERR_NOMEM;
}

struct hs_mls_member hs_mls_event_member(struct hs_mls_event *event, struct hs_mls_leaf *leaf, uint32_t index)
{
    struct hs_mls_leaf **slot = &event->memory->leaves[event->memory->leaves[0] != NULL];
    HS_ASSERT(*slot == NULL);
    *slot = hs_mls_leaf_ref(leaf);
    return hs_mls_leaf_member(leaf, index);
}

static enum hs_err event_alloc(struct hs_mls_event **out)
{
    struct hs_mls_event *event = calloc(1, sizeof *event);
    struct hs_mls_event_memory *memory = calloc(1, sizeof *memory);
    if (event == NULL || memory == NULL) {
        free(event);
        free(memory);
        return HS_ERR_NOMEM;
    }
    memory->arena = hs_arena(EVENT_CAP);
    event->memory = memory;
    *out = event;
    return HS_OK;
}

/* The leaf that a newcomer brings along, from a copy that stays. */
static enum hs_err newcomer(struct hs_mls_event *event, struct hs_bytes raw)
{
    struct hs_bytes copy;
    struct hs_mls_leaf_node node;
    HS_TRY(hs_mls_event_copy(event, raw, &copy));
    struct hs_reader r = hs_reader(copy);
    hs_mls_read_leaf_node(&r, &node);
    event->sender = (struct hs_mls_member){
        .leaf = HS_MLS_NO_LEAF,
        .credential_type = node.credential_type,
        .identity = node.credential,
        .signature_key = node.signature_key,
        .extensions = node.extensions,
    };
    return hs_reader_finish(&r);
}

static enum hs_err set_sender(struct hs_mls_event *event, const struct hs_mls_tree *tree,
                              const struct hs_mls_content *content)
{
    event->author = content->sender;
    switch (content->sender.type) {
    case HS_MLS_SENDER_MEMBER: {
        struct hs_mls_leaf *leaf = hs_mls_tree_leaf(tree, content->sender.index);
        HS_TRY(hs_mls_tree_error(tree));
        HS_REQUIRE(leaf != NULL, HS_ERR_NOT_MEMBER);
        event->sender = hs_mls_event_member(event, leaf, content->sender.index);
        return HS_OK;
    }
    case HS_MLS_SENDER_EXTERNAL:
        return HS_OK;
    case HS_MLS_SENDER_NEW_MEMBER_PROPOSAL:
        HS_REQUIRE(content->type == HS_MLS_PROPOSAL && content->proposal.type == HS_MLS_ADD,
                   HS_ERR_MLS_PROPOSAL);
        return newcomer(event, content->proposal.add.leaf.raw);
    case HS_MLS_SENDER_NEW_MEMBER_COMMIT:
        HS_REQUIRE(content->type == HS_MLS_COMMIT && content->commit.has_path, HS_ERR_MLS_COMMIT);
        return newcomer(event, content->commit.path.leaf.raw);
    }
    return HS_ERR_MALFORMED;
}

enum hs_err hs_mls_event_new(const struct hs_mls_tree *tree, const struct hs_mls_authed *authed,
                             struct hs_mls_event **out)
{
    static const enum hs_mls_event_kind kinds[] = {
        [HS_MLS_APPLICATION] = HS_MLS_EVENT_APPLICATION,
        [HS_MLS_PROPOSAL] = HS_MLS_EVENT_PROPOSAL,
        [HS_MLS_COMMIT] = HS_MLS_EVENT_COMMIT,
    };
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_TRY(event_alloc(&event));
    event->kind = kinds[authed->content.type];
    event->epoch = authed->content.epoch;
    HS_TRY(set_sender(event, tree, &authed->content));
    HS_TRY(hs_mls_event_copy(event, authed->content.authenticated_data, &event->authenticated_data));
    *out = event;
    event = NULL;
    return HS_OK;
}
