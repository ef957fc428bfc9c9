/* Puts a commit that looks right to a hub and wrong to members into a client's store: the client's next
 * session sends it. usage: evil_commit DIR tag|half */
#include "device_state.h"
#include "unit/client/evil_client.h"

#include <stdio.h>
#include <string.h>

static enum hs_err forge(void *arg, struct hs_step *s, const struct hs_id *room)
{
    const enum evil_kind *kind = arg;
    HS_TRY(evil_client_submit(s, room, *kind));
    return hs_sync_settle(s);
}

int main(int argc, char **argv)
{
    bool half = argc == 3 && strcmp(argv[2], "half") == 0;
    if (argc != 3 || (!half && strcmp(argv[2], "tag") != 0)) {
        fprintf(stderr, "usage: evil_commit DIR tag|half\n");
        return 2;
    }
    enum evil_kind kind = half ? EVIL_HALF : EVIL_TAG;
    enum hs_err err = device_state_use(argv[1], true, forge, &kind);
    if (err != HS_OK)
        fprintf(stderr, "evil_commit: %s\n", hs_err_name(err));
    return err == HS_OK ? 0 : 1;
}
