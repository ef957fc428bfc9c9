#include "sweep_real.h"

#include "api/handle.h"

#include <poll.h>
#include <uv.h>

enum {
    ACT_MS = 10000,
    ACT_ON_MS = 700, /* where everything fails from some call on: since that one */
    CHECK_MS = 20000,
    QUIET_MS = 150, /* so long nothing has come that waited at the node */
    TURN_MS = 20,
    TURNS_MAX = 50, /* then somebody else has one */
    TRIES = 4
};

static const struct real_story *story;
static struct fleet *f;
static struct member *hero;
static struct device {
    struct hanse *h; /* NULL: closed */
    uv_loop_t loop;
    uv_timer_t
        keeps; /* what an application has on its loop, so that it runs although nobody wants anything */
    bool has_loop;
    bool dead;            /* its handle can only be closed */
    int64_t sleeps_until; /* its loop; an application calls it from there, and so before it sleeps */
    uint64_t op;
    bool told; /* op is done */
    enum hanse_err outcome;
    int64_t caught_up; /* since when; 0: it hasn't */
    int64_t failing;   /* since when everything fails, as far as it was looked; 0: it doesn't */
    bool over;         /* it was told that it is done, or it was seen: nobody needs to ask again, ever */
} d;

void real_found(const struct real_story *which)
{
    story = which;
    f = world_make(story->nodes);
    hero = story->found(f);
    world_rest();
    FAULT_CHECK(uv_loop_init(&d.loop) == 0 && uv_loop_close(&d.loop) == 0, "no loop"); /* once for all */
}

void real_begin(void)
{
    world_wake(hero);
    if (story->begin != NULL)
        story->begin();
}

/* Everybody comes back, not only the device. */
void real_again(void)
{
    world_wake_again(hero);
    if (story->begin != NULL)
        story->begin();
    d.over = sweep_noted_done();
}

void real_end(void)
{
    world_stop();
}

/* ---- the device ---- */

static void take_event(const struct hanse_event *event)
{
    switch (event->kind) {
    case HANSE_EVENT_DONE:
        if (event->op == d.op) {
            d.told = true;
            d.outcome = event->err;
            if (event->err == HANSE_OK)
                sweep_note_done();
        }
        break;
    case HANSE_EVENT_CAUGHT_UP:
        d.caught_up = fault_now_ms();
        break;
    case HANSE_EVENT_OFFLINE:
        d.caught_up = 0;
        break;
    case HANSE_EVENT_FROZEN:
    case HANSE_EVENT_POST_FAILED:
        fault_found("it was told event %d: %s", (int)event->kind, hanse_err_name(event->err));
    default:
        break;
    }
}

static void on_wake(struct hanse *h, enum hanse_err err, void *context)
{
    struct hanse_event event;
    (void)context;
    d.dead = d.dead || err != HANSE_OK;
    for (hanse_next_event(h, &event); event.kind != HANSE_EVENT_NONE; hanse_next_event(h, &event))
        take_event(&event);
}

static void on_nothing(uv_timer_t *timer)
{
    (void)timer;
}

/* The application's own part. */
static void make_loop(void)
{
    FAULT_CHECK(uv_loop_init(&d.loop) == 0 && uv_timer_init(&d.loop, &d.keeps) == 0 &&
                    uv_timer_start(&d.keeps, on_nothing, CHECK_MS, CHECK_MS) == 0,
                "no loop");
    d.has_loop = true;
}

static enum hanse_err start(void)
{
    enum hanse_err err = hanse_open(hero->dir, hero->key, 0, &d.h);
    if (err != HANSE_OK)
        return err;
    hanse_stay_online(d.h, true);
    return hanse_uv_start(d.h, &d.loop, on_wake, NULL);
}

static void stop(void)
{
    if (d.h != NULL)
        hanse_uv_stop(d.h);
    hanse_close(d.h);
    if (d.has_loop) {
        uv_close((uv_handle_t *)&d.keeps, NULL);
        uv_run(&d.loop, UV_RUN_DEFAULT);
        FAULT_CHECK(uv_loop_close(&d.loop) == 0, "something is left on its loop");
    }
    f->also = 0;
    d = (struct device){.over = d.over};
}

/* What isn't the device's own code is spared. */
static enum hanse_err open_it(void)
{
    make_loop();
    sweep_spare(false);
    enum hanse_err err = start();
    sweep_spare(true);
    return err;
}

static void close_it(void)
{
    sweep_spare(false);
    stop();
    sweep_thread_over();
    sweep_spare(true);
}

static enum hanse_err want(void)
{
    sweep_spare(false);
    d.told = false;
    enum hanse_err err = story->want(d.h, &d.op);
    sweep_spare(true);
    d.sleeps_until = 0;
    d.dead = d.dead || err == HANSE_ERR_NOMEM || err == HANSE_ERR_STORE || err == HANSE_ERR_STORE_FULL ||
             err == HANSE_ERR_SEAL;
    return err;
}

static bool loop_has_work(void)
{
    struct pollfd ready = {.fd = uv_backend_fd(&d.loop), .events = POLLIN};
    return uv_backend_timeout(&d.loop) == 0 || poll(&ready, 1, 0) > 0;
}

/* As uv_run() would, but where that would sleep, everybody else goes on; and nothing wakes the loop that it
 * doesn't wait for. Before it sleeps it begins to wait for what was done in the turn before: the last turns
 * have nothing else to do. */
