/* Short ways to what most scenes begin with: accounts, rooms, links, members. */
#include "town.h"

static struct town_device *signed_up(struct town_node *node, const char *name, const char *ticket)
{
    struct town_device *d = town_device_new(node->town);
    uint64_t op;
    TOWN_WANT(d, hs_want_identity(&s, name));
    TOWN_WANT(d, hs_want_sign_up(&s, ticket, &op));
    hs_sync_stay_online(d->sync, true);
    town_run(node->town);
    assert_non_null(town_done(d, op));
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
    return d;
}

struct town_device *town_member_of_staff(struct town_node *node, const char *name, uint32_t roles)
{
    return signed_up(node, name, town_ticket(node, roles, name, 1));
}

struct town_device *town_customer(struct town_node *node, const char *name)
{
    return signed_up(node, name, town_ticket(node, 0, NULL, 1));
}

struct hs_id town_room(struct town_device *d, const char *name)
{
    const struct hanse_room_spec spec = {.name = name};
    return town_room_as(d, &spec);
}

struct hs_id town_room_as(struct town_device *d, const struct hanse_room_spec *spec)
{
    uint64_t op;
    struct hs_id id;
    TOWN_WANT(d, hs_want_room(&s, spec, &op));
    town_run(d->town);
    const struct hanse_event *done = town_done(d, op);
    assert_non_null(done);
    assert_int_equal(done->err, HANSE_OK);
    memcpy(id.b, done->id.b, sizeof id.b);
    return id;
}

struct town_device *town_guest(struct town *t, const char *name, const char *link)
{
    struct town_device *d = town_device_new(t);
    uint64_t op;
    TOWN_WANT(d, hs_want_identity(&s, name));
    TOWN_WANT(d, hs_want_join(&s, link, &op));
    hs_sync_stay_online(d->sync, true);
    town_run(t);
    assert_non_null(town_done(d, op));
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
    return d;
}

void town_join(struct town_device *d, const char *link)
{
    uint64_t op;
    size_t joined = town_event_count(d, HANSE_EVENT_JOINED);
    TOWN_WANT(d, hs_want_join(&s, link, &op));
    town_wait(d->town, 8000);
    assert_int_equal(town_event_count(d, HANSE_EVENT_JOINED), joined + 1);
}
