/* Blobs that a restored hub has lost, and that posts name which came back: its followers are asked for them,
 * one after another, when somebody here wants to read one. Who has it brings it piece by piece, as if it was
 * put, each for itself; its name proves what it is. What is under way is in memory alone: who asked asks
 * again. */
#include "core/blobs/blob.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

#include <stdlib.h>

enum {
    WANTS_MAX = 256,   /* at once */
    ASKED_MAX = 16,    /* followers that are asked for one: it takes no longer than that */
    ASK_MS = 5000,     /* nothing has come by then: the next one is asked */
    ALONE_MS = 60000,  /* and where it takes longer: what comes may be slow, or nothing of use */
    FORMER_MS = 30000, /* where the room has moved here, its former hub may have it */
    AGAIN_MS = 10000,  /* who has brought nothing may have had too much to do: so often one is asked again */
    REST_MS = 60000    /* nobody has it: so long that is said to whoever asks, before they are asked anew */
};

struct hs_want {
    struct hs_want *next;
    struct hs_id blob, room;
    struct hs_time since, at; /* when the next one is asked, or when it may be asked for anew */
    struct hs_time last;      /* when one was asked first who hadn't been: the newest of those */
    struct hs_time moved;     /* when more of it became durable, of whomever */
    struct hs_time again_at;  /* when one who has brought nothing is asked again */
    size_t asked, again;
    struct hs_key roots[ASKED_MAX]; /* of those who were */
    uint64_t have[ASKED_MAX];       /* the most that ever was durable of what each of them brings */
    bool missing;
};

static struct hs_want *want_find(const struct hs_core *core, const struct hs_id *hash)
{
    struct hs_want *want = core->wants;
    while (want != NULL && !hs_id_equal(&want->blob, hash))
        want = want->next;
    return want;
}

void hs_wants_free(struct hs_core *core)
{
    while (core->wants != NULL) {
        struct hs_want *next = core->wants->next;
        free(core->wants);
        core->wants = next;
    }
}

static void send(struct hs_turn *turn, struct hs_session *to, const struct hs_want *want)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__WantTail body = HANSE__WANT_TAIL__INIT;
    body.room = hs_pb_data(HS_VIEW(want->room));
    body.blob = hs_pb_data(HS_VIEW(want->blob));
    frame.want_tail = &body;
    frame.body_case = HANSE__FRAME__BODY_WANT_TAIL;
    hs_turn_send(turn, to, &frame);
}

/* Its place among those who were asked; their number where it wasn't. */
static size_t place_of(const struct hs_want *want, const struct hs_key *root)
{
    size_t i = 0;
    while (i < want->asked && !hs_key_equal(&want->roots[i], root))
        i++;
    return i;
}

/* The first follower that reads the room, in the order in which they are listed, and that has this place
 * among those who were asked. */
static struct hs_session *reader_at(struct hs_turn *turn, const struct hs_want *want, size_t place)
{
    const struct hs_readers *readers = hs_session_readers(&turn->core->sessions, &want->room);
    for (size_t i = 0; readers != NULL && i < readers->len; i++) {
        struct hs_session *to = readers->list[i].session;
        const struct hs_position *position = &to->positions[readers->list[i].position];
        if (to->state == HS_SESSION_NODE && !to->outbound && !to->closed && to->attached &&
            position->until == UINT64_MAX && place_of(want, &to->subscriber) == place)
            return to;
    }
    return NULL;
}

/* False where all were asked. */
static bool ask_next(struct hs_turn *turn, struct hs_want *want)
{
    struct hs_session *to = want->asked < ASKED_MAX ? reader_at(turn, want, want->asked) : NULL;
    if (to == NULL)
        return false;
    want->roots[want->asked++] = to->subscriber;
    want->last = turn->now;
    want->at.ms = turn->now.ms + ASK_MS;
    want->again_at.ms = turn->now.ms + AGAIN_MS;
    send(turn, to, want);
    return true;
}

/* One who was asked and has brought nothing, each in its turn: it may have had too much to do then. */
static void ask_again(struct hs_turn *turn, struct hs_want *want)
{
    want->again_at.ms = turn->now.ms + AGAIN_MS;
    for (size_t n = 0; n < want->asked; n++) {
        size_t i = want->again++ % want->asked;
        struct hs_session *to = want->have[i] == 0 ? reader_at(turn, want, i) : NULL;
        if (to == NULL)
            continue;
        send(turn, to, want);
        return;
    }
}

