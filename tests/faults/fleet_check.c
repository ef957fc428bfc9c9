/* What must hold of a fleet. */
#include "fault.h"
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fleet_is_quiet(struct fleet *f)
{
    struct hanse_room first = {0}, room;
    bool any = false;
    for (size_t i = 0; i < f->count; i++) {
        struct member *m = &f->members[i];
        if (m->out || m->h == NULL)
            continue;
        if (!m->in || hanse_has_pending(m->h) || hanse_room_get(m->h, &f->room, &room) != HANSE_OK)
            return false;
        if (!any)
            first = room;
        any = true;
        if (room.next_seq != first.next_seq || room.epoch != first.epoch)
            return false;
    }
    return true;
}

void fleet_settle(struct fleet *f, int ms)
{
    int64_t end = fault_now_ms() + ms;
    while (!fleet_is_quiet(f)) {
        if (fault_now_ms() > end) {
            struct hanse_room room = {0};
            for (size_t i = 0; i < f->count; i++) {
                struct member *m = &f->members[i];
                enum hanse_err err = hanse_room_get(m->h, &f->room, &room);
                fprintf(stderr, "%s at node %zu: %s in=%d out=%d pending=%d next=%llu epoch=%llu socket=%d\n",
                        m->name, m->acks.node, hanse_err_name(err), m->in, m->out, hanse_has_pending(m->h),
                        (unsigned long long)room.next_seq, (unsigned long long)room.epoch, hanse_fd(m->h));
            }
            fault_found("it isn't quiet after %d ms", ms);
        }
        fleet_turn(f, 50);
    }
}

/* Everybody sees the same text there. */
static void same_text(struct fleet *f, const struct member *m, const struct hanse_message *message)
{
    if (message->seq >= f->text_count) {
        uint64_t count = 2 * message->seq + 64;
        f->texts = realloc(f->texts, count * sizeof *f->texts);
        FAULT_CHECK(f->texts != NULL, "no memory");
        memset(f->texts + f->text_count, 0, (count - f->text_count) * sizeof *f->texts);
        f->text_count = count;
    }
    char *text = f->texts[message->seq];
    if (text[0] == '\0')
        snprintf(text, FLEET_TEXT, "%s", message->text);
    FAULT_CHECK(strcmp(text, message->text) == 0, "%s reads \"%s\" at %llu, others \"%s\"", m->name,
                message->text, (unsigned long long)message->seq, text);
}

/* Who posted under the epoch before a newcomer's can't be read by the newcomer: only that may be refused, and
 * nothing behind a post that could be read. */
static void check_refused(struct fleet *f, const struct member *m, const struct hanse_message *message)
{
    bool early = false;
    for (size_t i = 0; i < f->count; i++)
        early =
            early || (m->heard[i] == 0 && memcmp(f->members[i].persona.b, message->sender.key.b, 32) == 0);
    FAULT_CHECK(early && m->index > 0 && message->err == HANSE_ERR_MLS_EPOCH, "%s doesn't believe %llu: %s",
                m->name, (unsigned long long)message->seq, hanse_err_name(message->err));
}

/* What stands around a place that is wrong. */
static void show_history(struct fleet *f, const struct member *m, uint64_t seq)
{
    struct hanse_message message;
    for (uint64_t at = seq > 20 ? seq - 20 : 0;
         at < seq + 20 && hanse_message_next(m->h, &f->room, at, &message) == HANSE_OK; at = message.seq + 1)
        fprintf(stderr, "%6llu kind=%d %s\n", (unsigned long long)message.seq, (int)message.kind,
                message.text);
}

static void take_message(struct fleet *f, struct member *m, const struct hanse_message *message)
{
    size_t who;
    unsigned number;
    if (message->kind == HANSE_MESSAGE_REFUSED)
        check_refused(f, m, message);
    if (message->kind != HANSE_MESSAGE_TEXT)
        return;
    FAULT_CHECK(sscanf(message->text, "p %zu %u", &who, &number) == 2 && who < FLEET_MEMBERS,
                "%s reads \"%s\" at %llu", m->name, message->text, (unsigned long long)message->seq);
    if (m->heard[who] != 0 && m->heard[who] != number) {
        show_history(f, m, message->seq);
        fault_found("%s reads post %u of m%zu at %llu, and expected %u", m->name, number, who,
                    (unsigned long long)message->seq, m->heard[who]);
    }
    m->heard[who] = number + 1;
    same_text(f, m, message);
}

