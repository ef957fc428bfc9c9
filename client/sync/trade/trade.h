/* What the files of this stage know of each other where they trade: deals, coupons, counters, orders, tills.
 */
#ifndef HS_SYNC_TRADE_H
#define HS_SYNC_TRADE_H

#include "sync/state.h"

/* ---- deal_in.c, coupon.c, counter.c, order.c, till.c ---- */

/* A deal came in a post of that sender: checked and kept; the message row says what to show. */
struct hs_content;
enum hs_err hs_deal_received(struct hs_step *s, struct hs_live_room *room, const struct hs_mls_member *sender,
                             const struct hs_record_header *header, const struct hs_content *content,
                             struct hs_message_row *message);

/* Resumes an operation that waits for a commit of its room. */
enum hs_err hs_op_commit(struct hs_step *s, struct hs_op *op);

/* Till: adds the customer that this counter was made for. */
enum hs_err hs_counter_admit(struct hs_step *s, struct hs_live_room *room);

/* Somebody came or went: a counter with its customer is open. */
enum hs_err hs_counter_members_changed(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_counter_asked(struct hs_step *s, const Hanse__CounterItem *item);

/* Customer: the brand won't open one. */
enum hs_err hs_counter_refused(struct hs_step *s, const struct hs_key *root, const struct hs_key *persona,
                               enum hs_err err);

/* Customer: this device was let into a counter. */
enum hs_err hs_counter_joined(struct hs_step *s, struct hs_live_room *room);

/* Customer: asks the brand's node for a counter, entitled by membership of room. */
enum hs_err hs_counter_open(struct hs_step *s, const struct hs_key *root, const struct hs_id *room);
enum hs_err hs_op_order(struct hs_step *s, struct hs_op *op);

/* Till: makes the counters that were asked for while it was off. */
enum hs_err hs_counters_serve(struct hs_step *s);

/* Till: every order that isn't done goes on as far as it can; what is wrong with one stops no other. */
enum hs_err hs_till_tick(struct hs_step *s);

/* Orders want to be looked at again at that time. */
void hs_till_look_at(struct hs_step *s, int64_t at);

/* The present step never was: what was due is still due, soon. */
void hs_till_roll_back(struct hs_sync *sync);

/* ---- proof.c: what an issuer may have forgotten ---- */

/* The node of that root is in this incarnation: where it was restored since it was shown what this device
 * holds of it, that begins now. */
enum hs_err hs_proofs_seen(struct hs_step *s, const struct hs_key *root, uint64_t incarnation);

/* Goes on with all nodes that haven't been shown everything yet. */
enum hs_err hs_proofs_resume(struct hs_step *s);

/* The node is said to be RECOVERING, and a head of it may be long in coming: another brand's is shown all
 * once more, unless it was of late. */
enum hs_err hs_proofs_recovering(struct hs_step *s, const struct hs_key *root);

/* The node's highest incarnation that is known here; 0: none. */
uint64_t hs_proofs_incarnation(struct hs_step *s, const struct hs_key *root);

/* Whether a content of this device is an order that no till has answered yet. */
struct hs_order_row;
bool hs_order_is_posted(struct hs_step *s, struct hs_bytes content, struct hs_order_row *row);

/* A content of this device was refused for good; where it was an order, the order ends with err. */
enum hs_err hs_order_post_refused(struct hs_step *s, struct hs_bytes content, enum hs_err err);

/* ---- order_out.c ---- */

enum { HS_ORDERS_OUT_MAX = 64 /* that are kept so: a home may be silent about them for ever */ };

/* The post has gone out, and its room is left on this device: where it is an order, what is needed to settle
 * it is kept under the row's number, in place of the oldest such one where there are too many. */
enum hs_err hs_order_out_keep(struct hs_step *s, const struct hs_outbox_row *row);

/* It came to nothing, or never left this device: it ends as what never went out. */
enum hs_err hs_order_out_refused(struct hs_step *s, const struct hs_outbox_row *row);

/* It was taken. in_log: by the hub, and the till has it; else by the home, and the hub may yet refuse it. */
enum hs_err hs_order_out_answered(struct hs_step *s, const struct hs_outbox_row *row, bool in_log);

#endif
