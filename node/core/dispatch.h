/* From a frame to its handler: one table, row = request, who may send it, what it may do to a full store. */
#ifndef HS_CORE_DISPATCH_H
#define HS_CORE_DISPATCH_H

#include "core/turn.h"

/* One frame of the turn's session. A request is answered with its response or an Error; a frame that isn't
 * one, or that has no place here, closes the session. */
void hs_dispatch(struct hs_turn *turn, struct hs_bytes frame);

/* A request's handler: checks, then writes, then fills in the reply. An error means that nothing was written.
 * Where reply->body_case stays NONE, the answer comes later (Forward) or never (notifications). detail goes
 * into the Error. */
typedef enum hs_err hs_handler(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                               uint64_t *detail);

hs_handler hs_handle_authenticate, hs_handle_ping, hs_handle_sign_up, hs_handle_bind, hs_handle_create_room,
    hs_handle_put_invite, hs_handle_get_invite, hs_handle_join, hs_handle_submit_commit,
    hs_handle_submit_message, hs_handle_attach, hs_handle_records, hs_handle_inbox, hs_handle_cursors,
    hs_handle_open_counter, hs_handle_ledger, hs_handle_forward, hs_handle_set_wake, hs_handle_heads,
    hs_handle_get_chunk, hs_handle_move_home, hs_handle_confirm, hs_handle_presence, hs_handle_want_tail,
    hs_handle_tail, hs_handle_ephemeral, hs_handle_put_chunk;

hs_handler hs_handle_get_group_info, hs_handle_move_hub, hs_handle_want_commit, hs_handle_way,
    hs_handle_where, hs_handle_show_proofs;

/* Answers with Ack. */
void hs_reply_ack(struct hs_turn *turn, Hanse__Frame *reply);

#endif
