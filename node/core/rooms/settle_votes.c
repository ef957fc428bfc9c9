#include "core/internal.h"
#include "core/rooms/settle.h"

#include <stdlib.h>

static void settling_free(struct hs_settling *settling)
{
    for (size_t i = 0; i < settling->count; i++)
        free(settling->votes[i].object);
    free(settling->votes);
    free(settling->presences);
    free(settling);
}

static struct hs_settling **place_of(struct hs_core *core, const struct hs_id *room)
{
    struct hs_settling **at = &core->settlings;
    while (*at != NULL && !hs_id_equal(&(*at)->room, room))
        at = &(*at)->next;
    return at;
}

void hs_settling_drop(struct hs_core *core, const struct hs_id *room)
{
    struct hs_settling **at = place_of(core, room), *gone = *at;
    if (gone == NULL)
        return;
    *at = gone->next;
    settling_free(gone);
}

void hs_settlings_free(struct hs_core *core)
{
    while (core->settlings != NULL) {
        struct hs_settling *first = core->settlings;
        core->settlings = first->next;
        settling_free(first);
    }
}

struct hs_settling *hs_settling_of(struct hs_core *core, const struct hs_id *room,
                                   const Hanse__State__UnsettledView *unsettled, struct hs_time now)
{
    struct hs_settling *found = *place_of(core, room);
    struct hs_bytes commit = hs_pb_bytes(unsettled->commit);
    if (found != NULL && found->seq == unsettled->seq && hs_bytes_equal(HS_VIEW(found->commit), commit))
        return found;
    hs_settling_drop(core, room);
    struct hs_settling *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL || !HS_FIXED(commit, &fresh->commit)) {
        free(fresh);
        return NULL;
    }
    fresh->room = *room;
    fresh->seq = unsettled->seq;
    fresh->deadline.ms = (now.ms > unsettled->time_ms ? now.ms : unsettled->time_ms) + HS_SETTLE_VOID_MS;
    fresh->next = core->settlings;
    core->settlings = fresh;
    return fresh;
}

/* Is this verdict one that a record may quote? All moderators', and so many of the others. */
static bool is_quoted(const struct hs_settling *settling, bool bad, bool alone)
{
    if (bad)
        return settling->bad_quotes < HS_SETTLE_BAD_QUOTED;
    return alone || settling->good_quotes < HS_SETTLE_VERDICTS_MAX;
}

enum hs_err hs_vote_add(struct hs_settling *settling, const struct hs_verdict *verdict, bool alone,
                        struct hs_bytes object)
{
    struct hs_vote vote = {.device = verdict->by.device, .bad = verdict->err != HS_OK, .alone = alone};
    for (size_t i = 0; i < settling->count; i++)
        if (hs_key_equal(&settling->votes[i].device, &vote.device))
            return HS_OK;
    if (settling->count == settling->size) {
        size_t size = settling->size > 0 ? 2 * settling->size : 8;
        struct hs_vote *grown = realloc(settling->votes, size * sizeof *grown);
        HS_REQUIRE(grown != NULL, HS_ERR_NOMEM);
        settling->votes = grown;
        settling->size = size;
    }
    if (is_quoted(settling, vote.bad, alone)) {
        vote.object = malloc(object.len);
        HS_REQUIRE(vote.object != NULL, HS_ERR_NOMEM);
        memcpy(vote.object, object.data, object.len);
        vote.len = object.len;
        *(vote.bad ? &settling->bad_quotes : &settling->good_quotes) += 1;
    }
    settling->votes[settling->count++] = vote;
    *(vote.bad ? &settling->bad : &settling->good) += 1;
    return HS_OK;
}

void hs_vote_drop(struct hs_settling *settling, size_t index)
{
    struct hs_vote *vote = &settling->votes[index];
    *(vote->bad ? &settling->bad : &settling->good) -= 1;
    if (vote->object != NULL)
        *(vote->bad ? &settling->bad_quotes : &settling->good_quotes) -= 1;
    free(vote->object);
    settling->count--;
    memmove(vote, vote + 1, (settling->count - index) * sizeof *vote);
}

enum hs_err hs_presence_set(struct hs_settling *settling, const struct hs_key *node, uint32_t connected)
{
    for (size_t i = 0; i < settling->presence_count; i++)
        if (hs_key_equal(&settling->presences[i].node, node)) {
            settling->presences[i].connected = connected;
            return HS_OK;
        }
    if (settling->presence_count == HS_PRESENCES_MAX)
        return HS_OK; /* counted as all of its members until the time is up */
    size_t size = (settling->presence_count + 1) * sizeof *settling->presences;
    struct hs_presence *grown = realloc(settling->presences, size);
    HS_REQUIRE(grown != NULL, HS_ERR_NOMEM);
    settling->presences = grown;
    settling->presences[settling->presence_count++] = (struct hs_presence){*node, connected};
    return HS_OK;
}

struct hs_time hs_settlings_deadline(const struct hs_core *core)
{
    struct hs_time first = {INT64_MAX};
    for (const struct hs_settling *s = core->settlings; s != NULL; s = s->next)
        if (s->deadline.ms < first.ms)
            first = s->deadline;
    return first;
}
