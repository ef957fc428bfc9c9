/* What a store looks like inside: its tables, their keys, the views. A store says by which layout it was
 * made; records keep their meaning from one layout to the next, so that a store of an older one can be
 * brought here by changing its views, or by making them again (replay.h). */
#ifndef HS_CORE_LAYOUT_H
#define HS_CORE_LAYOUT_H

#include "base/kv.h"
#include "core/turn.h"

/* Raised whenever a table, a key, a view or what a record makes of them changes. */
enum { HS_LAYOUT = 1 };

/* An empty store becomes one of this layout; one of an older layout is brought to it, one step after another.
 * found: what it was, HS_LAYOUT for an empty one. UNSUPPORTED for a newer layout, for an older one that can't
 * be brought here, and (found 0) where there is something in the store, but no layout; nothing is changed
 * then. The store's errors. */
enum hs_err hs_layout_open(struct hs_kv *kv, uint64_t *found);

/* The same without changing anything: also for a read transaction. */
enum hs_err hs_layout_check(struct hs_kv *kv, uint64_t *found);

/* The node was restored from a backup and has this incarnation since: one record. What was numbered since the
 * backup was made is lost, so inboxes go on at numbers that no incarnation before has used. */
void hs_restored_record(struct hs_turn *turn, uint64_t incarnation);

/* The incarnation since the last restoring; 0 where the node was never restored. */
uint64_t hs_restored_since(struct hs_turn *turn);

/* When that was, by this node's clock then; INT64_MIN where it wasn't restored. Means nothing where
 * turn->kv->err is set. */
struct hs_time hs_restored_at(struct hs_turn *turn);

/* The first number of an inbox's items in that incarnation. */
uint64_t hs_restored_first(uint64_t incarnation);

#endif
