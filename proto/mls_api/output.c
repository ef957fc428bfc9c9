/* What the library gives, as the caller takes it. */
#include "mls_api/api.h"

#include <stdlib.h>

enum hs_err hs_mls_api_give(struct hs_writer *w, struct hanse_mls_buf *out)
{
    *out = (struct hanse_mls_buf){0};
    HS_TRY(w->err);
    out->data = hs_writer_steal(w, &out->len);
    return HS_OK;
}

void hanse_mls_buf_free(struct hanse_mls_buf *buf)
{
    if (buf->data != NULL)
        hs_wipe(buf->data, buf->len);
    free(buf->data);
    *buf = (struct hanse_mls_buf){0};
}

void hanse_mls_event_free(struct hanse_mls_event *event)
{
    hs_mls_event_free((struct hs_mls_event *)event);
}

const struct hanse_mls_change *hanse_mls_staged_change(const struct hanse_mls_staged *staged)
{
    if (staged == NULL)
        return NULL;
    return (const struct hanse_mls_change *)hs_mls_staged_change((const struct hs_mls_staged *)staged);
}

enum hanse_err hanse_mls_staged_matches(const struct hanse_mls_staged *staged,
                                        struct hanse_mls_bytes group_info)
{
    if (staged == NULL)
        return HANSE_ERR_INVALID_ARG;
    return hs_mls_api_err(
        hs_mls_staged_matches((const struct hs_mls_staged *)staged, hs_mls_api_in(group_info)));
}
