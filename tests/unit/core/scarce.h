/* Memory runs out at allocations of a world's inputs: each attempt says so (NOMEM), or the asker is told, or
 * it didn't matter; it is undone, and the store is whole: all of the input or nothing of it. Linked with
 * -Wl,--wrap=malloc, calloc and realloc. */
#ifndef TESTS_CORE_SCARCE_H
#define TESTS_CORE_SCARCE_H

#include "world.h"

/* The allocation that fails, counted from now; 0: none. How many have. */
extern size_t scarce_in, scarce_hits;

extern struct scarce_score {
    size_t sweeps, tries, aborted, refused;
} scarce_score;

/* For world.before_step: every allocation of the input, and some of some inputs. */
void scarce_sweep(struct world_node *node, const struct hs_core_input *input);
void scarce_sample(struct world_node *node, const struct hs_core_input *input);
void scarce_report(void);

/* The same with the allocation scarce_at alone, before whatever else: what the attempt has left in the core's
 * memory, the input itself meets. scarce_met becomes true where it failed. */
extern size_t scarce_at;
extern bool scarce_met;
void scarce_once(struct world_node *node, const struct hs_core_input *input);

#endif
