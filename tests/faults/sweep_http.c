/* A page over HTTP while its server is under faults: who asks gets all of it, a refusal or nothing, and asks
 * again with success. NODE-53 */
#include "sweep.h"

#include "http/http.h"
#include "sweep_ask.h"

#include <string.h>

static const char text[] = "hanse_sessions 3\n";

static enum hs_err render(void *arg, struct hs_writer *out)
{
    (void)arg;
    hs_write_bytes(out, hs_bytes_str(text));
    return out->err;
}

static void nothing(void) {}

static enum hs_err ask(const struct hs_http *http, int patience_ms)
{
    sweep_spare(true);
    enum hs_err err = sweep_get(hs_http_address(http), "/metrics", text, patience_ms);
    sweep_spare(false);
    return err;
}

static enum hs_err act(void)
{
    const struct hs_http_page page = {"/metrics", "text/plain", render, NULL};
    struct hs_http *http = NULL;
    HS_TRY(hs_http_start("127.0.0.1:0", &page, 1, &http));
    enum hs_err first = ask(http, 1000);
    sweep_calm();
    enum hs_err later = ask(http, 20000);
    FAULT_CHECK(later == HS_OK, "nothing is shown afterwards: %s", hs_err_name(later));
    hs_http_stop(http);
    return first;
}

static void check(enum hs_err told)
{
    FAULT_CHECK(told != HS_ERR_INVALID_STATE, "something else was shown");
}

const struct sweep_scene sweep_http = {
    .name = "http", .begin = nothing, .act = act, .check = check, .end = nothing, .may_abort = true};
