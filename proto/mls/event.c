#include "mls/staged.h"

#include <stdlib.h>

struct hs_mls_event_memory {
    struct hs_arena arena;
    struct hs_mls_leaf *leaves[2]; /* the sender's, and a proposal's target */
};

/* What one event copies: authenticated data, a plaintext, a proposal. */
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

enum hs_err hs_mls_event_new(const struct hs_mls_tree *tree, const struct hs_mls_authed *authed,
                             struct hs_mls_event **out)
{
    static const enum hs_mls_event_kind kinds[] = {
        [HS_MLS_APPLICATION] = HS_MLS_EVENT_APPLICATION,
        [HS_MLS_PROPOSAL] = HS_MLS_EVENT_PROPOSAL,
        [HS_MLS_COMMIT] = HS_MLS_EVENT_COMMIT,
    };
    struct hs_mls_leaf *sender = hs_mls_tree_leaf(tree, authed->content.sender);
    HS_REQUIRE(sender != NULL, HS_ERR_NOT_MEMBER);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_event_memory *memory = calloc(1, sizeof *memory);
    event = memory != NULL ? calloc(1, sizeof *event) : NULL;
    if (event == NULL) {
        free(memory);
        return HS_ERR_NOMEM;
    }
    memory->arena = hs_arena(EVENT_CAP);
    event->memory = memory;
    event->kind = kinds[authed->content.type];
    event->epoch = authed->content.epoch;
    event->sender = hs_mls_event_member(event, sender, authed->content.sender);
    HS_TRY(hs_mls_event_copy(event, authed->content.authenticated_data, &event->authenticated_data));
    *out = event;
    event = NULL;
    return HS_OK;
}
