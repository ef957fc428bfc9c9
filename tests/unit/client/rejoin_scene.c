#include "rejoin_scene.h"

#include "hostile.h"
#include "identity/grant.h"
#include "sync/state.h"
#include "wire/unpack.h"

#include <stdio.h>

void start(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

struct hs_bytes copy_of(struct town_device *d)
{
    town_device_kill(d);
    struct hs_bytes copy = town_device_copy(d);
    start(d);
    town_wait(d->town, 1000);
    return copy;
}

struct scene scene_of(const struct hanse_room_spec *spec)
{
    struct scene c = {.t = town_new()};
    c.node = town_node_new(c.t, "rosa.example");
    c.other = town_node_new(c.t, "kaffee.example");
    c.rosa = town_member_of_staff(c.node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room_as(c.rosa, spec);
    c.link = town_link(c.rosa, &c.room, 20);
    c.ben = town_guest(c.t, "Ben", c.link);
    c.carl = town_guest(c.t, "Carl", c.link);
    c.dora = town_guest(c.t, "Dora", c.link);
    town_wait(c.t, 2000);
    return c;
}

struct scene scene_new(void)
{
    const struct hanse_room_spec spec = {.name = "VIP"};
    return scene_of(&spec);
}

uint64_t post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
    town_wait(d->town, 1000);
    assert_non_null(town_done(d, op));
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
    return town_done(d, op)->seq;
}

bool has(struct town_device *d, const struct hs_id *room, const char *line)
{
    return strstr(town_history(d, room), line) != NULL;
}

size_t lines(struct town_device *d, const struct hs_id *room, enum hanse_message_kind kind)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_message_row row = {0};
    size_t count = 0;
    for (uint64_t from = 0; hs_message_next(town_look(d), room, from, &arena, &row); from = row.seq + 1) {
        count += row.kind == (uint32_t)kind;
        town_looked(d);
    }
    town_looked(d);
    return count;
}

void removes(struct scene *c, struct town_device *whom)
{
    struct hs_key persona;
    uint64_t op;
    assert_ok(hs_sync_persona(whom->sync, &c->node->root.pub, &persona));
    TOWN_WANT(c->rosa, hs_want_removal(&s, &c->room, &persona, &op));
    town_wait(c->t, 2000);
    assert_int_equal(town_done(c->rosa, op)->err, HANSE_OK);
}

void goes_back(struct town_device *d, struct hs_bytes copy)
{
    town_device_kill(d);
    town_device_restore(d, copy);
    start(d);
    d->event_count = 0;
}

void all_is_well(struct scene *c, uint32_t members)
{
    struct town_device *all[] = {c->rosa, c->ben, c->carl};
    static const char *const texts[] = {"rosa says\n", "ben says\n", "carl says\n"};
    for (size_t i = 0; i < 3; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%.*s", (int)strlen(texts[i]) - 1, texts[i]);
        post(all[i], &c->room, text);
    }
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 3; k++)
            assert_true(has(all[i], &c->room, texts[k]));
        assert_int_equal(hostile_room(all[i], &c->room).members, members);
        assert_int_equal(hostile_room(all[i], &c->room).state, HS_ROOM_STATE_MEMBER);
        assert_int_equal(lines(all[i], &c->room, HANSE_MESSAGE_REFUSED), 0);
    }
}

enum hs_err new_keys(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish nothing = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &nothing);
}

uint32_t frame_kind(struct hs_bytes bytes, uint64_t *id)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    *id = frame->id;
    return (uint32_t)frame->body_case;
}
