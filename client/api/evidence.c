/* What proves that a hub told two stories, as a file; and how anybody checks it. */
#include "api/handle.h"

#include "crypto/selftest.h"
#include "room/evidence.h"
#include "store/tail.h"

static const char magic[] = HS_EVIDENCE_MAGIC;
enum { MAGIC_LEN = sizeof magic - 1 };

static enum hs_err evidence_look(struct hs_step *s, const struct hs_id *room, const uint8_t **bytes,
                                 size_t *len)
{
    struct hs_bytes evidence;
    if (!hs_evidence_get(s->kv, room, s->arena, &evidence))
        return s->kv->err != HS_OK ? s->kv->err : HS_ERR_NOT_FOUND;
    uint8_t *out = hs_arena_alloc(s->arena, MAGIC_LEN + evidence.len);
    HS_REQUIRE(out != NULL, HS_ERR_NOMEM);
    memcpy(out, magic, MAGIC_LEN);
    memcpy(out + MAGIC_LEN, evidence.data, evidence.len);
    *bytes = out;
    *len = MAGIC_LEN + evidence.len;
    return HS_OK;
}

enum hanse_err hanse_evidence(struct hanse *h, const struct hanse_id *room, const uint8_t **bytes,
                              size_t *len)
{
    struct hs_step s;
    struct hs_id id = hs_api_id(room);
    enum hs_err err = hs_api_look(h, &s);
    return err == HS_OK ? hs_api_looked(h, evidence_look(&s, &id, bytes, len)) : (enum hanse_err)err;
}

enum hanse_err hanse_evidence_verify(const uint8_t *bytes, size_t len, const struct hanse_id *root,
                                     struct hanse_evidence_report *out)
{
    struct hs_evidence e;
    struct hs_key pinned = root != NULL ? hs_api_key(root) : (struct hs_key){0};
    *out = (struct hanse_evidence_report){0};
    HS_REQUIRE(len >= MAGIC_LEN && memcmp(bytes, magic, MAGIC_LEN) == 0, HANSE_ERR_UNEXPECTED);
    enum hs_err err = hs_crypto_init();
    if (err == HS_OK)
        err = hs_evidence_verify(hs_bytes(bytes + MAGIC_LEN, len - MAGIC_LEN), root != NULL ? &pinned : NULL,
                                 &e);
    if (err != HS_OK)
        return (enum hanse_err)err;
    out->root_pinned = root != NULL;
    memcpy(out->root.b, e.root.b, sizeof out->root.b);
    memcpy(out->room.b, e.room.b, sizeof out->room.b);
    memcpy(out->domain, e.domain, sizeof e.domain);
    out->seq = e.first.seq;
    out->first_ms = e.first.created.ms;
    out->second_ms = e.second.created.ms;
    return HANSE_OK;
}
