#include "core/federation/promise.h"

#include "core/records/table.h"
#include "object/object.h"
#include "room/head.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

Hanse__SignedObject *hs_promise_get(struct hs_turn *turn, const struct hs_id *room, enum hs_register which)
{
    struct hs_kv_key key = hs_register_key(which, HS_VIEW(*room), (struct hs_bytes){0});
    struct hs_bytes bytes;
    Hanse__SignedObject *head = NULL;
    if (!hs_register_get(turn, &key, &bytes))
        return NULL;
    enum hs_err err = hs_object_unpack(bytes, turn->arena, &head);
    if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = err; /* there is one, also where there is no memory for it */
    return err == HS_OK ? head : NULL;
}

static enum hs_err open_kept(struct hs_turn *turn, const Hanse__SignedObject *object, Hanse__Head **out)
{
    *out = NULL;
    if (object == NULL)
        return HS_OK;
    return HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, turn->arena, out);
}

enum hs_err hs_promises_load(struct hs_turn *turn, const struct hs_id *room, struct hs_promises *out)
{
    HS_TRY(open_kept(turn, hs_promise_get(turn, room, HS_REGISTER_HEAD), &out->newest));
    return open_kept(turn, hs_promise_get(turn, room, HS_REGISTER_PROMISE), &out->nearest);
}

static bool breaks(const Hanse__Head *promise, const struct hs_record_header *header)
{
    return promise != NULL && promise->seq == header->seq &&
           !hs_bytes_equal(hs_pb_bytes(promise->hash), HS_VIEW(header->hash));
}

enum hs_err hs_promises_check(const struct hs_promises *promises, const struct hs_record_header *header)
{
    return breaks(promises->newest, header) || breaks(promises->nearest, header) ? HS_ERR_LOG_FORK : HS_OK;
}

static enum hs_err put(struct hs_turn *turn, const struct hs_id *room, enum hs_register which,
                       const Hanse__SignedObject *head)
{
    struct hs_kv_key key = hs_register_key(which, HS_VIEW(*room), (struct hs_bytes){0});
    struct hs_bytes bytes;
    HS_TRY(hs_object_pack(head, turn->arena, &bytes));
    hs_register_put(turn, &key, bytes);
    return HS_OK;
}

/* The heads that are known, the new one last: what is nearest behind the copy's end, and the newest before
 * it, change only while the copy is behind its hub. */
enum hs_err hs_promises_keep(struct hs_turn *turn, const struct hs_id *room, uint64_t end,
                             const Hanse__SignedObject *head)
{
    const Hanse__SignedObject *known[] = {hs_promise_get(turn, room, HS_REGISTER_HELD),
                                          hs_promise_get(turn, room, HS_REGISTER_PROMISE),
                                          hs_promise_get(turn, room, HS_REGISTER_HEAD), head};
    size_t nearest = 0, held = 0, count = sizeof known / sizeof known[0];
    uint64_t near_seq = UINT64_MAX, held_seq = 0, seq = 0;
    for (size_t i = 0; i < count; i++) {
        Hanse__Head *one;
        HS_TRY(open_kept(turn, known[i], &one));
        seq = one != NULL ? one->seq : 0;
        if (one != NULL && seq >= end && seq < near_seq) {
            nearest = i;
            near_seq = seq;
        }
        if (one != NULL && seq < end && seq > held_seq) {
            held = i;
            held_seq = seq;
        }
    }
    if (nearest > 1)
        HS_TRY(put(turn, room, HS_REGISTER_PROMISE, known[nearest]));
    if (seq >= end && held > 0)
        HS_TRY(put(turn, room, HS_REGISTER_HELD, known[held]));
    return put(turn, room, HS_REGISTER_HEAD, head);
}

void hs_promises_drop(struct hs_turn *turn, const struct hs_id *room)
{
    static const enum hs_register which[] = {HS_REGISTER_HEAD, HS_REGISTER_PROMISE, HS_REGISTER_HELD};
    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
        struct hs_kv_key key = hs_register_key(which[i], HS_VIEW(*room), (struct hs_bytes){0});
        hs_kv_del(turn->kv, HS_T_REGISTER, hs_kv_key_bytes(&key));
    }
}

Hanse__SignedObject *hs_promise_held(struct hs_turn *turn, const struct hs_id *room, uint64_t end)
{
    static const enum hs_register which[] = {HS_REGISTER_HEAD, HS_REGISTER_HELD};
    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
        Hanse__SignedObject *object = hs_promise_get(turn, room, which[i]);
        Hanse__Head *head;
        if (open_kept(turn, object, &head) == HS_OK && head != NULL && head->seq < end)
            return object;
    }
    return NULL;
}
