/* hansed resume, hansed evidence: what is asked, and the answers for people. */
#include "admin/ask.h"
#include "admin/cmd.h"
#include "admin/grid.h"

#include <string.h>

bool hs_request_resume(int argc, char **argv, json_t *request)
{
    if (argc == 1 && strcmp(argv[0], "all") == 0)
        return json_object_set_new(request, "all", json_true()) == 0;
    return hs_request_rooms(argc, argv, request);
}

void hs_show_proofs(const json_t *proofs, FILE *out)
{
    long long taken = (long long)hs_ask_number(proofs, "taken"),
              from = (long long)hs_ask_number(proofs, "from"),
              against = (long long)hs_ask_number(proofs, "against");
    fprintf(out, "%lld proof%s came back, from %lld device%s or node%s; %lld of %lld tills have shown all\n",
            taken, taken == 1 ? "" : "s", from, from == 1 ? "" : "s", from == 1 ? "" : "s",
            (long long)hs_ask_number(proofs, "tills_done"), (long long)hs_ask_number(proofs, "tills"));
    if (against > 0)
        fprintf(out, "%s%lld receipt%s for units that were redeemed twice%s\n", hs_colour_on(out, HS_BAD),
                against, against == 1 ? "" : "s", hs_colour_off(out));
}

void hs_show_resume(const json_t *answer, FILE *out)
{
    long long frozen = (long long)hs_ask_number(answer, "frozen");
    bool ledger = hs_ask_flag(answer, "ledger");
    if (frozen == 0 && !ledger)
        fputs("nothing stands still\n", out);
    if (frozen > 0)
        fprintf(out, "%lld rooms stand still since the node was restored\n", frozen);
    if (ledger)
        fputs("the ledger stands still, no coupon is claimed or redeemed: what it has forgotten, tills and "
              "customers show it, see --help\n",
              out);
    if (json_object_get(answer, "proofs") != NULL)
        hs_show_proofs(json_object_get(answer, "proofs"), out);
}

void hs_show_evidence(const json_t *answer, FILE *out)
{
    const json_t *rows = json_object_get(answer, "evidence"), *row;
    size_t i;
    if (json_array_size(rows) == 0)
        fputs("no hub has been caught telling two stories\n", out);
    json_array_foreach(rows, i, row)
    {
        fprintf(out, "%s (root %.16s...) told two stories of room %.16s..., record %lld\n",
                hs_ask_text(row, "domain"), hs_ask_text(row, "hub_root"), hs_ask_text(row, "room"),
                (long long)hs_ask_number(row, "seq"));
    }
}
