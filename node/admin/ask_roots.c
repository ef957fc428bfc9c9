/* hansed peers: domains that show another root than the known one, and the operator's word on them. */
#include "admin/ask.h"
#include "admin/cmd.h"
#include "admin/grid.h"
#include "base/text.h"
#include "identity/descriptor.h"
#include "object/hdr.h"

#include <string.h>

enum { SHORT_ID = 8 };

static bool is_root(const char *text)
{
    uint8_t root[HS_KEY_LEN];
    return strlen(text) == HS_HEX_SIZE(HS_KEY_LEN) - 1 && hs_unhex(text, root, sizeof root) == HS_OK;
}

static bool wrong(const char *sentence)
{
    hs_cmd_fail(HS_EXIT_USAGE, "%s; see hansed peers --help", sentence);
    return false;
}

bool hs_request_peers(int argc, char **argv, json_t *request)
{
    if (argc == 0)
        return true;
    bool approve = strcmp(argv[0], "approve") == 0;
    if (!approve && strcmp(argv[0], "refuse") != 0)
        return wrong("behind peers stands nothing, approve or refuse");
    if (argc < 2 || !hs_domain_is_valid(hs_bytes_str(argv[1])))
        return wrong("which domain? It is written as hansed peers shows it");
    if (approve && (argc < 3 || !is_root(argv[2])))
        return wrong(
            "approve takes the domain and its new root, 64 hex digits: those that the brand's people "
            "told you, by another way than that domain");
    if (!approve && argc > 2 && !is_root(argv[2]))
        return wrong("a root has 64 hex digits");
    return json_object_set_new(request, "domain", json_string(argv[1])) == 0 &&
           json_object_set_new(request, "approve", json_boolean(approve)) == 0 &&
           (argc < 3 || json_object_set_new(request, "root", json_string(argv[2])) == 0);
}

bool hs_show_decided(const json_t *answer, FILE *out)
{
    const char *decided = hs_ask_text(answer, "decided"), *domain = hs_ask_text(answer, "domain");
    if (decided[0] == '\0')
        return false;
    if (strcmp(decided, "approved") == 0)
        fprintf(out,
                "%s is %s from now on.\n"
                "Rooms that its former root orders stay with that one until they are moved.\n",
                domain, hs_ask_text(answer, "root"));
    else
        fprintf(out, "%s isn't taken for %s. You will be told when it shows yet another root.\n",
                hs_ask_text(answer, "root"), domain);
    if (hs_ask_flag(answer, "blocked"))
        fputs("It is blocked, and stays so: [peers] says so.\n", out);
    return true;
}

static void show_root(const json_t *row, FILE *out)
{
    const char *domain = hs_ask_text(row, "domain"), *shown = hs_ask_text(row, "shown");
    bool refused = hs_ask_flag(row, "refused");
    struct hs_figure since = hs_figure_span(hs_cmd_now().ms - hs_ask_number(row, "since_ms"));
    fprintf(out, "\n%s%s shows another root%s, for %s%s\n", hs_colour_on(out, refused ? HS_FAINT : HS_BAD),
            domain, refused ? ", which you refused" : "", since.text, hs_colour_off(out));
    fprintf(out, "  %-9s%s\n  %-9s%s\n", hs_ask_flag(row, "invited") ? "invite" : "known",
            hs_ask_text(row, "pinned"), "shown", shown);
    if (hs_ask_flag(row, "vouched"))
        fputs("  The known root has signed that this one takes its place.\n", out);
    if (hs_ask_flag(row, "blocked"))
        fputs("  It is blocked.\n", out);
    if (!refused)
        fprintf(
            out,
            "  Nothing is done under it. Ask the brand's people for their root, by another way than that\n"
            "  domain. Then, with the digits that they told you:\n"
            "    hansed peers approve %s ROOT\n"
            "  or, where it isn't theirs:\n"
            "    hansed peers refuse %s\n",
            domain, domain);
}

/* Told above, by its domain. */
static bool is_among(const json_t *roots, const char *pinned)
{
    const json_t *row;
    size_t i;
    json_array_foreach(roots, i, row)
    {
        if (strcmp(hs_ask_text(row, "pinned"), pinned) == 0 && !hs_ask_flag(row, "refused"))
            return true;
    }
    return false;
}

void hs_show_roots(const json_t *answer, FILE *out)
{
    const json_t *roots = json_object_get(answer, "roots"), *peers = json_object_get(answer, "peers"), *row;
    size_t i;
    json_array_foreach(roots, i, row) show_root(row, out);
    json_array_foreach(peers, i, row)
    {
        const char *root = hs_ask_text(row, "root"), *other = hs_ask_text(row, "other_root");
        if (other[0] != '\0' && !is_among(roots, root))
            fprintf(out, "\n%s%.*s goes by the name of %s, which is another root's%s\n  %-9s%s\n  %-9s%s\n",
                    hs_colour_on(out, HS_BAD), SHORT_ID, root, hs_ask_text(row, "domain"), hs_colour_off(out),
                    "this one", root, "known", other);
    }
}
