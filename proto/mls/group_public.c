/* The public side of a member's group, for whoever has to go on without its secrets. */
#include "mls/member.h"

static enum hs_err copy_waiting(const struct hs_mls_public *from, struct hs_mls_public *to)
{
    for (size_t i = 0; i < from->cached_count; i++) {
        const struct hs_mls_cached *c = &from->cached[i];
        HS_TRY(hs_mls_public_cache(to, &c->sender, &c->ref, hs_mls_blob_bytes(c->raw), c->leaf));
    }
    return HS_OK;
}

enum hs_err hs_mls_group_public_copy(const struct hs_mls_group *group, struct hs_mls_public **out)
{
    struct hs_mls_public HS_MLS_PUBLIC *copy = NULL;
    struct hs_writer HS_WRITER info = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_group_info(group, true, &info));
    HS_TRY(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &copy));
    HS_TRY(copy_waiting(group->pub, copy));
    *out = copy;
    copy = NULL;
    return HS_OK;
}
