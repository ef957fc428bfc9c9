/* A device joins a room whose tree is larger than a Welcome, while its sockets, files and memory fail: the
 * tree comes in pieces, and what has come isn't lost. CLIENT-13, CLIENT-28 */
#include "sweep_real.h"

#include "api/handle.h"
#include "store/tables.h"
#include "sweep_node.h"
#include "sync/rooms/live_room.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { MEMBERS = 80 /* a tree of two pieces */, AT_ONCE = 20, SETTLE_MS = 60000 };

static struct fleet *f;
static struct member *founder;

/* In the next place of the fleet, which nobody keeps. */
static struct member *guest(size_t i)
{
    static const char name[] = "A name that is as long as a name may be, which is 64 bytes long.";
    struct member *m = &f->members[f->count++];
    char dir[sizeof m->dir];
    *m = (struct member){.index = i};
    snprintf(m->name, sizeof m->name, "g%zu", i);
    snprintf(dir, sizeof dir, "%.60s/g%zu", f->dir, i);
    memcpy(m->dir, dir, sizeof dir);
    FAULT_CHECK(getrandom(m->key, sizeof m->key, 0) == sizeof m->key, "no randomness");
    fleet_reopen(m);
    FAULT_CHECK(hanse_identity_create(m->h, name) == HANSE_OK, "no identity");
    return m;
}

/* They come in, and are never seen again. */
static void crowd(size_t from, size_t count)
{
    const size_t before = f->count;
    uint64_t ops[AT_ONCE];
    for (size_t i = 0; i < count; i++) {
        enum hanse_err err = hanse_join(guest(from + i)->h, f->link, &ops[i]);
        FAULT_CHECK(err == HANSE_OK, "joining: %s", hanse_err_name(err));
    }
    fleet_settle(f, SETTLE_MS);
    for (size_t i = 0; i < count; i++) {
        hanse_close(f->members[before + i].h);
        sweep_shell("rm -r %s", f->members[before + i].dir);
        f->members[before + i] = (struct member){0};
    }
    f->count = before;
}

static struct member *found_late_joiner(struct fleet *fleet)
{
    f = fleet;
    founder = &f->members[0];
    for (size_t in = 1; in < MEMBERS - 1;) {
        size_t count = MEMBERS - 1 - in < AT_ONCE ? MEMBERS - 1 - in : AT_ONCE;
        crowd(in, count);
        in += count;
    }
    struct member *hero = &f->members[f->count++];
    char dir[sizeof hero->dir];
    snprintf(dir, sizeof dir, "%.60s/joiner", f->dir);
    memcpy(hero->dir, dir, sizeof dir);
    return hero;
}

static enum hanse_err want_in(struct hanse *h, uint64_t *op)
{
    return hanse_join(h, f->link, op);
}

static struct hanse_room room_of(struct hanse *h)
{
    struct hanse_room room = {0};
    if (hanse_room_get(h, &f->room, &room) != HANSE_OK)
        room.state = 0;
    return room;
}

static bool is_in(struct hanse *h)
{
    return room_of(h).state == HANSE_ROOM_MEMBER;
}

/* It doesn't fit into the Welcome, nor into one piece. */
static void check_tree(struct hanse *h)
{
    struct hs_writer HS_WRITER tree = hs_writer(HS_TREE_MAX);
    struct hs_id id = hs_api_id(&f->room);
    struct hs_live_room *room;
    struct hs_step s;
    FAULT_CHECK(hs_api_look(h, &s) == HS_OK && hs_live_get(&s, &id, &room) == HS_OK &&
                    hs_mls_public_tree(hs_mls_group_public(room->group), &tree) == HS_OK,
                "no tree");
    FAULT_CHECK(tree.len > HS_TREE_INLINE && tree.len > HS_BLOB_CHUNK, "a tree of %zu bytes", tree.len);
    FAULT_CHECK(hs_api_looked(h, HS_OK) == HANSE_OK, "no look");
}

static void check_in(struct hanse *h)
{
    check_tree(h);
    FAULT_CHECK(real_rows(h, HS_TABLE_TREE) == 0 && real_rows(h, HS_TABLE_TREE_PIECE) == 0,
                "of a tree that has come something is kept twice");
    FAULT_CHECK(real_rows(h, HS_TABLE_JOIN) == 0, "a key package waits on");
    real_talk(founder, &f->room);
    FAULT_CHECK(room_of(h).members == MEMBERS && room_of(founder->h).members == MEMBERS,
                "%u members for it, %u for others", room_of(h).members, room_of(founder->h).members);
}

static const struct real_story welcome = {
    .nodes = 1, .found = found_late_joiner, .want = want_in, .is_done = is_in, .check = check_in};
REAL_SCENE(welcome, welcome);
