#include "proof_scene.h"

static struct hs_turn reading(struct town_node *node, struct hs_arena *arena)
{
    return (struct hs_turn){
        .core = node->core, .kv = node->kv.inner, .now = town_now(node->town), .arena = arena};
}

struct hs_proofs proofs_at(struct town_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = reading(node, &arena);
    struct hs_proofs out;
    hs_proofs_count(&turn, &out);
    return out;
}

bool ledger_is_frozen(struct town_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = reading(node, &arena);
    return hs_recover_ledger_is_frozen(&turn);
}

struct hs_shown_row shown_row(struct town_device *d, const struct hs_key *root)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_shown_row row;
    assert_true(hs_shown_row_get(town_look(d), root, &arena, &row));
    town_looked(d);
    return row;
}
