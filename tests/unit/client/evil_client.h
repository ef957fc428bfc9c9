/* A member whose commits look right to a hub, and wrong to some or all of the others. */
#ifndef TESTS_CLIENT_EVIL_CLIENT_H
#define TESTS_CLIENT_EVIL_CLIENT_H

#include "town.h"

enum evil_kind {
    EVIL_TAG,  /* the confirmation tag is wrong: nobody can follow */
    EVIL_HALF, /* the path's secret for the topmost node is another than its key was made of: whoever is on
                  the other side of the tree can't follow */
};

/* A commit of that kind, put into the device's outbox. */
enum hs_err evil_client_submit(struct hs_step *s, const struct hs_id *room, enum evil_kind kind);

/* The same, and it is sent to the hub. */
void evil_client_commit(struct town_device *d, const struct hs_id *room, enum evil_kind kind);

#endif
