#include "room/settlement.h"

#include "object/object.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

enum { VERDICT_ARENA = 65536, BODY_ARENA = 1 << 20 };

enum hs_err hs_verdict_build(const struct hs_settlement *of, const struct hs_signer *device,
                             const struct hs_key *persona, uint32_t leaf, enum hs_err err, struct hs_time now,
                             struct hs_arena *arena, Hanse__SignedObject **out)
{
    Hanse__Verdict payload = HANSE__VERDICT__INIT;
    payload.seq = of->seq;
    payload.commit = hs_pb_data(HS_VIEW(of->commit));
    payload.leaf = leaf;
    payload.error = err == HS_OK ? 0 : hs_err_to_wire(err);
    struct hs_author author = {device, *persona, now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(of->room)};
    return hs_object_make(HS_KIND_VERDICT, &payload.base, &author, &hdr, arena, out);
}

static enum hs_err payload_read(const Hanse__Verdict *payload, struct hs_verdict_claim *out)
{
    bool fits = HS_FIXED(hs_pb_bytes(payload->hdr->audience), &out->room) &&
                HS_FIXED(hs_pb_bytes(payload->commit), &out->commit);
    HS_REQUIRE(fits, HS_ERR_MALFORMED);
    out->seq = payload->seq;
    out->persona = hs_hdr_issuer(payload->hdr);
    return HS_OK;
}

static enum hs_err payload_open(const Hanse__SignedObject *object, struct hs_arena *arena,
                                struct hs_key *device, Hanse__Verdict **out)
{
    HS_REQUIRE(hs_object_claimed_signer(object, 0, device), HS_ERR_WRONG_SIGNER);
    return HS_OBJECT_OPEN(hanse__verdict, object, HS_KIND_VERDICT, device, 1, arena, out);
}

enum hs_err hs_verdict_claim(const Hanse__SignedObject *object, struct hs_verdict_claim *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(VERDICT_ARENA);
    struct hs_verdict_claim claim = {0};
    struct hs_key device;
    Hanse__Verdict *payload = NULL;
    HS_REQUIRE(object != NULL, HS_ERR_MALFORMED);
    HS_TRY(payload_open(object, &arena, &device, &payload));
    HS_TRY(payload_read(payload, &claim));
    *out = claim;
    return HS_OK;
}

static enum hs_err member_check(const struct hs_settlement *of, const struct hs_verdict *verdict)
{
    struct hs_settler member;
    HS_REQUIRE(!hs_key_equal(&verdict->by.device, &of->committer), HS_ERR_NOT_MEMBER);
    if (of->member == NULL)
        return HS_OK;
    HS_REQUIRE(of->member(of->index, verdict->leaf, &member), HS_ERR_NOT_MEMBER);
    bool same = hs_key_equal(&member.device, &verdict->by.device) &&
                hs_key_equal(&member.persona, &verdict->by.persona);
    return same ? HS_OK : HS_ERR_NOT_MEMBER;
}

enum hs_err hs_verdict_open(const Hanse__SignedObject *object, const struct hs_settlement *of,
                            struct hs_arena *arena, struct hs_verdict *out)
{
    struct hs_verdict_claim claim = {0};
    struct hs_verdict verdict = {0};
    Hanse__Verdict *payload = NULL;
    HS_REQUIRE(object != NULL, HS_ERR_MALFORMED);
    HS_TRY(payload_open(object, arena, &verdict.by.device, &payload));
    HS_TRY(payload_read(payload, &claim));
    HS_REQUIRE(hs_id_equal(&claim.room, &of->room) && hs_id_equal(&claim.commit, &of->commit) &&
                   claim.seq == of->seq,
               HS_ERR_UNEXPECTED);
    verdict.by.persona = claim.persona;
    verdict.leaf = payload->leaf;
    verdict.err = payload->error == 0 ? HS_OK : hs_err_from_wire(payload->error);
    HS_TRY(member_check(of, &verdict));
    *out = verdict;
    return HS_OK;
}

bool hs_settle_alone(const struct hs_settlement *of, const struct hs_key *persona, struct hs_time at)
{
    enum hs_room_role role = hs_policy_role(of->policy, persona, at);
    return (role == HS_ROOM_OWNER || role == HS_ROOM_MODERATOR) && !hs_policy_is_banned(of->policy, persona);
}

bool hs_settle_is_enough(size_t connected, size_t good, size_t bad, bool alone)
{
    size_t half = (connected + 1) / 2;
    if (bad == 0 && alone && good > 0)
        return true;
    return good >= (half < HS_SETTLE_VERDICTS_MAX ? half : HS_SETTLE_VERDICTS_MAX) &&
           (bad == 0 || good > bad);
}

