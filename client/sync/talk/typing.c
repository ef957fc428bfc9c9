/* Typing: said to whoever is there, and forgotten. */
#include "room/ephemeral.h"
#include "room/leaf.h"
#include "sync/state.h"
#include "wire/unpack.h"

enum {
    TYPING_EVERY_MS = 3000, /* said again at most so often */
    TYPING_FRESH_MS =
        60000 /* one that was made longer ago is an old one that somebody kept; clocks may differ by that */
};

/* The key of that sender in the present epoch. */
static enum hs_err key_of(const struct hs_live_room *room, uint32_t leaf, struct hs_secret32 *key)
{
    const uint8_t context[HS_EPHEMERAL_CONTEXT] = {(uint8_t)(leaf >> 24), (uint8_t)(leaf >> 16),
                                                   (uint8_t)(leaf >> 8), (uint8_t)leaf};
    return hs_mls_group_export(room->group, HS_EPHEMERAL_LABEL, hs_bytes(context, sizeof context), key->b,
                               sizeof key->b);
}

static enum hs_err seal(struct hs_step *s, struct hs_live_room *room, struct hs_writer *out)
{
    struct hs_self HS_SELF self;
    struct hs_secret32 HS_SECRET key = {0};
    struct hs_writer HS_WRITER content = hs_writer(HS_EPHEMERAL_CONTENT_MAX);
    Hanse__EphemeralContent message = HANSE__EPHEMERAL_CONTENT__INIT;
    Hanse__Typing typing = HANSE__TYPING__INIT;
    const struct hs_ephemeral about = {room->row.id, hs_mls_group_epoch(room->group),
                                       hs_mls_group_own_leaf(room->group)};
    message.sent_ms = s->now.ms;
    message.typing = &typing;
    message.body_case = HANSE__EPHEMERAL_CONTENT__BODY_TYPING;
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(HS_PACK(&message, &content));
    HS_TRY(key_of(room, about.leaf, &key));
    return hs_ephemeral_seal(&about, &key, &self.device.signature, hs_writer_bytes(&content), out);
}

enum hs_err hs_want_typing(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    struct hs_writer HS_WRITER sealed = hs_writer(HS_EPHEMERAL_MAX);
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Ephemeral ephemeral = HANSE__EPHEMERAL__INIT;
    HS_TRY(hs_live_member(s, id, &room));
    if (!hs_home_is_online(s->sync) || room->newest.doubted || room->newest.gone ||
        s->now.ms < room->typing_at.ms + TYPING_EVERY_MS ||
        !hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_POST))
        return HS_OK;
    HS_TRY(seal(s, room, &sealed));
    room->typing_at = s->now;
    ephemeral.room = hs_pb_data(HS_VIEW(room->row.id));
    ephemeral.persona = hs_pb_data(HS_VIEW(room->row.self));
    ephemeral.epoch = hs_mls_group_epoch(room->group);
    ephemeral.sealed = hs_pb_data(hs_writer_bytes(&sealed));
    frame.body_case = HANSE__FRAME__BODY_EPHEMERAL;
    frame.ephemeral = &ephemeral;
    return hs_notify(s, &frame);
}

/* The member that sent it, and what it says; whatever is wrong with it, it is passed over. */
static enum hs_err open_it(struct hs_step *s, struct hs_live_room *room, const Hanse__Ephemeral *in,
                           struct hs_mls_member *sender, Hanse__EphemeralContent **out)
{
    struct hs_ephemeral about = {room->row.id, in->epoch, 0};
    struct hs_secret32 HS_SECRET key = {0};
    struct hs_key device, persona, named;
    struct hs_writer HS_WRITER content = hs_writer(HS_EPHEMERAL_CONTENT_MAX);
    struct hs_bytes sealed = hs_pb_bytes(in->sealed);
    HS_REQUIRE(in->epoch == hs_mls_group_epoch(room->group), HS_ERR_WRONG_EPOCH);
    HS_TRY(hs_ephemeral_leaf(sealed, &about.leaf));
    HS_TRY(hs_mls_public_member(hs_mls_group_public(room->group), about.leaf, sender));
    HS_TRY(hs_room_leaf_persona(sender, &persona));
    HS_REQUIRE(HS_FIXED(sender->signature_key, &device) && HS_FIXED(hs_pb_bytes(in->persona), &named),
               HS_ERR_MALFORMED);
    HS_REQUIRE(hs_key_equal(&persona, &named), HS_ERR_WRONG_SENDER);
    HS_TRY(key_of(room, about.leaf, &key));
    HS_TRY(hs_ephemeral_open(&about, &key, &device, sealed, &content));
    struct hs_bytes copy = hs_arena_copy(s->arena, hs_writer_bytes(&content));
    return HS_UNPACK(hanse__ephemeral_content, copy, HS_LENIENT, s->arena, out);
}

enum hs_err hs_ephemeral_received(struct hs_step *s, const Hanse__Ephemeral *in)
{
    struct hs_id id;
    struct hs_live_room *room;
    struct hs_mls_member sender;
    struct hs_person person;
    Hanse__EphemeralContent *content;
    if (!HS_FIXED(hs_pb_bytes(in->room), &id) || hs_live_member(s, &id, &room) != HS_OK ||
        open_it(s, room, in, &sender, &content) != HS_OK || content->typing == NULL ||
        content->sent_ms < s->now.ms - TYPING_FRESH_MS || content->sent_ms > s->now.ms + TYPING_FRESH_MS)
        return s->kv->err;
    hs_person_of(room, &sender, s->now, &person);
    if (hs_key_equal(&person.key, &room->row.self) ||
        !hs_policy_allows(&room->policy, &person.key, s->now, HS_RIGHT_POST))
        return HS_OK;
    struct hs_bytes name = hs_people_text(s, &person, 1);
    const char *text = hs_arena_str(s->arena, name);
    HS_REQUIRE(text != NULL, HS_ERR_NOMEM);
    struct hanse_event event = {.kind = HANSE_EVENT_TYPING};
    memcpy(event.room.b, id.b, sizeof event.room.b);
    memcpy(event.id.b, person.key.b, sizeof event.id.b);
    return hs_out_event(s, &event, text);
}
