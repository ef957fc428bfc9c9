/* Trees that a Welcome was sent without. */
#ifndef HS_SYNC_TREE_H
#define HS_SYNC_TREE_H

#include "sync/state.h"

/* Fetches the tree that the Welcome names, and then goes on with it. MALFORMED, TOO_LARGE. */
enum hs_err hs_tree_fetch(struct hs_step *s, const Hanse__WelcomeItem *item);
enum hs_err hs_trees_resume(struct hs_step *s);

/* inbox.c: it can't be used, and the wait ends. */
enum hs_err hs_welcome_refused(struct hs_step *s, const Hanse__WelcomeItem *item, enum hs_err why);

#endif
