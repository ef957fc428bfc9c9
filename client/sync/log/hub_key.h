/* Which keys the hub of a room has, and had: nodes change them under their roots. */
#ifndef HS_SYNC_HUB_KEY_H
#define HS_SYNC_HUB_KEY_H

#include "room/head.h"
#include "sync/state.h"

/* A head by an earlier key counts where it was made before, or at most so long after, the newest descriptor
 * was signed: so long may it take until the node has begun to use its new keys. */
enum { HS_HUB_KEY_LAG_MS = 86400000 };

/* The sequence of the hub's descriptor that the room has; 0 where it has none. */
uint64_t hs_hub_sequence(const struct hs_room_row *row);

/* The domain of the hub in office; that of the brand's node, by which handles go, is row->domain. NOMEM. */
enum hs_err hs_office_domain(const struct hs_room_row *row, char out[static HS_DOMAIN_MAX + 1]);

/* The room has a newer descriptor than this one: it is kept for what was signed under it. */
enum hs_err hs_hub_key_keep(struct hs_step *s, const struct hs_key *root, struct hs_bytes descriptor);

/* The descriptor that names the signer of a head of the room's hub, in the step's arena. NOT_FOUND where none
 * of those that were seen does. */
enum hs_err hs_hub_descriptor_of(struct hs_step *s, const struct hs_live_room *room,
                                 const Hanse__SignedObject *head, Hanse__SignedObject **out);

/* A head of the room by a key of its hub: WRONG_SIGNER for any other, and for a replaced one that was used
 * later; errors of hs_head_verify(). */
enum hs_err hs_hub_head(struct hs_step *s, const struct hs_live_room *room, const Hanse__SignedObject *object,
                        struct hs_head *head);

/* The newest descriptor of that root among those kept; NOT_FOUND. */
enum hs_err hs_hub_key_newest(struct hs_step *s, const struct hs_key *root, struct hs_bytes *out);

#endif
