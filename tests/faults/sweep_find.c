/* Finding a domain's node, and waking a device, under faults: what comes back is right or an error, it comes
 * back, and the next question is answered. NODE-48, DELIVERY-48 */
#include "sweep.h"

#include "discover/discover.h"
#include "discover/wake.h"
#include "sweep_ask.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_S = 30 };

static struct sweep_answers answers;
static char url[128];
static sem_t there;

static void found(void)
{
    char proxy[96];
    if (answers.dns[0] == '\0')
        sweep_answers_start(&answers);
    snprintf(proxy, sizeof proxy, "http://%s/", answers.http);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    setenv("http_proxy", proxy, 1); /* none is to be used, whatever the environment says */
}

static void on_there(void *arg)
{
    sem_post(arg);
}

static void await(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    while (sem_timedwait(&there, &until) != 0)
        FAULT_CHECK(errno == EINTR, "nothing comes back");
}

static void begin(void)
{
    sem_init(&there, 0, 0);
}

static void nothing(void) {}

static void check(enum hs_err told)
{
    FAULT_CHECK(told != HS_ERR_INVALID_STATE, "something else was found");
}

/* ---- finding ---- */

static enum hs_err find(struct hs_discover *d)
{
    struct hs_discovered f;
    struct hs_key root = {{1}};
    HS_TRY(hs_discover_ask(d, &root, SWEEP_DOMAIN));
    await();
    FAULT_CHECK(hs_discover_take(d, &f), "nothing to take");
    if (f.fetched == HS_OK &&
        (f.descriptor_len != strlen(SWEEP_PAGE) || memcmp(f.descriptor, SWEEP_PAGE, f.descriptor_len) != 0))
        return HS_ERR_INVALID_STATE;
    if (f.resolved.count > 0 && strcmp(f.resolved.addresses[0], "127.0.0.9:7700") != 0)
        return HS_ERR_INVALID_STATE;
    HS_TRY(f.fetched);
    return f.resolved.count > 0 ? HS_OK : HS_ERR_NOT_FOUND;
}

static enum hs_err find_act(void)
{
    struct hs_discover *d = NULL;
    snprintf(url, sizeof url, "http://%s/%%s", answers.http);
    const struct hs_discover_config config = {
        .url = url, .dns = answers.dns, .private_too = true, .wake = on_there, .arg = &there};
    HS_TRY(hs_discover_new(&config, &d));
    enum hs_err first = find(d);
    sweep_calm();
    enum hs_err later = find(d);
    FAULT_CHECK(later == HS_OK, "nothing is found afterwards: %s", hs_err_name(later));
    hs_discover_free(d);
    return first;
}

const struct sweep_scene sweep_find = {.name = "find",
                                       .found = found,
                                       .begin = begin,
                                       .act = find_act,
                                       .check = check,
                                       .end = nothing,
                                       .kept = 1 /* libcurl's, of a request */};

/* ---- waking ---- */

static enum hs_err wake(struct hs_wake_post *p)
{
    struct hs_woken woken;
    struct hs_key device = {{2}};
    HS_TRY(hs_wake_post_start(p, &device, url));
    await();
    FAULT_CHECK(hs_wake_post_take(p, &woken), "nothing to take");
    if (!hs_key_equal(&woken.device, &device) || (woken.err == HS_OK && woken.status != 204))
        return HS_ERR_INVALID_STATE;
    return woken.err;
}

static enum hs_err wake_act(void)
{
    struct hs_wake_post *p = NULL;
    snprintf(url, sizeof url, "http://%s/wake", answers.http);
    const struct hs_wake_config config = {.http = true, .private_too = true, .wake = on_there, .arg = &there};
    HS_TRY(hs_wake_post_new(&config, &p));
    enum hs_err first = wake(p);
    sweep_calm();
    enum hs_err later = wake(p);
    FAULT_CHECK(later == HS_OK, "nobody is woken afterwards: %s", hs_err_name(later));
    hs_wake_post_free(p);
    return first;
}

const struct sweep_scene sweep_wake = {.name = "wake",
                                       .found = found,
                                       .begin = begin,
                                       .act = wake_act,
                                       .check = check,
                                       .end = nothing,
                                       .kept = 1 /* libcurl's, of a request */};
