#include "fleet.h"

#include "fault.h"
#include "weather.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { START_MS = 60000, PORT = 7700, INVITE_USES = 1000 };

/* ---- events ---- */

static void take_event(struct fleet *f, struct member *m, const struct hanse_event *event)
{
    bool ours = memcmp(event->room.b, f->room.b, sizeof f->room.b) == 0;
    switch (event->kind) {
    case HANSE_EVENT_DONE:
        m->op = event->op;
        m->done = *event;
        snprintf(m->text, sizeof m->text, "%s", event->text);
        break;
    case HANSE_EVENT_JOINED:
        m->in = m->in || ours;
        break;
    case HANSE_EVENT_REMOVED:
        m->out = true;
        break;
    case HANSE_EVENT_CAUGHT_UP:
    case HANSE_EVENT_OFFLINE:
        m->caught_up = event->kind == HANSE_EVENT_CAUGHT_UP;
        break;
    case HANSE_EVENT_FROZEN:
        fault_found("%s is frozen at %llu: %s", m->name, (unsigned long long)event->seq,
                    hanse_err_name(event->err));
    case HANSE_EVENT_POST_FAILED:
        FAULT_CHECK(m->out || event->err == HANSE_ERR_NOT_MEMBER, "a post of %s was refused: %s", m->name,
                    hanse_err_name(event->err));
        break;
    default:
        break;
    }
}

static void step(struct fleet *f, struct member *m)
{
    struct hanse_event event;
    uint64_t before = m->acks.frames;
    acks_current = &m->acks;
    enum hanse_err err = hanse_step(m->h);
    FAULT_CHECK(err == HANSE_OK, "the client of %s: %s", m->name, hanse_err_name(err));
    f->frames += m->acks.frames - before;
    for (hanse_next_event(m->h, &event); event.kind != HANSE_EVENT_NONE; hanse_next_event(m->h, &event))
        take_event(f, m, &event);
    acks_current = NULL;
}

void fleet_turn(struct fleet *f, int ms)
{
    struct pollfd fds[FLEET_MEMBERS + 1];
    for (size_t i = 0; i < f->count; i++) {
        struct member *m = &f->members[i];
        fds[i] = (struct pollfd){.fd = -1};
        if (m->h == NULL)
            continue;
        unsigned wanted = hanse_poll_events(m->h);
        int timeout = hanse_timeout_ms(m->h);
        fds[i] = (struct pollfd){.fd = hanse_fd(m->h),
                                 .events = (short)(((wanted & HANSE_POLL_IN) != 0 ? POLLIN : 0) |
                                                   ((wanted & HANSE_POLL_OUT) != 0 ? POLLOUT : 0))};
        if (timeout >= 0 && timeout < ms)
            ms = timeout;
    }
    fds[f->count] = (struct pollfd){.fd = f->also > 0 ? f->also : -1, .events = f->also_for};
    poll(fds, f->count + 1, ms);
    for (size_t i = 0; i < f->count; i++) {
        struct member *m = &f->members[i];
        if (m->h != NULL && (fds[i].revents != 0 || hanse_timeout_ms(m->h) == 0))
            step(f, m);
    }
}

/* ---- people ---- */

void fleet_reopen(struct member *m)
{
    acks_current = NULL;
    hanse_close(m->h);
    memset(m->acks.asked, 0, sizeof m->acks.asked);
    m->caught_up = false;
    enum hanse_err err = hanse_open(m->dir, m->key, 0, &m->h);
    FAULT_CHECK(err == HANSE_OK, "the store of %s: %s", m->name, hanse_err_name(err));
    hanse_stay_online(m->h, true);
}

static struct member *member_new(struct fleet *f, size_t node)
{
    FAULT_CHECK(f->count < FLEET_MEMBERS, "too many people");
    struct member *m = &f->members[f->count];
    m->index = f->count++;
    m->acks.node = node;
    snprintf(m->name, sizeof m->name, "m%zu", m->index);
    char dir[sizeof m->dir];
    snprintf(dir, sizeof dir, "%s/m%zu", f->dir, m->index);
    memcpy(m->dir, dir, sizeof dir);
    FAULT_CHECK(getrandom(m->key, sizeof m->key, 0) == sizeof m->key, "no randomness");
    fleet_reopen(m);
    FAULT_CHECK(hanse_identity_create(m->h, m->name) == HANSE_OK, "no identity");
    return m;
}

void fleet_await(struct fleet *f, struct member *m, enum hanse_err err, const uint64_t *op, const char *what)
{
    int64_t end = fault_now_ms() + START_MS;
    FAULT_CHECK(err == HANSE_OK, "%s: %s", what, hanse_err_name(err));
    while (m->op != *op) {
        FAULT_CHECK(fault_now_ms() < end, "%s takes too long", what);
        fleet_turn(f, 100);
    }
    FAULT_CHECK(m->done.err == HANSE_OK, "%s: %s", what, hanse_err_name(m->done.err));
}

