/* hanse move-home, over a library that isn't there: when it has waited for long enough. */
#include "support/test.h"

#include "cli/cli.h"

enum { ROOMS = 3, EVENTS = 16 };

/* What the library would say, and how often it was asked whether that was all. */
static struct {
    struct hanse_room rooms[ROOMS];
    struct hanse_event events[EVENTS]; /* a room's id with NONE: it is served by now */
    size_t count, taken;
    json_t *said;
} stage;

static struct hanse_id room_id(uint8_t n)
{
    return (struct hanse_id){{n + 1u}};
}

static void stage_new(void)
{
    memset(&stage, 0, sizeof stage);
    for (uint8_t i = 0; i < ROOMS; i++)
        stage.rooms[i] = (struct hanse_room){.id = room_id(i), .waits = true};
}

static void happens(enum hanse_event_kind kind, uint8_t room)
{
    assert_true(stage.count < EVENTS);
    stage.events[stage.count++] = (struct hanse_event){.kind = kind, .op = 1, .room = room_id(room)};
}

static void is_served(const struct hanse_id *room)
{
    for (size_t i = 0; i < ROOMS; i++)
        if (memcmp(&stage.rooms[i].id, room, sizeof *room) == 0)
            stage.rooms[i].waits = false;
}

enum hanse_err cli_run(struct cli *c, int seconds, on_event *wanted, void *context)
{
    (void)c;
    (void)seconds;
    while (stage.taken < stage.count) {
        struct hanse_event event = stage.events[stage.taken++], none = {.kind = HANSE_EVENT_NONE};
        if (event.kind == HANSE_EVENT_NONE)
            is_served(&event.room);
        else if (wanted(context, &event))
            return HANSE_OK;
        if (wanted(context, &none))
            return HANSE_OK;
    }
    return HANSE_ERR_TIMEOUT;
}

enum hanse_err hanse_move_home(struct hanse *h, const char *ticket, uint64_t *op)
{
    (void)h;
    (void)ticket;
    *op = 1;
    return HANSE_OK;
}

enum hanse_err hanse_identity(struct hanse *h, struct hanse_identity *out)
{
    (void)h;
    *out = (struct hanse_identity){.has_account = true};
    return HANSE_OK;
}

enum hanse_err hanse_room_next(struct hanse *h, const struct hanse_id *after, struct hanse_room *out)
{
    (void)h;
    size_t next = after == NULL ? 0 : after->b[0];
    if (next >= ROOMS)
        return HANSE_ERR_NOT_FOUND;
    *out = stage.rooms[next];
    return HANSE_OK;
}

void json_line(json_t *value)
{
    json_decref(stage.said);
    stage.said = value;
}

json_t *json_id(const struct hanse_id *id)
{
    return json_integer(id->b[0]);
}

bool ticket_read(const char *from, char out[TICKET_MAX])
{
    (void)from;
    out[0] = '\0';
    return true;
}

int identity_show(const struct cli *c, const char *what)
{
    (void)c;
    (void)what;
    return EXIT_DONE;
}

int cli_open(struct cli *c)
{
    (void)c;
    return EXIT_DONE;
}

int cli_fail(const struct cli *c, const char *what, enum hanse_err err)
{
    (void)c;
    (void)what;
    return err == HANSE_OK ? EXIT_DONE : EXIT_FAILED;
}

int cli_fail_kept(const struct cli *c, const char *what, enum hanse_err err)
{
    return cli_fail(c, what, err);
}

int cli_usage(const struct command *command, const char *format, ...)
{
    (void)command;
    (void)format;
    return EXIT_USAGE;
}

const char *colour(enum colour which)
{
    (void)which;
    return "";
}

void cli_catch_signals(void) {}

enum hanse_err hanse_home_back(struct hanse *h)
{
    (void)h;
    return HANSE_OK;
}

const char *hanse_err_text(enum hanse_err err)
{
    (void)err;
    return "";
}

static int move_home(void)
{
    char *argv[] = {"move-home", "ticket", NULL};
    struct cli c = {.json = true, .timeout_s = 1};
    return cmd_move_home.run(&c, 2, argv);
}

static void over(void)
{
    json_decref(stage.said);
    stage.said = NULL;
}

/* All that are left were told to wait: nothing more comes of staying. */
static void every_room_that_is_left_waits(void **state)
{
    (void)state;
    stage_new();
    for (uint8_t i = 0; i < ROOMS; i++)
        happens(HANSE_EVENT_WAITING, i);
    happens(HANSE_EVENT_DONE, 0); /* would come with the hubs */
    assert_int_equal(move_home(), EXIT_WAITING);
    assert_int_equal(stage.taken, ROOMS);
    assert_int_equal(json_array_size(json_object_get(stage.said, "waits")), ROOMS);
    over();
}

/* One room that is told of more than once is one room. */
static void a_room_that_is_told_of_twice(void **state)
{
    (void)state;
    stage_new();
    for (uint8_t i = 0; i < ROOMS; i++)
        happens(HANSE_EVENT_WAITING, 0);
    for (uint8_t i = 0; i < ROOMS; i++)
        happens(HANSE_EVENT_NONE, i);
    happens(HANSE_EVENT_DONE, 0);
    memset(&stage.events[stage.count - 1].room, 0, sizeof stage.events[0].room);
    assert_int_equal(move_home(), EXIT_DONE);
    over();
}

/* A room that has waited and is served by now doesn't stand for another one, which wasn't asked yet. */
static void a_room_that_waits_no_more(void **state)
{
    (void)state;
    stage_new();
    stage.rooms[2].waits = false;
    happens(HANSE_EVENT_WAITING, 0);
    happens(HANSE_EVENT_NONE, 0);
    happens(HANSE_EVENT_NONE, 1);
    happens(HANSE_EVENT_DONE, 0);
    assert_int_equal(move_home(), EXIT_DONE);
    over();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_room_that_is_left_waits),
        cmocka_unit_test(a_room_that_is_told_of_twice),
        cmocka_unit_test(a_room_that_waits_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
