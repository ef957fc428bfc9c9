/* Whom a node asks for what lies between its copy's end and a HUB_MOVE, where the hub that the chain leads to
 * is gone, or has nothing to say: whoever reads the room here and holds more than it has. That is so where
 * this node was restored, and has the room again: its readers have what the hub between has ordered. */
#include "core/internal.h"
#include "core/office/way.h"

static bool is_ahead(const struct hs_session *s, const struct hs_id *room, uint64_t next)
{
    const struct hs_position *position = s->closed ? NULL : hs_session_position(s, room);
    return position != NULL && position->next > next;
}

struct hs_session *hs_way_reader(struct hs_turn *turn, const struct hs_id *room, uint64_t next, size_t which)
{
    size_t count = 0;
    for (struct hs_session *s = turn->core->sessions.by_id; s != NULL; s = s->hh.next)
        count += is_ahead(s, room, next) ? 1 : 0;
    size_t left = count > 0 ? which % count : 0;
    for (struct hs_session *s = turn->core->sessions.by_id; s != NULL; s = s->hh.next)
        if (is_ahead(s, room, next) && left-- == 0)
            return s;
    return NULL;
}