static void turn(void)
{
    bool wakes = loop_has_work() || fault_now_ms() >= d.sleeps_until;
    for (int idle = 0, turns = 0; wakes && !d.dead && idle < 2 && turns < TURNS_MAX; turns++) {
        idle = loop_has_work() ? 0 : idle + 1;
        sweep_spare(false);
        uv_run(&d.loop, UV_RUN_NOWAIT);
        sweep_spare(true);
    }
    if (wakes)
        d.sleeps_until = fault_now_ms() + uv_backend_timeout(&d.loop);
    int64_t left = d.sleeps_until - fault_now_ms();
    f->also = uv_backend_fd(&d.loop);
    f->also_for = POLLIN;
    fleet_turn(f, left < 0 ? 0 : left < TURN_MS ? (int)left : TURN_MS);
}

bool real_until(bool (*is_so)(struct hanse *h), int ms)
{
    for (int64_t end = fault_now_ms() + ms; !d.dead && fault_now_ms() < end;) {
        if (is_so(d.h))
            return true;
        turn();
    }
    return false;
}

/* ---- the act ---- */

static bool is_answered(struct hanse *h)
{
    if (story->want == NULL)
        return story->is_done(h);
    return d.told && (d.outcome != HANSE_OK || story->is_done(h));
}

/* Nothing comes by itself any more: no node knows it yet that could bring it, or it has brought all. */
static bool is_idle(struct hanse *h)
{
    struct hanse_identity me;
    if (story->is_done(h))
        return true;
    if (story->want == NULL || (story->is_under_way != NULL && story->is_under_way(h)))
        return false;
    bool nobody = hanse_identity(h, &me) == HANSE_OK && !me.has_account;
    return !hanse_has_pending(h) &&
           (nobody || (d.caught_up != 0 && fault_now_ms() >= d.caught_up + QUIET_MS));
}

/* The story comes to its end: by itself where it was told so, else by asking again. */
static void go_on(void)
{
    for (int tries = 0;; tries++) {
        bool idle = real_until(is_idle, CHECK_MS);
        FAULT_CHECK(!d.dead, "it ends without any fault");
        if (story->is_done(d.h))
            break;
        FAULT_CHECK(idle, "it waits without end: pending %d, caught up %d", hanse_has_pending(d.h),
                    d.caught_up != 0);
        FAULT_CHECK(!d.over || real_until(story->is_done, CHECK_MS),
                    "it was told that it is done, and it isn't");
        if (d.over)
            break;
        FAULT_CHECK(tries < TRIES && story->want != NULL, "it comes to no end afterwards: %s",
                    hanse_err_name(d.outcome));
        d.outcome = want();
        if (d.outcome == HANSE_OK && real_until(is_answered, CHECK_MS))
            d.over = d.outcome == HANSE_OK;
    }
    d.over = true;
}

/* It is answered, or everything has failed for long enough. */
static bool is_over(struct hanse *h)
{
    if (is_answered(h))
        return true;
    if (!sweep_goes_on() || !sweep_has_failed())
        return false;
    d.failing = d.failing != 0 ? d.failing : fault_now_ms();
    return fault_now_ms() >= d.failing + ACT_ON_MS;
}

static enum hanse_err try_it(void)
{
    enum hanse_err err = open_it();
    if (err == HANSE_OK && story->want != NULL)
        err = want();
    if (err != HANSE_OK)
        return err;
    bool answered = real_until(is_over, ACT_MS) && is_answered(d.h);
    d.over = d.told && d.outcome == HANSE_OK;
    if (d.dead)
        return HANSE_ERR_STORE;
    FAULT_CHECK(answered || d.told || story->want == NULL || hanse_has_pending(d.h),
                "it waits for something, and nobody is told");
    return answered ? d.outcome : HANSE_ERR_TIMEOUT;
}

enum hs_err real_act(void)
{
    sweep_spare(true);
    enum hanse_err told = try_it();
    bool goes_on = d.h != NULL && d.h->uv != NULL && !d.dead && !sweep_goes_on();
    if (goes_on) {
        sweep_calm();
        go_on();
    }
    close_it();
    sweep_spare(false);
    return (enum hs_err)told;
}

/* ---- afterwards ---- */

void real_check(enum hs_err told)
{
    (void)told;
    sweep_spare(true);
    real_check_store(hero);
    enum hanse_err err = open_it();
    FAULT_CHECK(err == HANSE_OK, "it doesn't open afterwards: %s", hanse_err_name(err));
    go_on();
    story->check(d.h);
    close_it();
    sweep_spare(false);
}

/* ---- it is heard ---- */

static struct member *talks_to;
static const struct hanse_id *talks_in;

static bool hears(struct hanse *h)
{
    return real_lines(h, talks_in, HANSE_MESSAGE_TEXT, "it says") == 1 &&
           real_lines(h, talks_in, HANSE_MESSAGE_TEXT, "another says") == 1;
}

static bool hear_each_other(struct hanse *h)
{
    return hears(h) && hears(talks_to->h);
}

void real_talk(struct member *other, const struct hanse_id *room)
{
    uint64_t op;
    talks_to = other;
    talks_in = room;
    enum hanse_err err = hanse_post(d.h, room, "it says", &op);
    FAULT_CHECK(err == HANSE_OK, "it can't post: %s", hanse_err_name(err));
    d.sleeps_until = 0;
    err = hanse_post(other->h, room, "another says", &op);
    FAULT_CHECK(err == HANSE_OK, "%s can't post: %s", other->name, hanse_err_name(err));
    FAULT_CHECK(real_until(hear_each_other, CHECK_MS), "they don't hear each other");
    FAULT_CHECK(real_lines(d.h, room, HANSE_MESSAGE_REFUSED, NULL) == 0 &&
                    real_lines(other->h, room, HANSE_MESSAGE_REFUSED, NULL) == 0,
                "something was refused");
}
