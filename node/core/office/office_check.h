#ifndef HS_CORE_OFFICE_CHECK_H
#define HS_CORE_OFFICE_CHECK_H

#include "core/rooms/room_record.h"

/* May this node apply the record as the room's hub? The view is as before it. What it breaks; NOMEM. */
enum hs_err hs_office_check(struct hs_turn *turn, const struct hs_room_record *record);

#endif
