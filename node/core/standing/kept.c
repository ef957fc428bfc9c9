#include "core/standing/kept.h"

#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/standing/standing.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 8 * HS_FRAME_MAX }; /* one room's view */

enum hs_err hs_kept_take(struct hs_turn *turn, const Hanse__Records *records)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &turn->session->subscriber);
    uint64_t most = hs_quota_of(turn->session->standing)->kept, bytes = 0;
    for (size_t i = 0; i < records->n_records; i++)
        bytes += records->records[i]->header.len + records->records[i]->body.len;
    if (peer == NULL || (peer->kept <= most && bytes <= most - peer->kept)) {
        if (peer != NULL)
            peer->kept += bytes;
        return HS_OK;
    }
    peer->not_before.ms = turn->now.ms + HS_HUB_PAUSE_MS;
    return HS_ERR_QUOTA;
}

static void end_lap(struct hs_core *core)
{
    core->kept_from.len = 0;
    for (struct hs_peer *peer = core->peers.list; peer != NULL; peer = peer->next) {
        peer->kept = peer->kept_so_far;
        peer->kept_so_far = 0;
    }
}

void hs_kept_tick(struct hs_turn *turn)
{
    struct hs_kv_key *from = &turn->core->kept_from;
    for (size_t i = 0; i < HS_KEPT_ROOMS; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_bytes key, value, none = {0};
        Hanse__State__RoomView *view;
        struct hs_key hub;
        if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(from), &scratch, &key, &value)) {
            end_lap(turn->core);
            return;
        }
        *from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &scratch, &view) != HS_OK || view->hub ||
            !HS_FIXED(hs_pb_bytes(view->hub_root), &hub))
            continue;
        struct hs_peer *peer = hs_peer_find(&turn->core->peers, &hub);
        if (peer != NULL)
            peer->kept_so_far += view->log_bytes;
    }
}
