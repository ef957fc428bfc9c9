/* What the running node can be asked: one row of the table in commands.c and one function or two a command.
 * The other half, what hansed prints of it, is in ask.h. */
#ifndef HS_ADMIN_COMMANDS_H
#define HS_ADMIN_COMMANDS_H

#include "admin/control.h"

extern const struct hs_control_command hs_control_commands[];
extern const size_t hs_control_command_count;

/* For answers: at most 32 bytes as lower-case hex. */
json_t *hs_json_hex(struct hs_bytes bytes);

/* A number, whatever its type was. */
json_t *hs_json_number(uint64_t number);

/* What a restored ledger was shown, as "proofs" of the answer; nothing where proofs is NULL. NOMEM. */
enum hs_err hs_control_proofs(struct hs_control_call *call, const Hanse__State__AdminProofs *proofs);

/* command_status.c */
enum hs_err hs_control_status_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                  Hanse__State__AdminRequest *out);
enum hs_err hs_control_status(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts);
/* command_lists.c */
enum hs_err hs_control_peers_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                 Hanse__State__AdminRequest *out);
enum hs_err hs_control_peers(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts);
/* command_roots.c: the operator's word on a domain's root */
enum hs_err hs_control_root_ask(const struct hs_control_call *call, const char *domain,
                                struct hs_arena *arena, Hanse__State__AdminRequest *out);
enum hs_err hs_control_root(struct hs_control_call *call, const Hanse__State__AdminRootDecided *decided);
json_t *hs_control_roots(const Hanse__State__AdminPeers *peers);
/* command_lists.c */
enum hs_err hs_control_rooms_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                 Hanse__State__AdminRequest *out);
enum hs_err hs_control_take_prefix(const char *text, struct hs_arena *arena, Hanse__State__AdminAskRoom *out);
enum hs_err hs_control_rooms(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts);
/* command_reload.c */
enum hs_err hs_control_reload(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts);
/* command_recover.c */
enum hs_err hs_control_resume_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                  Hanse__State__AdminRequest *out);
enum hs_err hs_control_resume(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts);
enum hs_err hs_control_evidence_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                    Hanse__State__AdminRequest *out);
enum hs_err hs_control_evidence(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts);

#endif
