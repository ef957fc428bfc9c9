/* The office comes to a node that has other rooms, and users of its own: what the log that it takes over, or
 * the hub that had it, can do to those, and can't. */
#include "office_scene.h"

#include "core/internal.h"
#include "core/table.h"
#include "room/invite.h"

#include <sodium.h>

/* An invite of the room for another one's key, which everybody can read in a link's record. */
static struct world_invite invite_with_key(struct world_room *room, const struct world_invite *of)
{
    struct world_invite invite = *of;
    struct hs_writer HS_WRITER body = hs_writer(1 << 16);
    struct hs_invite_spec spec = {
        .device = &room->persona->keys.signature,
        .certificate = room->persona->certificate,
        .room = room->id,
        .invite_key = of->signer.pub,
        .max_uses = 3,
        .now = room->device->world->now,
        .not_after = {room->device->world->now.ms + WORLD_DAY_MS},
    };
    assert_ok(hs_invite_build(&spec, &body));
    invite.hub = room->hub;
    invite.room = room->id;
    invite.body = world_take(room->device->world, &body);
    return invite;
}

static void names_room(struct world_device *d, const struct world_invite *invite, const struct hs_id *room)
{
    Hanse__Frame *frame = world_frame(d->world), *answer;
    frame->get_invite = WORLD_NEW(d->world, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(invite->signer.pub));
    assert_ok(world_ask_hub(d, invite->hub, frame, &answer));
    assert_bytes(hs_pb_bytes(answer->invite_info->room), HS_VIEW(*room));
}

/* ROOM-85: a log that comes here with another room's invite key does nothing to that room's links. */
static void no_room_takes_anothers_invites(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *nina = world_staff(s.new, "nina", HANSE__ROLE__ROLE_OWNER);
    struct world_room *other = world_room_new(nina, "other");
    struct world_invite link = world_invite(other, 10);
    struct world_invite stolen = invite_with_key(s.room, &link);
    assert_ok(world_put_invite(s.room, &stolen));
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    assert_true(s.alices->hub == s.new);
    names_room(nina, &link, &other->id);
    struct world_room *daves = world_join(world_customer(s.new, "dave"), other, &link);
    assert_true(daves->joined);
    assert_ok(world_post(daves, "in the other one", NULL));
    world_settle(w);
    /* a sign-up by the link is one of the room that it says */
    struct world_room *erins = world_join(world_customer(s.third, "erin"), other, &link);
    assert_true(erins->joined);
    assert_ok(world_post(s.alices, "goes on", NULL));
    assert_err(world_put_invite(other, &link), HS_OK); /* the same again is answered as before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_room_takes_anothers_invites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
