/* Where the library is built without libuv. */
#include "api/handle.h"

enum hanse_err hanse_uv_start(struct hanse *h, struct uv_loop_s *loop,
                              void (*wake)(struct hanse *h, enum hanse_err err, void *context), void *context)
{
    (void)h;
    (void)loop;
    (void)wake;
    (void)context;
    return HANSE_ERR_UNSUPPORTED;
}

void hs_uv_called(struct hanse *h)
{
    (void)h;
}

void hanse_uv_stop(struct hanse *h)
{
    (void)h;
}
