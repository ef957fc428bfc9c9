/* The command line: what all commands share. It stands on hanse/hanse.h alone. */
#ifndef HANSE_CLI_H
#define HANSE_CLI_H

#include <hanse/hanse.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit codes; hanse --help lists them. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,
    EXIT_UNREACHABLE = 4,
    EXIT_NOT_VERIFIED = 5,
    EXIT_WAITING = 6,
};

/* One run of the program. */
struct cli {
    const char *dir; /* --dir, $HANSE_DIR or ~/.hanse */
    bool json;       /* --json */
    int timeout_s;   /* --timeout */
    struct hanse *h; /* open while a command needs it */
};

struct command {
    const char *name, *summary;
    int (*run)(struct cli *c, int argc, char **argv); /* argv[0] is the command's name */
    const char *help;                                 /* usage, options and an example */
};

/* ---- loop.c: the handle, and waiting for things ---- */

/* Opens the device's state; on failure says why and gives the exit code. */
int cli_open(struct cli *c);
void cli_close(struct cli *c);

/* The same, and then online until all that is new is here; where that fails, what is here already has to do,
 * and stderr says so. For commands that act on what others have put into a room. */
int cli_open_fresh(struct cli *c);

/* Online until everything is here. TIMEOUT, or why the node can't be reached. */
enum hanse_err cli_catch_up(struct cli *c, int seconds);

/* An operation's outcome, kept. */
struct outcome {
    enum hanse_err err;
    struct hanse_id id, room;
    uint64_t seq;
    bool waits; /* it goes on without this program */
    char text[HANSE_LINK_SIZE + 1024];
};

/* What is done with each event while something else is waited for, and with kind NONE when there are none
 * left; true ends the waiting. */
typedef bool on_event(void *context, const struct hanse_event *event);

/* Runs the handle's loop until wanted() is true, the time is over (TIMEOUT), a signal to stop came (CLOSED),
 * or the handle fails. seconds < 0: for ever. */
enum hanse_err cli_run(struct cli *c, int seconds, on_event *wanted, void *context);

/* Waits for the end of operation op for --timeout. A connection that can't be made is told as such. */
enum hanse_err cli_wait(struct cli *c, uint64_t op, struct outcome *out);

/* The same; what is said on stderr once it goes on without this program. */
enum hanse_err cli_wait_saying(struct cli *c, uint64_t op, const char *text, struct outcome *out);

/* Starts a step of the loop by hand, for commands that poll other things too: waits at most ms milliseconds
 * for the socket or fd (or -1). */
enum hanse_err cli_poll(struct cli *c, int fd, int ms, bool *fd_ready);

/* True once SIGINT or SIGTERM came; cli_catch_signals() makes them counted rather than fatal. */
void cli_catch_signals(void);
bool cli_stopped(void);

int64_t cli_now_ms(void);

/* ---- term.c: what people see ---- */

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE };

/* The sequence where stdout is a terminal, else "". */
const char *colour(enum colour which);

/* The same where what was wanted is kept on this device and goes on by itself: says so, so that nobody does
 * it twice. */
int cli_fail_kept(const struct cli *c, const char *what, enum hanse_err err);

/* "hanse: WHAT: sentence [NAME]" on stderr (a JSON object with --json), and the exit code for err. */
int cli_fail(const struct cli *c, const char *what, enum hanse_err err);

/* The same for a mistake in the command's words. */
int cli_usage(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_say_usage(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* handle, or the chosen name in quotes, or the key's first digits; valid until the call after the next 3. */
const char *person_text(const struct hanse_person *person);
const char *short_id(const struct hanse_id *id);

/* "2026-11-22 14:05" in local time; "14:05:07" with clock_only. */
const char *time_text(int64_t ms, bool clock_only);

/* "12.90 EUR". */
const char *money_text(int64_t minor, const char *currency);

/* From "12.90"; false where it isn't an amount of that currency. */
bool money_parse(const char *text, const char *currency, int64_t *minor);

/* "30d", "12h", "15m", "90s" in milliseconds. */
bool span_parse(const char *text, int64_t *ms);

/* A point in time: "2026-12-24", "2026-12-24T18:00Z", or from now on "30d", "12h", "15m", "90s". */
bool until_parse(const char *text, int64_t *ms);

/* A whole number from min to max. */
bool number_parse(const char *text, long long min, long long max, long long *out);

/* The link as a QR code of half blocks. */
void qr_print(const char *text);

/* ---- json.c ---- */

/* Prints value on one line and releases it. */
void json_line(json_t *value);
json_t *json_id(const struct hanse_id *id);
json_t *json_person(const struct hanse_person *person);
json_t *json_message(const struct hanse_message *m);
const char *message_kind_name(enum hanse_message_kind kind);
const char *order_state_name(enum hanse_order_state state);
const char *role_name(enum hanse_role role);

/* ---- ticket.c ---- */

enum { TICKET_MAX = 16384 };

/* A ticket's or grant's text from a file, from stdin ("-"), or the argument itself. */
bool ticket_read(const char *from, char out[TICKET_MAX]);

/* cmd_init.c: what happened, and who this is now. */
int identity_show(const struct cli *c, const char *what);

/* cmd_file.c: sends the file at path. */
int file_send(struct cli *c, const char *room, const char *path);

/* ---- out.c: files that hanse verify can check ---- */

/* The one argument beside --out FILE, and that file's path; NULL where the words are others. */
const char *file_arguments(int argc, char **argv, const char **path);

/* Writes the file, and says so. */
int file_write(struct cli *c, const char *path, const uint8_t *bytes, size_t len);

/* ---- find.c: what an argument names: a name, or the beginning of an id ---- */

int find_room(struct cli *c, const char *text, struct hanse_room *out);
/* The client is opened, and the room found in it. */
int open_room(struct cli *c, const char *text, struct hanse_room *out);
int find_member(struct cli *c, const struct hanse_id *room, const char *text, struct hanse_member *out);
int find_offer(struct cli *c, const char *text, struct hanse_offer *out);
int find_campaign(struct cli *c, const struct hanse_id *room, const char *text, struct hanse_campaign *out);
int find_coupon(struct cli *c, const char *text, struct hanse_coupon *out);
int find_order(struct cli *c, const char *text, struct hanse_order *out);

/* ---- messages ---- */

void message_print(const struct cli *c, const struct hanse_message *m);

/* ---- the commands ---- */

extern const struct command cmd_init, cmd_grant, cmd_room, cmd_invite, cmd_join, cmd_chat, cmd_serve,
    cmd_send, cmd_save, cmd_log, cmd_sync, cmd_members, cmd_remove, cmd_leave, cmd_rejoin, cmd_role, cmd_ban,
    cmd_offer, cmd_coupon, cmd_order, cmd_till, cmd_verify, cmd_evidence, cmd_move_home, cmd_move_room,
    cmd_wake;

#endif
