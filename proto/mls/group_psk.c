/* Pre-shared keys (RFC 9420, 8.4): where a member finds them, and what they make together. */
#include "mls/member.h"

#include <stdlib.h>

void hs_mls_psks_free(struct hs_mls_psks *psks)
{
    free(psks->list);
    hs_writer_free(&psks->bytes);
    *psks = (struct hs_mls_psks){0};
}

/* The same key? The nonce is a commit's own; the usage changes the secret's context, not the secret. */
static bool is_same(const struct hs_mls_psk_id *a, const struct hs_mls_psk_id *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == HS_MLS_PSK_EXTERNAL)
        return hs_bytes_equal(a->id, b->id);
    return a->epoch == b->epoch && hs_bytes_equal(a->group_id, b->group_id);
}

/* One of the group's own resumption secrets: this epoch's, or that of a past one that is kept. NOT_FOUND. */
static enum hs_err find_own(const struct hs_mls_group *group, const struct hs_mls_psk_id *id,
                            struct hs_bytes *secret)
{
    HS_REQUIRE(!group->removed && id->type == HS_MLS_PSK_RESUMPTION, HS_ERR_NOT_FOUND);
    HS_REQUIRE(hs_bytes_equal(id->group_id, hs_mls_group_id(group)), HS_ERR_NOT_FOUND);
    *secret = HS_MLS_VIEW(group->now.resumption);
    if (id->epoch == group->now.epoch)
        return HS_OK;
    for (size_t i = 0; i < group->past_count; i++) {
        if (group->past[i].epoch != id->epoch)
            continue;
        HS_TRY(hs_mls_past_open(group, &group->past[i]));
        *secret = HS_MLS_VIEW(group->past[i].resumption);
        return HS_OK;
    }
    return HS_ERR_NOT_FOUND;
}

enum hs_err hs_mls_psk_find(const struct hs_mls_psk_source *source, const struct hs_mls_psk_id *id,
                            struct hs_bytes *secret)
{
    enum hs_err own = source->group != NULL ? find_own(source->group, id, secret) : HS_ERR_NOT_FOUND;
    if (own != HS_ERR_NOT_FOUND)
        return own;
    for (size_t i = 0; i < source->count; i++) {
        *secret = source->list[i].secret;
        if (is_same(&source->list[i].id, id))
            return HS_OK;
    }
    return HS_ERR_NOT_FOUND;
}

enum hs_err hs_mls_psk_resolve(const struct hs_mls_suite *suite, const struct hs_mls_psk_source *source,
                               const struct hs_mls_psk_id *ids, size_t count, struct hs_mls_secret *out)
{
    struct hs_bytes secrets[HS_MLS_MAX_PSKS];
    HS_REQUIRE(count <= HS_MLS_MAX_PSKS, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < count; i++)
        HS_TRY(hs_mls_psk_find(source, &ids[i], &secrets[i]));
    return hs_mls_psk_secret(suite, ids, secrets, count, out);
}

enum hs_err hs_mls_psk_of_change(const struct hs_mls_suite *suite, const struct hs_mls_psk_source *source,
                                 const struct hs_mls_change *change, struct hs_mls_secret *out)
{
    struct hs_mls_psk_id ids[HS_MLS_MAX_PSKS];
    HS_REQUIRE(change->psk_count <= HS_MLS_MAX_PSKS, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < change->psk_count; i++)
        ids[i] = change->psks[i].id;
    return hs_mls_psk_resolve(suite, source, ids, change->psk_count, out);
}

void hs_mls_psk_nonce(const struct hs_mls_suite *suite, struct hs_mls_psk_id *id, struct hs_mls_hash *nonce)
{
    struct hs_mls_secret HS_MLS_SECRET random;
    hs_mls_secret_random(suite, &random);
    bool fits = HS_MLS_SET(HS_MLS_VIEW(random), nonce);
    HS_ASSERT(fits);
    id->nonce = HS_MLS_VIEW(*nonce);
    id->raw = (struct hs_bytes){0};
}

/* Writes all bytes of one PSK, one after another; takes them up again as views once nothing moves any more.
 */
static void psk_write(struct hs_writer *w, const struct hs_mls_psk *psk)
{
    hs_write_mls_vec(w, psk->id.id);
    hs_write_mls_vec(w, psk->id.group_id);
    hs_write_mls_vec(w, psk->secret);
}

static void psk_read(struct hs_reader *r, struct hs_mls_psk *psk)
{
    psk->id.id = hs_read_mls_vec(r);
    psk->id.group_id = hs_read_mls_vec(r);
    psk->id.nonce = psk->id.raw = (struct hs_bytes){0};
    psk->secret = hs_read_mls_vec(r);
}

enum hs_err hs_mls_group_set_psks(struct hs_mls_group *group, const struct hs_mls_psk *psks, size_t count)
{
    struct hs_mls_psks HS_AUTO(hs_mls_psks_free) copy = {.bytes = hs_writer(HS_MLS_MAX_MESSAGE)};
    copy.list = calloc(count + 1, sizeof *copy.list);
    HS_REQUIRE(copy.list != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < count; i++)
        psk_write(&copy.bytes, &psks[i]);
    HS_TRY(copy.bytes.err);
    struct hs_reader r = hs_reader(hs_writer_bytes(&copy.bytes));
    for (copy.count = 0; copy.count < count; copy.count++) {
        copy.list[copy.count] = psks[copy.count];
        psk_read(&r, &copy.list[copy.count]);
    }
    HS_TRY(hs_reader_finish(&r));
    const struct hs_mls_psks before = group->psks;
    group->psks = copy;
    copy = before;
    return HS_OK;
}