enum hs_err hs_settled_build(const struct hs_settlement *of, uint32_t connected, uint32_t bad,
                             Hanse__SignedObject **good, size_t count, struct hs_writer *body)
{
    HS_REQUIRE(count <= HS_SETTLE_VERDICTS_MAX, HS_ERR_INVALID_ARG);
    Hanse__SettledBody message = HANSE__SETTLED_BODY__INIT;
    message.seq = of->seq;
    message.commit = hs_pb_data(HS_VIEW(of->commit));
    message.connected = connected;
    message.bad = bad;
    message.verdicts = good;
    message.n_verdicts = count;
    return HS_PACK(&message, body);
}

enum hs_err hs_void_build(const struct hs_settlement *of, Hanse__SignedObject **bad, size_t count,
                          struct hs_writer *body)
{
    HS_REQUIRE(count > 0 && count <= HS_SETTLE_BAD_QUOTED, HS_ERR_INVALID_ARG);
    Hanse__VoidBody message = HANSE__VOID_BODY__INIT;
    message.seq = of->seq;
    message.commit = hs_pb_data(HS_VIEW(of->commit));
    message.verdicts = bad;
    message.n_verdicts = count;
    return HS_PACK(&message, body);
}

/* Each verdict is genuine, by another member, and good or bad as asked. */
static enum hs_err verdicts_check(const struct hs_settlement *of, Hanse__SignedObject *const *list,
                                  size_t count, bool good, struct hs_time at, bool *alone)
{
    struct hs_key seen[HS_SETTLE_VERDICTS_MAX];
    HS_REQUIRE(count <= HS_SETTLE_VERDICTS_MAX, HS_ERR_TOO_LARGE);
    *alone = false;
    for (size_t i = 0; i < count; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(VERDICT_ARENA);
        struct hs_verdict verdict = {0};
        HS_TRY(hs_verdict_open(list[i], of, &arena, &verdict));
        HS_REQUIRE((verdict.err == HS_OK) == good, HS_ERR_POLICY);
        for (size_t k = 0; k < i; k++)
            HS_REQUIRE(!hs_key_equal(&seen[k], &verdict.by.device), HS_ERR_POLICY);
        seen[i] = verdict.by.device;
        *alone = *alone || hs_settle_alone(of, &verdict.by.persona, at);
    }
    return HS_OK;
}

static enum hs_err names_commit(const struct hs_settlement *of, uint64_t seq, ProtobufCBinaryData commit)
{
    struct hs_id id = {0};
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(commit), &id), HS_ERR_MALFORMED);
    HS_REQUIRE(seq == of->seq && hs_id_equal(&id, &of->commit), HS_ERR_UNEXPECTED);
    return HS_OK;
}

enum hs_err hs_settled_check(struct hs_bytes body, const struct hs_settlement *of, struct hs_time at)
{
    struct hs_arena HS_ARENA arena = hs_arena(BODY_ARENA);
    Hanse__SettledBody *message = NULL;
    bool alone = false;
    HS_REQUIRE(body.len <= HS_SETTLE_BODY_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(HS_UNPACK(hanse__settled_body, body, HS_STRICT, &arena, &message));
    HS_TRY(names_commit(of, message->seq, message->commit));
    HS_TRY(verdicts_check(of, message->verdicts, message->n_verdicts, true, at, &alone));
    HS_REQUIRE(hs_settle_is_enough(message->connected, message->n_verdicts, message->bad, alone),
               HS_ERR_POLICY);
    return HS_OK;
}

enum hs_err hs_void_check(struct hs_bytes body, const struct hs_settlement *of, struct hs_time at)
{
    struct hs_arena HS_ARENA arena = hs_arena(BODY_ARENA);
    Hanse__VoidBody *message = NULL;
    bool alone = false;
    HS_REQUIRE(body.len <= HS_SETTLE_BODY_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(HS_UNPACK(hanse__void_body, body, HS_STRICT, &arena, &message));
    HS_TRY(names_commit(of, message->seq, message->commit));
    HS_REQUIRE(message->n_verdicts > 0, HS_ERR_POLICY);
    HS_TRY(verdicts_check(of, message->verdicts, message->n_verdicts, false, at, &alone));
    HS_REQUIRE(at.ms - of->time.ms >= HS_SETTLE_VOID_MS, HS_ERR_POLICY);
    return HS_OK;
}

bool hs_bars_has(const struct hs_bars *bars, const struct hs_key *device, struct hs_time at)
{
    for (size_t i = 0; i < bars->count; i++)
        if (hs_key_equal(&bars->list[i].device, device) && at.ms < bars->list[i].until.ms)
            return true;
    return false;
}

void hs_bars_add(struct hs_bars *bars, const struct hs_key *device, struct hs_time at)
{
    size_t kept = 0;
    for (size_t i = 0; i < bars->count; i++)
        if (at.ms < bars->list[i].until.ms && !hs_key_equal(&bars->list[i].device, device))
            bars->list[kept++] = bars->list[i];
    if (kept == HS_SETTLE_BARS_MAX)
        memmove(bars->list, bars->list + 1, --kept * sizeof bars->list[0]);
    bars->list[kept++] = (struct hs_bar){*device, {at.ms + HS_SETTLE_BAR_MS}};
    bars->count = kept;
}
