/* The state of a real device, opened while it doesn't run. */
#ifndef HS_TESTS_DEVICE_STATE_H
#define HS_TESTS_DEVICE_STATE_H

#include "store/rooms.h"
#include "sync/state.h"

/* What is done in it, with the first of its rooms. */
typedef enum hs_err device_state_fn(void *arg, struct hs_step *s, const struct hs_id *room);

/* dir: the device's. What fn changes is kept where keep is set and it ends with OK; ROOM_UNKNOWN where the
 * device is in no room, IO where its key can't be read, fn's and the store's errors. */
enum hs_err device_state_use(const char *dir, bool keep, device_state_fn *fn, void *arg);

#endif
