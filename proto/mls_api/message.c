/* Looking at messages from outside. */
#include "mls_api/api.h"

enum hanse_err hanse_mls_message_peek(struct hanse_mls_bytes message, struct hanse_mls_peek *peek)
{
    *peek = (struct hanse_mls_peek){0};
    return hs_mls_api_err(hs_mls_message_peek(hs_mls_api_in(message), (struct hs_mls_peek *)peek));
}

static enum hs_err cut(struct hs_bytes welcome, struct hs_bytes ref, struct hanse_mls_buf *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_welcome_cut(welcome, ref, &w));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_welcome_cut(struct hanse_mls_bytes welcome, struct hanse_mls_bytes key_package_ref,
                                     struct hanse_mls_buf *out)
{
    *out = (struct hanse_mls_buf){0};
    return hs_mls_api_err(cut(hs_mls_api_in(welcome), hs_mls_api_in(key_package_ref), out));
}

enum hanse_err hanse_mls_welcome_ref(struct hanse_mls_bytes welcome, size_t index,
                                     struct hanse_mls_bytes *key_package_ref)
{
    struct hs_bytes ref = {0};
    enum hs_err err = hs_mls_welcome_ref(hs_mls_api_in(welcome), index, &ref);
    *key_package_ref = hs_mls_api_out(ref);
    return hs_mls_api_err(err);
}