static void sign_up(struct fleet *f, struct member *m, const char *const *options)
{
    char ticket[8192];
    uint64_t op;
    daemon_ticket(&f->nodes[m->acks.node], ticket, sizeof ticket, options);
    fleet_await(f, m, hanse_sign_up(m->h, ticket, &op), &op, "signing up");
}

struct member *fleet_hire(struct fleet *f, size_t node, const char *const *options)
{
    struct member *m = member_new(f, node);
    sign_up(f, m, options);
    m->out = true;
    return m;
}

struct member *fleet_join(struct fleet *f, size_t node)
{
    static const char *const customers[] = {"--uses", "1", NULL};
    struct member *m = member_new(f, node);
    uint64_t op;
    if (node != 0)
        sign_up(f, m, customers);
    enum hanse_err err = hanse_join(m->h, f->link, &op);
    FAULT_CHECK(err == HANSE_OK, "joining: %s", hanse_err_name(err));
    fleet_await(f, m, err, &op, "joining");
    return m;
}

static void founding(struct fleet *f)
{
    static const char *const merchant[] = {"--role", "merchant", "--role", "staff", "--handle", "mo", NULL};
    struct member *m = member_new(f, 0);
    struct hanse_campaign_spec spec = {.percent_bp = 1000, .limit_total = f->limit};
    uint64_t op;
    sign_up(f, m, merchant);
    fleet_await(f, m, hanse_room_create(m->h, "harbour", &op), &op, "creating the room");
    f->room = m->done.id;
    m->in = true;
    fleet_await(f, m, hanse_invite(m->h, &f->room, INVITE_USES, 4102444800000, &op), &op, "inviting");
    snprintf(f->link, sizeof f->link, "%s", m->text);
    fleet_await(f, m, hanse_coupon_issue(m->h, &f->room, &spec, &op), &op, "issuing coupons");
    f->campaign = m->done.id;
}

void fleet_make(struct fleet *f, size_t nodes, const struct weather_link *links)
{
    char address[64], domain[32];
    memset(f, 0, sizeof *f);
    fault_folder(f->dir, sizeof f->dir);
    fault_host(f->host, sizeof f->host);
    f->node_count = nodes;
    for (size_t i = 0; i < nodes; i++) {
        snprintf(address, sizeof address, "%s:%u", f->host, PORT + (unsigned)i);
        snprintf(domain, sizeof domain, "n%zu.example", i);
        daemon_make(&f->nodes[i], f->dir, domain, links != NULL ? links[i].target : address,
                    links != NULL ? links[i].listen : NULL);
        f->nodes[i].index = i;
    }
}

void fleet_start(struct fleet *f, unsigned limit)
{
    char path[192];
    for (size_t i = 0; i < f->node_count; i++)
        daemon_start(&f->nodes[i]);
    f->limit = limit;
    for (size_t i = f->node_count; i-- > 0;) {
        snprintf(path, sizeof path, "%s/descriptor", f->nodes[i].dir);
        f->hub_key = look_signing_key(path, &f->roots[i]);
    }
    founding(f);
}

void fleet_free(struct fleet *f)
{
    for (size_t i = 0; i < f->count; i++)
        hanse_close(f->members[i].h);
    for (size_t i = 0; i < f->node_count; i++)
        if (f->nodes[i].pid != 0)
            daemon_stop(&f->nodes[i]);
    free(f->texts);
    fault_folder_remove(f->dir);
}

/* ---- what they do ---- */

void fleet_post(struct fleet *f, struct member *m)
{
    char text[FLEET_TEXT];
    uint64_t op;
    if (!m->in || m->out)
        return;
    snprintf(text, sizeof text, "p %zu %u", m->index, m->posts + 1);
    enum hanse_err err = hanse_post(m->h, &f->room, text, &op);
    FAULT_CHECK(err == HANSE_OK, "%s can't post: %s", m->name, hanse_err_name(err));
    m->posts++;
}

void fleet_claim(struct fleet *f, struct member *m)
{
    struct hanse_campaign campaign;
    uint64_t op;
    if (!m->in || m->out || hanse_campaign_get(m->h, &f->campaign, &campaign) != HANSE_OK)
        return;
    enum hanse_err err = hanse_coupon_claim(m->h, &f->campaign, &op);
    FAULT_CHECK(err == HANSE_OK, "%s can't claim: %s", m->name, hanse_err_name(err));
    m->claims++;
}

void fleet_remove(struct fleet *f, struct member *whom)
{
    struct hanse_room room;
    uint64_t op;
    if (!whom->in || whom->out || hanse_room_get(whom->h, &f->room, &room) != HANSE_OK)
        return;
    enum hanse_err err = hanse_remove(f->members[0].h, &f->room, &room.self, &op);
    FAULT_CHECK(err == HANSE_OK || err == HANSE_ERR_NOT_MEMBER, "%s can't be removed: %s", whom->name,
                hanse_err_name(err));
    whom->out = whom->out || err == HANSE_OK; /* what it posts from now on may be refused */
}
