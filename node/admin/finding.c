#include "admin/finding.h"

#include "core/state.pb-c.h"
#include "discover/discover.h"
#include "discover/wake.h"
#include "http/http.h"
#include "object/hdr.h"
#include "wire/unpack.h"

#include <stdlib.h>
#include <uv.h>

enum { PACKED_MAX = 64 * 1024 };

struct hs_finding {
    struct hs_discover *discover;
    struct hs_wake_post *wakes;
    struct hs_http *http;
    struct hs_net *net;
    uv_async_t wake;
    atomic_bool connected;
    uv_mutex_t lock; /* guards the page */
    uint8_t page[HS_DESCRIPTOR_MAX];
    size_t page_len;
};

void hs_finding_show(struct hs_finding *f, struct hs_bytes descriptor)
{
    HS_ASSERT(descriptor.len <= sizeof f->page);
    uv_mutex_lock(&f->lock);
    memcpy(f->page, descriptor.data, descriptor.len);
    f->page_len = descriptor.len;
    uv_mutex_unlock(&f->lock);
}

static enum hs_err render(void *arg, struct hs_writer *out)
{
    struct hs_finding *f = arg;
    uv_mutex_lock(&f->lock);
    hs_write_bytes(out, hs_bytes(f->page, f->page_len));
    uv_mutex_unlock(&f->lock);
    return out->err;
}

/* From a thread of the search. */
static void on_found(void *arg)
{
    struct hs_finding *f = arg;
    if (atomic_load(&f->connected))
        uv_async_send(&f->wake);
}

static void tell(struct hs_finding *f, const struct hs_discovered *found)
{
    struct hs_writer HS_WRITER out = hs_writer(PACKED_MAX);
    Hanse__State__Discovered packed = HANSE__STATE__DISCOVERED__INIT;
    char *addresses[HS_DIAL_ADDRESSES];
    for (size_t i = 0; i < found->resolved.count; i++)
        addresses[i] = (char *)(uintptr_t)found->resolved.addresses[i];
    packed.root = hs_pb_data(HS_VIEW(found->root));
    packed.domain = (char *)(uintptr_t)found->domain;
    packed.descriptor = hs_pb_data(hs_bytes(found->descriptor, found->descriptor_len));
    packed.addresses = addresses;
    packed.n_addresses = found->resolved.count;
    if (hs_pack(&packed.base, &out) == HS_OK)
        hs_net_tell_core(f->net, HS_INPUT_DISCOVERED, hs_writer_bytes(&out));
}

static void tell_woken(struct hs_finding *f)
{
    struct hs_woken woken;
    while (hs_wake_post_take(f->wakes, &woken)) {
        uint8_t told[sizeof woken.device + 2];
        memcpy(told, &woken.device, sizeof woken.device);
        told[sizeof woken.device] = (uint8_t)(woken.status >> 8);
        told[sizeof woken.device + 1] = (uint8_t)woken.status;
        hs_log(HS_LOG_DEBUG, "event=woken error=%s status=%u", hs_err_name(woken.err), woken.status);
        hs_net_tell_core(f->net, HS_INPUT_WOKEN, hs_bytes(told, sizeof told));
    }
}

static void on_wake(uv_async_t *async)
{
    struct hs_finding *f = async->data;
    struct hs_discovered found;
    while (hs_discover_take(f->discover, &found)) {
        hs_log(HS_LOG_INFO, "event=discovered page=%s addresses=%zu", hs_err_name(found.fetched),
               found.resolved.count);
        tell(f, &found);
    }
    tell_woken(f);
}

static enum hs_err start(struct hs_finding *f, const struct hs_config *config, char why[static HS_CONFIG_WHY])
{
    struct hs_http_page page = {HS_WELL_KNOWN_PATH, HS_WELL_KNOWN_TYPE, render, f};
    struct hs_discover_config discover = {
        .url = config->discovery_url[0] != '\0' ? config->discovery_url : NULL,
        .dns = config->discovery_dns[0] != '\0' ? config->discovery_dns : NULL,
        .private_too = config->private_too,
        .wake = on_found,
        .arg = f,
    };
    struct hs_wake_config wakes = {
        .http = config->wake_http, .private_too = config->private_too, .wake = on_found, .arg = f};
    HS_TRY(hs_discover_new(&discover, &f->discover));
    HS_TRY(hs_wake_post_new(&wakes, &f->wakes));
    if (config->discovery_listen[0] == '\0')
        return HS_OK;
    enum hs_err err = hs_http_start(config->discovery_listen, &page, 1, &f->http);
    if (err != HS_OK)
        snprintf(why, HS_CONFIG_WHY,
                 "can't listen at %s for [discovery]: is it in use, or not this machine's?",
                 config->discovery_listen);
    return err;
}

enum hs_err hs_finding_new(const struct hs_site *site, struct hs_finding **out,
                           char why[static HS_CONFIG_WHY])
{
    struct hs_finding *f = calloc(1, sizeof *f);
    HS_REQUIRE(f != NULL && uv_mutex_init(&f->lock) == 0, HS_ERR_NOMEM);
    hs_finding_show(f, site->descriptor_bytes);
    enum hs_err err = start(f, &site->config, why);
    if (err != HS_OK) {
        hs_finding_stop(f);
        hs_finding_free(f);
        return err;
    }
    *out = f;
    return HS_OK;
}

enum hs_err hs_finding_connect(struct hs_finding *f, struct hs_net *net)
{
    f->net = net;
    f->wake.data = f;
    HS_REQUIRE(uv_async_init(hs_net_loop(net), &f->wake, on_wake) == 0, HS_ERR_NOMEM);
    atomic_store(&f->connected, true);
    return HS_OK;
}

void hs_finding_ask(void *arg, const struct hs_key *root, const char *domain)
{
    struct hs_finding *f = arg;
    enum hs_err err = hs_discover_ask(f->discover, root, domain);
    if (err != HS_OK) /* the core asks again */
        hs_log(HS_LOG_WARN, "event=discovery-dropped error=%s", hs_err_name(err));
}

void hs_finding_wake(void *arg, const struct hs_key *device, const char *url)
{
    struct hs_finding *f = arg;
    enum hs_err err = hs_wake_post_start(f->wakes, device, url);
    if (err != HS_OK) /* the next thing that comes wakes the device */
        hs_log(HS_LOG_WARN, "event=wake-dropped error=%s", hs_err_name(err));
}

const char *hs_finding_address(const struct hs_finding *f)
{
    return f->http != NULL ? hs_http_address(f->http) : NULL;
}

void hs_finding_stop(struct hs_finding *f)
{
    if (f == NULL)
        return;
    atomic_store(&f->connected, false);
    hs_discover_free(f->discover);
    f->discover = NULL;
    hs_wake_post_free(f->wakes);
    f->wakes = NULL;
    hs_http_stop(f->http);
    f->http = NULL;
}

void hs_finding_free(struct hs_finding *f)
{
    if (f == NULL)
        return;
    uv_mutex_destroy(&f->lock);
    free(f);
}
