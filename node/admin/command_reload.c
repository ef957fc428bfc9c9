/* reload: as SIGHUP, but whoever asks is told what came of it. */
#include "admin/commands.h"
#include "admin/reload.h"

enum hs_err hs_control_reload(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    struct hs_reloaded outcome;
    (void)facts;
    enum hs_err err = hs_reload(call->node, &outcome);
    if (err != HS_OK)
        hs_control_say(call, outcome.why);
    else if (json_object_set_new(call->answer, "restart", json_string(outcome.restart)) != 0)
        err = HS_ERR_NOMEM;
    return err;
}