/* Until when those are waited for who bring it: not for longer than a minute, however much comes. */
static int64_t waits_until(const struct hs_want *want)
{
    int64_t until = want->moved.ms + ASK_MS, end = want->last.ms + ALONE_MS;
    return until < end ? until : end;
}

static void go_on(struct hs_turn *turn, struct hs_want *want, bool moved_here)
{
    if (ask_next(turn, want))
        return;
    if (turn->now.ms < waits_until(want)) {
        want->at.ms = waits_until(want);
        return;
    }
    if (moved_here && turn->now.ms < want->since.ms + FORMER_MS) {
        want->at.ms = want->since.ms + FORMER_MS;
        return;
    }
    want->missing = true;
    want->at.ms = turn->now.ms + REST_MS;
}

enum hs_err hs_blob_want(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         bool moved_here)
{
    struct hs_want *want = want_find(turn->core, hash);
    size_t count = 0;
    for (const struct hs_want *w = turn->core->wants; w != NULL; w = w->next)
        count++;
    if (want == NULL) {
        HS_REQUIRE(count < WANTS_MAX, HS_ERR_BUSY);
        want = calloc(1, sizeof *want);
        HS_REQUIRE(want != NULL, HS_ERR_NOMEM);
        *want = (struct hs_want){
            .next = turn->core->wants, .blob = *hash, .room = *room, .since = turn->now, .at = turn->now};
        turn->core->wants = want;
    }
    if (!want->missing && turn->now.ms >= want->at.ms)
        go_on(turn, want, moved_here);
    return want->missing ? HS_ERR_BLOB_UNKNOWN : HS_ERR_BUSY;
}

bool hs_blob_was_asked(const struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    const struct hs_want *want = want_find(turn->core, hash);
    return turn->session->state == HS_SESSION_NODE && want != NULL && hs_id_equal(&want->room, room) &&
           place_of(want, &turn->session->subscriber) < want->asked;
}

void hs_blob_want_moved(struct hs_turn *turn, const struct hs_id *hash, const struct hs_key *from,
                        uint64_t have)
{
    struct hs_want *want = want_find(turn->core, hash);
    size_t i = want != NULL ? place_of(want, from) : 0;
    if (want == NULL || i == want->asked || have <= want->have[i])
        return;
    want->have[i] = have;
    if (turn->now.ms >= want->last.ms + ALONE_MS)
        return;
    want->missing = false;
    want->moved = turn->now;
    want->at.ms = waits_until(want);
}

/* What is here, or isn't there and may be asked for anew, isn't wanted any more. */
void hs_wants_tick(struct hs_turn *turn)
{
    struct hs_want **at = &turn->core->wants;
    while (*at != NULL) {
        struct hs_want *want = *at;
        const Hanse__State__BlobView *view = hs_blob_view(turn, &want->blob);
        const Hanse__State__RoomView *room = hs_room_view(turn, &want->room);
        bool over = view == NULL || view->state != HS_BLOB_REMOTE || room == NULL || !room->hub ||
                    (want->missing && turn->now.ms >= want->at.ms);
        if (turn->kv->err == HS_OK && over) {
            *at = want->next;
            free(want);
            continue;
        }
        if (!over && !want->missing && turn->now.ms >= want->at.ms)
            go_on(turn, want, room->former_root.len > 0);
        if (!over && !want->missing && turn->now.ms >= want->again_at.ms)
            ask_again(turn, want);
        at = &want->next;
    }
}

/* At a follower: where it has the blob for that room, it brings it to its hub, which has had it before,
 * perhaps. */
enum hs_err hs_blob_wanted(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes hash)
{
    struct hs_id blob;
    enum hs_err err = HS_OK;
    HS_REQUIRE(HS_FIXED(hash, &blob), HS_ERR_MALFORMED);
    const Hanse__State__BlobView *view = hs_blob_view(turn, &blob);
    if (view != NULL && view->state == HS_BLOB_FILE && hs_blob_in_room(turn, &blob, room))
        err = hs_move_back(turn, &blob, room, view->size);
    return err == HS_ERR_NOMEM ? err : HS_OK; /* the hub asks somebody else, or again */
}
