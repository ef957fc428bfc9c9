/* The acceptance window: which epochs' posts count after a commit (spec/rooms.md), by hub time. The hub takes
 * no others, and members wipe what they would need to read them. */
#ifndef HS_ROOM_WINDOW_H
#define HS_ROOM_WINDOW_H

enum {
    HS_ROOM_PAST_EPOCHS = 5,
    HS_ROOM_WINDOW_S = 30 /* after the commit that ended the epoch */
};

#endif
