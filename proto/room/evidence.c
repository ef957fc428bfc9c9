#include "room/evidence.h"

#include "base/writer.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

/* Every header that is looked at, unpacked one after another, and the objects. */
enum { EVIDENCE_ARENA = 1 << 20 };

/* The payload's number, unchecked: to put two heads in their order. */
static enum hs_err claimed_seq(const Hanse__SignedObject *head, struct hs_arena *arena, uint64_t *seq)
{
    Hanse__Head *payload;
    HS_REQUIRE(head != NULL, HS_ERR_MALFORMED);
    HS_TRY(HS_UNPACK(hanse__head, hs_pb_bytes(head->payload), HS_STRICT, arena, &payload));
    *seq = payload->seq;
    return HS_OK;
}

/* The headers behind the number first, up to the number last. */
static enum hs_err pick(const struct hs_evidence_parts *parts, uint64_t first, uint64_t last,
                        ProtobufCBinaryData *out, size_t *count)
{
    *count = 0;
    HS_REQUIRE(last - first <= HS_EVIDENCE_HEADERS, HS_ERR_NOT_FOUND);
    for (size_t i = 0; i < parts->header_count && first + *count < last; i++) {
        struct hs_record_header header;
        HS_TRY(hs_record_header_parse(parts->headers[i], &header));
        if (header.seq == first + *count + 1)
            out[(*count)++] = hs_pb_data(parts->headers[i]);
    }
    return first + *count == last ? HS_OK : HS_ERR_NOT_FOUND;
}

/* The message is only packed. */
static Hanse__SignedObject *borrow(const Hanse__SignedObject *object)
{
    return (Hanse__SignedObject *)(uintptr_t)object;
}

enum hs_err hs_evidence_build(const struct hs_evidence_parts *parts, struct hs_arena *arena,
                              struct hs_bytes *out)
{
    struct hs_arena HS_ARENA scratch = hs_arena(EVIDENCE_ARENA);
    struct hs_writer HS_WRITER w = hs_writer(HS_EVIDENCE_MAX);
    ProtobufCBinaryData headers[HS_EVIDENCE_HEADERS];
    Hanse__Evidence evidence = HANSE__EVIDENCE__INIT;
    struct hs_evidence facts;
    uint64_t one, other;
    HS_TRY(claimed_seq(parts->one, &scratch, &one));
    HS_TRY(claimed_seq(parts->other, &scratch, &other));
    bool swapped = other < one;
    HS_REQUIRE(parts->one_descriptor != NULL && parts->other_descriptor != NULL, HS_ERR_NOT_FOUND);
    struct hs_key keys[2];
    bool same = hs_object_claimed_signer(parts->one, 0, &keys[0]) &&
                hs_object_claimed_signer(parts->other, 0, &keys[1]) && hs_key_equal(&keys[0], &keys[1]);
    evidence.first = borrow(swapped ? parts->other : parts->one);
    evidence.second = borrow(swapped ? parts->one : parts->other);
    evidence.descriptor = borrow(swapped ? parts->other_descriptor : parts->one_descriptor);
    if (!same)
        evidence.second_descriptor = borrow(swapped ? parts->one_descriptor : parts->other_descriptor);
    evidence.headers = headers;
    HS_TRY(pick(parts, swapped ? other : one, swapped ? one : other, headers, &evidence.n_headers));
    HS_TRY(HS_PACK(&evidence, &w));
    HS_TRY(hs_evidence_verify(hs_writer_bytes(&w), NULL, &facts));
    *out = hs_arena_copy(arena, hs_writer_bytes(&w));
    return out->data != NULL ? HS_OK : HS_ERR_NOMEM;
}

/* The second head's story at the place where the first one ends. NOT_FOUND where the headers don't show it.
 */
static enum hs_err second_story(const Hanse__Evidence *evidence, const struct hs_evidence *e,
                                struct hs_id *hash)
{
    struct hs_id next = e->second.hash;
    *hash = next;
    HS_REQUIRE(e->second.seq - e->first.seq == evidence->n_headers, HS_ERR_MALFORMED);
    for (size_t i = evidence->n_headers; i > 0; i--) {
        struct hs_record_header header;
        HS_TRY(hs_record_header_parse(hs_pb_bytes(evidence->headers[i - 1]), &header));
        HS_REQUIRE(header.seq == e->first.seq + i && hs_id_equal(&header.room, &e->room), HS_ERR_MALFORMED);
        HS_REQUIRE(hs_id_equal(&header.hash, &next), HS_ERR_NOT_FOUND);
        *hash = next = header.prev;
    }
    return HS_OK;
}

static enum hs_err evidence_read(const Hanse__Evidence *evidence, const struct hs_key *pinned,
                                 struct hs_evidence *out)
{
    struct hs_descriptor d, second;
    struct hs_id room, other;
    HS_REQUIRE(evidence->descriptor != NULL && evidence->first != NULL && evidence->second != NULL,
               HS_ERR_MALFORMED);
    HS_REQUIRE(evidence->n_headers <= HS_EVIDENCE_HEADERS, HS_ERR_TOO_LARGE);
    HS_TRY(hs_descriptor_open(evidence->descriptor, pinned, &d));
    HS_TRY(hs_head_open(evidence->first, &d.signing_key, &out->first));
    room = out->first.room;
    second = d;
    if (evidence->second_descriptor != NULL) /* it has changed its key: it is the same hub by its root */
        HS_TRY(hs_descriptor_open(evidence->second_descriptor, &d.root, &second));
    HS_TRY(hs_head_verify(evidence->second, &second.signing_key, &room, &out->second));
    bool ballast = evidence->second_descriptor != NULL && hs_key_equal(&second.signing_key, &d.signing_key);
    HS_REQUIRE(!ballast, HS_ERR_MALFORMED);
    HS_REQUIRE(out->first.seq <= out->second.seq, HS_ERR_MALFORMED);
    out->room = room;
    out->root = d.root;
    memcpy(out->domain, d.domain, sizeof out->domain);
    HS_TRY(second_story(evidence, out, &other));
    bool same_term = out->first.hub_term == out->second.hub_term;
    return same_term && !hs_id_equal(&other, &out->first.hash) ? HS_OK : HS_ERR_NOT_FOUND;
}

enum hs_err hs_evidence_verify(struct hs_bytes bytes, const struct hs_key *pinned, struct hs_evidence *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(EVIDENCE_ARENA);
    struct hs_evidence facts = {0};
    Hanse__Evidence *evidence;
    *out = facts;
    HS_REQUIRE(bytes.len <= HS_EVIDENCE_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(HS_UNPACK(hanse__evidence, bytes, HS_STRICT, &arena, &evidence));
    HS_TRY(evidence_read(evidence, pinned, &facts));
    *out = facts;
    return HS_OK;
}
