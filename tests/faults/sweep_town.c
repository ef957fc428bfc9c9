#include "sweep_town.h"

#include "sweep_node.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTLE_MS = 1000, ACT_MS = 6000, CHECK_MS = 20000, TRIES = 4, TALK_MS = 2000 };

static const struct town_story *story;
static struct town_device *hero;
static bool up[TOWN_DEVICES]; /* when the town was found */
static pid_t maker;
static enum hs_err told;
static bool over; /* it was told that it is done, or it was seen: nobody needs to ask again, ever */

static void remove_town(void)
{
    if (getpid() == maker && hero != NULL)
        town_free(hero->town);
    hero = NULL;
}

/* Nobody has a store open: attempts are children of this process, and a store belongs to one. */
void town_story_found(const struct town_story *which)
{
    struct town_device *d;
    if (maker == 0)
        atexit(remove_town);
    maker = getpid();
    remove_town();
    story = which;
    hero = story->found();
    hero->frail = true;
    for (size_t i = 0; (d = town_device_at(hero->town, i)) != NULL; i++) {
        up[i] = !d->dead;
        town_device_kill(d);
    }
    town_run(hero->town);
}

/* ---- an attempt's own town ---- */

static void copy_file(const char *from, const char *to)
{
    static uint8_t bytes[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    FAULT_CHECK(in >= 0 && out >= 0, "%s can't be copied", from);
    for (ssize_t got; (got = read(in, bytes, sizeof bytes)) > 0;)
        FAULT_CHECK(write(out, bytes, (size_t)got) == got, "no space for %s", to);
    close(in);
    close(out);
}

static void own_store(struct town_device *d, size_t i)
{
    char from[sizeof d->dir + 16], to[sizeof d->dir + 16];
    snprintf(from, sizeof from, "%s/data.mdb", d->dir);
    snprintf(d->dir, sizeof d->dir, "%.40s/d%zu", sweep_dir(), i);
    snprintf(to, sizeof to, "%s/data.mdb", d->dir);
    FAULT_CHECK(mkdir(d->dir, 0700) == 0, "no %s", d->dir);
    if (access(from, F_OK) == 0)
        copy_file(from, to);
}

static void own_files(struct town_node *node, size_t i)
{
    char dir[sizeof node->blob_dir];
    snprintf(dir, sizeof dir, "%.40s/n%zu", sweep_dir(), i);
    if (node->blobs != NULL)
        sweep_shell("cp -rp %s %s", node->blob_dir, dir);
    hs_blob_files_close(node->blobs);
    memcpy(node->blob_dir, dir, sizeof dir);
    FAULT_CHECK(hs_blob_files_open(node->blob_dir, 0, &node->blobs) == HS_OK, "no %s", dir);
}

static void be_there(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

/* What isn't the hero's own code is spared. */
static void on_step(struct town_device *d, bool begins)
{
    (void)d;
    sweep_spare(!begins);
}

void town_story_begin(void)
{
    struct town *t = hero->town;
    struct town_device *d;
    struct town_node *node;
    for (size_t i = 0; (node = town_node_at(t, i)) != NULL; i++)
        own_files(node, i);
    for (size_t i = 0; (d = town_device_at(t, i)) != NULL; i++)
        if (up[i] || d == hero)
            own_store(d, i);
    for (size_t i = 0; (d = town_device_at(t, i)) != NULL; i++)
        if (up[i] && d != hero)
            be_there(d);
    town_wait(t, SETTLE_MS);
    if (story->begin != NULL)
        story->begin();
    hero->event_count = 0;
}

/* ---- the act ---- */

static enum hs_err open_store(void)
{
    on_step(hero, true);
    enum hs_err err = hs_sync_new(&hero->sync);
    if (err == HS_OK) {
        err = hs_db_open(hero->dir, hero->key, &hero->db);
        if (err != HS_OK)
            hs_sync_free(hero->sync);
    }
    on_step(hero, false);
    if (err != HS_OK)
        return err;
    hero->dead = false;
    hs_sync_stay_online(hero->sync, true);
    return HS_OK;
}

/* It hasn't come to anything that must not be. */
static void nothing_bad(void)
{
    for (size_t i = 0; i < hero->event_count; i++) {
        const struct hanse_event *event = &hero->events[i];
        FAULT_CHECK(event->kind != HANSE_EVENT_FROZEN && event->kind != HANSE_EVENT_POST_FAILED,
                    "it was told event %d: %s", (int)event->kind, hs_err_name((enum hs_err)event->err));
    }
}

static void ask_again(void)
{
    enum hs_err err;
    uint64_t op = 0;
    TOWN_TRY(hero, err, story->want(&s, &op));
    town_wait(hero->town, CHECK_MS);
    FAULT_CHECK(!hero->dead, "it ends without any fault: %s", hs_err_name(err));
    const struct hanse_event *done = err == HS_OK ? town_done(hero, op) : NULL;
    over = done != NULL && done->err == HANSE_OK;
}

/* The story comes to its end: by itself where it was told so, else by asking again. */
static void go_on(void)
{
    if (!story->is_done())
        town_wait(hero->town, CHECK_MS);
    for (int tries = 0; !story->is_done(); tries++) {
        FAULT_CHECK(!over, "it was told that it is done, and it isn't");
        FAULT_CHECK(tries < TRIES && story->want != NULL, "it comes to no end afterwards: %s",
                    hs_err_name(told));
        ask_again();
    }
    FAULT_CHECK(!hero->dead, "it ends without any fault");
    over = true;
    nothing_bad();
}

static enum hs_err try_it(void)
{
    enum hs_err err = open_store();
    uint64_t op = 0;
    if (err == HS_OK && story->want != NULL)
        TOWN_TRY(hero, err, story->want(&s, &op));
    if (err != HS_OK || hero->dead)
        return err != HS_OK ? err : HS_ERR_STORE;
    town_wait(hero->town, ACT_MS);
    if (hero->dead)
        return HS_ERR_STORE;
    if (story->want == NULL)
        return story->is_done() ? HS_OK : HS_ERR_TIMEOUT;
    const struct hanse_event *done = town_done(hero, op);
    FAULT_CHECK(done != NULL || hs_sync_has_pending(hero->sync),
                "it waits for something, and nobody is told");
    return done != NULL ? (enum hs_err)done->err : HS_ERR_TIMEOUT;
}

enum hs_err town_story_act(void)
{
    sweep_spare(true);
    hero->on_step = on_step;
    told = try_it();
    over = told == HS_OK;
    sweep_calm();
    if (!hero->dead)
        go_on();
    town_device_kill(hero);
    hero->on_step = NULL;
    sweep_spare(false);
    return told;
}

void town_story_check(enum hs_err result)
{
    (void)result;
    be_there(hero);
    town_wait(hero->town, SETTLE_MS);
    go_on();
    story->check();
    nothing_bad();
}

void town_story_end(void)
{
    struct town_device *d;
    for (size_t i = 0; (d = town_device_at(hero->town, i)) != NULL; i++)
        town_device_kill(d);
}

/* ---- what is looked at ---- */

struct hs_room_row town_room_row(struct town_device *d, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_room_row row = {0};
    (void)hs_room_get(town_look(d), room, &arena, &row);
    town_looked(d);
    row.descriptor = (struct hs_bytes){0};
    return row;
}

size_t town_lines(struct town_device *d, const struct hs_id *room, enum hanse_message_kind kind)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    struct hs_kv *kv = town_look(d);
    struct hs_message_row row = {0};
    size_t count = 0;
    for (uint64_t from = 0; hs_message_next(kv, room, from, &arena, &row); from = row.seq + 1)
        count += row.kind == (uint32_t)kind ? 1 : 0;
    town_looked(d);
    return count;
}

static bool heard(struct town_device *d, const struct hs_id *room, const char *text)
{
    char line[64];
    snprintf(line, sizeof line, "%s\n", text);
    const char *first = strstr(town_history(d, room), line);
    return first != NULL && strstr(first + 1, line) == NULL;
}

void town_talk(struct town_device *a, struct town_device *b, const struct hs_id *room)
{
    uint64_t op;
    TOWN_WANT(a, hs_want_text(&s, room, "a says", &op));
    TOWN_WANT(b, hs_want_text(&s, room, "b says", &op));
    town_wait(a->town, TALK_MS);
    for (int i = 0; i < 2; i++) {
        struct town_device *d = i == 0 ? a : b;
        FAULT_CHECK(heard(d, room, "a says") && heard(d, room, "b says"), "they don't hear each other: %s",
                    town_history(d, room));
        FAULT_CHECK(town_lines(d, room, HANSE_MESSAGE_REFUSED) == 0, "something was refused");
    }
}
