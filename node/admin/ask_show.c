/* What the node said of itself, its peers and its rooms, for people. */
#include "admin/ask.h"
#include "admin/cmd.h"
#include "admin/grid.h"

enum { SHORT_ID = 8, NAME_WIDTH = 26 };

static void line(FILE *out, const char *title)
{
    fprintf(out, "  %s%-12s%s ", hs_colour_on(out, HS_FAINT), title, hs_colour_off(out));
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void show_sessions(const json_t *answer, FILE *out)
{
    const json_t *s = json_object_get(answer, "sessions");
    int64_t devices = hs_ask_number(s, "devices"), nodes = hs_ask_number(s, "nodes"),
            strangers = hs_ask_number(s, "strangers");
    line(out, "sessions");
    fprintf(out, "%lld device%s, %lld node%s", (long long)devices, plural(devices), (long long)nodes,
            plural(nodes));
    if (strangers > 0)
        fprintf(out, ", %lld not yet known", (long long)strangers);
    fputc('\n', out);
}

static void show_store(const json_t *answer, FILE *out)
{
    const json_t *s = json_object_get(answer, "store");
    bool full = hs_ask_flag(s, "full");
    line(out, "store");
    fprintf(out, "%s%s%s of %s; new data is refused from %s on%s%s%s\n",
            full ? hs_colour_on(out, HS_BAD) : "", hs_figure_bytes(hs_ask_real(s, "used_bytes")).text,
            full ? hs_colour_off(out) : "", hs_figure_bytes(hs_ask_real(s, "limit_bytes")).text,
            hs_figure_bytes(hs_ask_real(s, "soft_limit_bytes")).text, full ? hs_colour_on(out, HS_BAD) : "",
            full ? ": FULL, new data is refused now" : "", full ? hs_colour_off(out) : "");
}

static void show_pace(const json_t *answer, FILE *out)
{
    const json_t *p = json_object_get(answer, "per_second"), *c = json_object_get(p, "commit_ms");
    line(out, "per second");
    fprintf(out, "%s requests, %s records, %s deliveries, %s rounds (over the last %s)\n",
            hs_figure_rate(hs_ask_real(p, "requests")).text, hs_figure_rate(hs_ask_real(p, "records")).text,
            hs_figure_rate(hs_ask_real(p, "deliveries")).text, hs_figure_rate(hs_ask_real(p, "rounds")).text,
            hs_figure_span(hs_ask_number(p, "of_ms")).text);
    line(out, "commit");
    if (hs_ask_real(c, "p50") > 0)
        fprintf(out, "half within %.3g ms, 99 of 100 within %.3g ms\n", hs_ask_real(c, "p50"),
                hs_ask_real(c, "p99"));
    else
        fputs("nothing was written\n", out);
}

void hs_show_status(const json_t *answer, FILE *out)
{
    int64_t rooms = hs_ask_number(answer, "rooms"), records = hs_ask_number(answer, "records");
    fprintf(out, "%s, hansed %s, up %s%s%s\n", hs_ask_text(answer, "domain"), hs_ask_text(answer, "version"),
            hs_colour_on(out, HS_GOOD), hs_figure_span(hs_ask_number(answer, "uptime_ms")).text,
            hs_colour_off(out));
    line(out, "root");
    fprintf(out, "%s\n", hs_ask_text(answer, "root"));
    line(out, "incarnation");
    fprintf(out, "%lld\n", (long long)hs_ask_number(answer, "incarnation"));
    show_sessions(answer, out);
    line(out, "rooms");
    fprintf(out, "%lld, with %lld record%s\n", (long long)rooms, (long long)records, plural(records));
    if (json_object_get(answer, "proofs") != NULL) {
        line(out, "ledger");
        fputs("stands still since the node was restored: hansed resume\n", out);
        line(out, "");
        hs_show_proofs(json_object_get(answer, "proofs"), out);
    }
    show_store(answer, out);
    show_pace(answer, out);
}

void hs_show_reload(const json_t *answer, FILE *out)
{
    const char *restart = hs_ask_text(answer, "restart");
    fputs("The configuration was read again.\n", out);
    if (restart[0] != '\0')
        fprintf(out, "From the next start on: %s\n", restart);
}

static enum hs_colour state_colour(const char *state)
{
    if (strcmp(state, "up") == 0)
        return HS_GOOD;
    return strcmp(state, "down") == 0 ? HS_BAD : HS_PLAIN;
}

static enum hs_colour standing_colour(const char *standing)
{
    if (strcmp(standing, "allowed") == 0)
        return HS_GOOD;
    return strcmp(standing, "blocked") == 0 ? HS_BAD : HS_PLAIN;
}

/* A name of any length in a column: its beginning, and its end, which says whose it is. */
static void add_name(struct hs_grid *grid, const char *name)
{
    size_t len = strlen(name);
    if (len <= NAME_WIDTH)
        hs_grid_add(grid, HS_PLAIN, "%s", name);
    else
        hs_grid_add(grid, HS_PLAIN, "%.*s...%s", NAME_WIDTH / 2 - 3, name, name + len - NAME_WIDTH / 2);
}

/* The session that this node keeps to it: since when, or when it tries again. */
static void add_out(struct hs_grid *grid, const json_t *peer, struct hs_time now)
{
    const char *state = hs_ask_text(peer, "state");
    int64_t since = hs_ask_number(peer, "since_ms"), retry = hs_ask_number(peer, "retry_ms");
    if (strcmp(state, "none") == 0)
        hs_grid_add(grid, HS_PLAIN, "-");
    else if (since > 0)
        hs_grid_add(grid, state_colour(state), "%s %s", state, hs_figure_span(now.ms - since).text);
    else if (retry > now.ms)
        hs_grid_add(grid, state_colour(state), "%s, %s", state, hs_figure_when(retry, now).text);
    else
        hs_grid_add(grid, state_colour(state), "%s", state);
}

static void peer_row(struct hs_grid *grid, const json_t *peer, struct hs_time now)
{
    const char *domain = hs_ask_text(peer, "domain"), *standing = hs_ask_text(peer, "standing");
    bool other = hs_ask_text(peer, "other_root")[0] != '\0'; /* of its domain: told below */
    hs_grid_add(grid, other ? HS_BAD : HS_PLAIN, "%.*s%s", SHORT_ID, hs_ask_text(peer, "root"),
                other ? " !" : "");
    add_name(grid, domain[0] != '\0' ? domain : hs_ask_text(peer, "address"));
    hs_grid_add(grid, standing_colour(standing), "%s", standing);
    add_out(grid, peer, now);
    hs_grid_add(grid, HS_PLAIN, "%lld", (long long)hs_ask_number(peer, "failures"));
    if (hs_ask_flag(peer, "connected"))
        hs_grid_add(grid, HS_GOOD, "%lld room%s", (long long)hs_ask_number(peer, "rooms"),
                    plural(hs_ask_number(peer, "rooms")));
    else
        hs_grid_add(grid, HS_PLAIN, "-");
    hs_grid_add(grid, HS_PLAIN, "%lld", (long long)hs_ask_number(peer, "outbox"));
}

void hs_show_peers(const json_t *answer, FILE *out)
{
    static const char *const titles[] = {"<ROOT", "<NODE", "<STANDING", "<OUT", ">FAILED", "<IN", ">OUTBOX"};
    const json_t *rows = json_object_get(answer, "peers"), *row;
    if (hs_show_decided(answer, out))
        return;
    struct hs_grid *grid = hs_grid_new(sizeof titles / sizeof *titles, titles);
    size_t i;
    if (json_array_size(rows) == 0)
        fputs("This node has to do with no other node yet.\n", out);
    json_array_foreach(rows, i, row) peer_row(grid, row, hs_cmd_now());
    if (json_array_size(rows) > 0)
        hs_grid_print(grid, out);
    hs_grid_free(grid);
    hs_show_roots(answer, out);
}

bool hs_request_rooms(int argc, char **argv, json_t *request)
{
    if (argc == 0)
        return true;
    size_t len = strlen(argv[0]);
    bool fits = len > 0 && len <= 64 && strspn(argv[0], "0123456789abcdef") == len;
    if (!fits)
        hs_cmd_fail(HS_EXIT_USAGE, "a room is named by the first digits of its id, as hansed rooms shows it");
    return fits && json_object_set_new(request, "room", json_string(argv[0])) == 0;
}

bool hs_request_rooms_or_give_up(int argc, char **argv, json_t *request)
{
    bool give_up = argc > 0 && strcmp(argv[0], "give-up") == 0;
    if (argc > 1 && !give_up)
        hs_cmd_fail(HS_EXIT_USAGE, "hansed rooms takes one room; see hansed rooms --help");
    if (give_up && argc != 2)
        hs_cmd_fail(HS_EXIT_USAGE,
                    "give-up takes the room that shall not come here, as hansed rooms shows it");
    if (give_up ? argc != 2 : argc > 1)
        return false;
    return (!give_up || json_object_set_new(request, "give_up", json_true()) == 0) &&
           hs_request_rooms(argc - (give_up ? 1 : 0), argv + (give_up ? 1 : 0), request);
}

static void room_row(struct hs_grid *grid, const json_t *room, struct hs_time now)
{
    hs_grid_add(grid, HS_PLAIN, "%.*s", SHORT_ID, hs_ask_text(room, "id"));
    if (hs_ask_flag(room, "waits"))
        hs_grid_add(grid, HS_BAD, hs_ask_flag(room, "hub") ? "waits" : "comes");
    else if (hs_ask_flag(room, "hub"))
        hs_grid_add(grid, HS_PLAIN, "hub");
    else
        hs_grid_add(grid, HS_FAINT, "of %.*s", SHORT_ID, hs_ask_text(room, "hub_root"));
    hs_grid_add(grid, HS_PLAIN, "%lld", (long long)hs_ask_number(room, "members"));
    hs_grid_add(grid, HS_PLAIN, "%lld",
                (long long)(hs_ask_number(room, "next_seq") - hs_ask_number(room, "first_seq")));
    hs_grid_add(grid, HS_PLAIN, "%s", hs_figure_bytes(hs_ask_real(room, "bytes")).text);
    hs_grid_add(grid, HS_PLAIN, "%lld", (long long)hs_ask_number(room, "devices"));
    hs_grid_add(grid, HS_PLAIN, "%lld", (long long)hs_ask_number(room, "followers"));
    hs_grid_add(grid, HS_PLAIN, "%s", hs_figure_when(hs_ask_number(room, "last_ms"), now).text);
    hs_grid_add(grid, HS_PLAIN, "%s", hs_ask_text(room, "name"));
}

static void show_homes(const json_t *room, FILE *out)
{
    static const char *const titles[] = {"<HOME OF MEMBERS", ">MEMBERS"};
    const json_t *homes = json_object_get(room, "homes"), *home;
    struct hs_grid *grid = hs_grid_new(sizeof titles / sizeof *titles, titles);
    size_t i;
    fprintf(out, "\n%s\n\n", hs_ask_text(room, "id"));
    json_array_foreach(homes, i, home)
    {
        hs_grid_add(grid, HS_PLAIN, "%.*s", SHORT_ID, hs_ask_text(home, "root"));
        hs_grid_add(grid, HS_PLAIN, "%lld", (long long)hs_ask_number(home, "members"));
    }
    hs_grid_print(grid, out);
    hs_grid_free(grid);
}

void hs_show_rooms(const json_t *answer, FILE *out)
{
    static const char *const titles[] = {"<ROOM",    "<HERE",  ">MEMBERS", ">RECORDS", ">SIZE",
                                         ">DEVICES", ">NODES", "<LAST",    "<NAME"};
    const json_t *rows = json_object_get(answer, "rooms"), *row;
    struct hs_grid *grid = hs_grid_new(sizeof titles / sizeof *titles, titles);
    size_t i;
    if (json_array_size(rows) == 0)
        fputs("There are no rooms here yet.\n", out);
    json_array_foreach(rows, i, row) room_row(grid, row, hs_cmd_now());
    if (json_array_size(rows) > 0)
        hs_grid_print(grid, out);
    hs_grid_free(grid);
    if (json_object_get(json_array_get(rows, 0), "homes") != NULL)
        show_homes(json_array_get(rows, 0), out);
}
