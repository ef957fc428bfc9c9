#include "store/round.h"

#include <stdlib.h>

struct hs_round *hs_round_new(void)
{
    struct hs_round *round = calloc(1, sizeof *round);
    if (round == NULL)
        return NULL;
    /* Inputs other than frames carry at most a descriptor each. */
    round->bytes = hs_writer(HS_ROUND_BYTES + HS_ROUND_BYTES);
    round->effects = hs_effects();
    round->due = hs_effects();
    round->former = hs_effects();
    return round;
}

void hs_round_reset(struct hs_round *round)
{
    round->len = 0;
    round->frames = 0;
    hs_writer_reset(&round->bytes);
    hs_effects_reset(&round->effects);
    hs_effects_reset(&round->due);
    hs_effects_free(&round->former);
    round->former = hs_effects();
    round->withdrawn = HS_OK;
    atomic_store(&round->is_through, false);
}

void hs_rounds_free(struct hs_round *round)
{
    while (round != NULL) {
        struct hs_round *next = round->next;
        hs_writer_free(&round->bytes);
        hs_effects_free(&round->effects);
        hs_effects_free(&round->due);
        hs_effects_free(&round->former);
        free(round->inputs);
        free(round);
        round = next;
    }
}

bool hs_round_has_room(const struct hs_round *round)
{
    return round->frames < HS_ROUND_INPUTS && round->bytes.len < HS_ROUND_BYTES;
}

static enum hs_err round_grow(struct hs_round *round)
{
    if (round->len < round->size)
        return HS_OK;
    size_t size = round->size > 0 ? 2 * round->size : 64;
    struct hs_round_input *grown = realloc(round->inputs, size * sizeof *grown);
    HS_REQUIRE(grown != NULL, HS_ERR_NOMEM);
    round->inputs = grown;
    round->size = size;
    return HS_OK;
}

/* While a round gathers, its bytes may move: a view is then kept as an offset, in the pointer's place. */
static void view_to_offset(struct hs_writer *bytes, struct hs_bytes *view)
{
    uintptr_t offset = bytes->len;
    hs_write_bytes(bytes, *view);
    view->data = (const uint8_t *)offset;
}

static void offset_to_view(const struct hs_writer *bytes, struct hs_bytes *view)
{
    view->data = view->len > 0 ? bytes->data + (uintptr_t)view->data : NULL;
}

enum hs_err hs_round_add(struct hs_round *round, const struct hs_core_input *input)
{
    HS_TRY(round_grow(round));
    struct hs_round_input *added = &round->inputs[round->len];
    size_t before = round->bytes.len;
    *added = (struct hs_round_input){.input = *input};
    view_to_offset(&round->bytes, &added->input.bytes);
    view_to_offset(&round->bytes, &added->input.dialled_descriptor);
    if (round->bytes.err != HS_OK) {
        round->bytes.len = before;
        round->bytes.err = HS_OK;
        return HS_ERR_NOMEM;
    }
    round->len++;
    round->frames += input->kind == HS_INPUT_FRAME;
    return HS_OK;
}

void hs_round_settle(struct hs_round *round)
{
    for (size_t i = 0; i < round->len; i++) {
        offset_to_view(&round->bytes, &round->inputs[i].input.bytes);
        offset_to_view(&round->bytes, &round->inputs[i].input.dialled_descriptor);
    }
}