static void check_history(struct fleet *f, struct member *m)
{
    struct hanse_message message;
    while (hanse_message_next(m->h, &f->room, m->checked, &message) == HANSE_OK) {
        m->checked = message.seq + 1;
        take_message(f, m, &message);
    }
    for (size_t i = 0; i < f->count; i++) {
        const struct member *other = &f->members[i];
        bool begun_before = m->index <= i; /* whoever came later may have missed the last post of all */
        FAULT_CHECK(other->out || other->posts == 0 || (m->heard[i] == 0 && !begun_before) ||
                        m->heard[i] == other->posts + 1,
                    "%s has %u of %u posts of %s", m->name, m->heard[i], other->posts, other->name);
    }
}

/* No unit twice, none past the limit, and none that was got is gone. */
static void check_units(struct fleet *f)
{
    bool *taken = calloc((size_t)f->limit + 1, sizeof *taken);
    unsigned total = 0;
    FAULT_CHECK(taken != NULL, "no memory");
    for (size_t i = 0; i < f->count; i++) {
        struct member *m = &f->members[i];
        struct hanse_coupon coupon;
        struct hanse_id after;
        unsigned units = 0;
        for (bool more = hanse_coupon_next(m->h, NULL, &coupon) == HANSE_OK; more;
             more = hanse_coupon_next(m->h, &after, &coupon) == HANSE_OK) {
            after = coupon.id;
            FAULT_CHECK(coupon.unit_no >= 1 && coupon.unit_no <= f->limit && !taken[coupon.unit_no],
                        "%s has unit %u", m->name, coupon.unit_no);
            taken[coupon.unit_no] = true;
            units++;
        }
        FAULT_CHECK(units >= m->units && units <= 1, "%s had %u units and has %u", m->name, m->units, units);
        m->units = units;
        total += units;
    }
    free(taken);
    FAULT_CHECK(total <= f->limit, "%u units of %u", total, f->limit);
}

void fleet_check(struct fleet *f)
{
    struct hanse_room room;
    for (size_t i = 0; i < f->count; i++)
        if (hanse_room_get(f->members[i].h, &f->room, &room) == HANSE_OK)
            f->members[i].persona = room.self;
    for (size_t i = 0; i < f->count; i++)
        if (!f->members[i].out)
            check_history(f, &f->members[i]);
    check_units(f);
}

/* ---- dead stores ---- */

static void check_hub(struct fleet *f, const struct look *hub)
{
    bool all = true;
    for (size_t i = f->acks_freed; i < acks_count; i++) {
        struct ack *ack = &acks[i];
        bool must = ack->node == 0 || !ack->queued || ack->owed;
        bool has = look_has(hub, &ack->body);
        FAULT_CHECK(has || ack->refused || !must,
                    "acknowledgement %zu of node %zu (%s) isn't in the hub's log", i, ack->node,
                    ack->queued ? "Queued" : "Accepted");
        all = all && (has || ack->refused);
        if (all)
            f->acks_freed = i + 1;
    }
}

static void check_follower(struct fleet *f, size_t node, const struct look *look)
{
    for (size_t i = f->acks_freed; i < acks_count; i++) {
        struct ack *ack = &acks[i];
        if (ack->node != node || !ack->queued || ack->refused || ack->owed)
            continue;
        if (look_refused(look, &ack->body))
            ack->refused = true;
        else if (!look_queued(look, &ack->body))
            ack->owed = true; /* the hub said that it has it */
    }
}

void fleet_look(struct fleet *f, unsigned dead)
{
    struct look looks[FLEET_NODES] = {0};
    struct hs_id room;
    memcpy(room.b, f->room.b, sizeof room.b);
    for (size_t i = 0; i < f->node_count; i++)
        if ((dead & 1u << i) != 0)
            look_at(f->nodes[i].store, &room, &f->hub_key, &looks[i]);
    for (size_t i = 1; i < f->node_count; i++)
        if ((dead & 1u << i) != 0)
            check_follower(f, i, &looks[i]);
    if ((dead & 1) != 0)
        check_hub(f, &looks[0]);
    for (size_t i = 1; i < f->node_count; i++)
        if ((dead & 1) != 0 && (dead & 1u << i) != 0) {
            FAULT_CHECK(looks[i].next <= looks[0].next, "node %zu has %llu records, its hub %llu", i,
                        (unsigned long long)looks[i].next, (unsigned long long)looks[0].next);
            (void)look_same(&looks[0], &looks[i]);
        }
    for (size_t i = 0; i < f->node_count; i++)
        look_free(&looks[i]);
}

void fleet_check_store(struct fleet *f, size_t node, const char *store)
{
    char beside[128];
    snprintf(beside, sizeof beside, "%s/beside", f->dir);
    look_check(store != NULL ? store : f->nodes[node].store, &f->roots[node], beside);
}
