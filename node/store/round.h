/* What one round of the commit thread gathers: inputs with copies of their bytes. */
#ifndef HS_STORE_ROUND_H
#define HS_STORE_ROUND_H

#include "store/commit.h"

/* NULL without memory. */
struct hs_round *hs_round_new(void);
/* As new, but for its memory. */
void hs_round_reset(struct hs_round *round);
/* All of the list. */
void hs_rounds_free(struct hs_round *round);

/* For another frame. */
bool hs_round_has_room(const struct hs_round *round);
/* NOMEM: nothing was added. */
enum hs_err hs_round_add(struct hs_round *round, const struct hs_core_input *input);
/* No more inputs come: the views of their bytes are good from now on. */
void hs_round_settle(struct hs_round *round);

#endif
