/* The loop: a line in, a line out. */
#include "peer.h"

#include "crypto/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct op *op_find(const char *name)
{
    const struct op *const lists[] = {ops_device, ops_join, ops_commit, ops_process, ops_view, ops_hub};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const struct op *op = lists[i]; op->name != NULL; op++)
            if (strcmp(op->name, name) == 0)
                return op;
    return NULL;
}

static struct device *device_find(const struct peer *peer, const char *name)
{
    struct device *d = peer->devices;
    while (d != NULL && strcmp(d->name, name) != 0)
        d = d->next;
    return d;
}

static enum hs_err call_run(struct call *c)
{
    const char *name = call_text(c, "op");
    const struct op *op = c->err == HS_OK ? op_find(name) : NULL;
    HS_REQUIRE(op != NULL, HS_ERR_UNSUPPORTED);
    if (call_has(c, "device"))
        c->device = device_find(c->peer, call_text(c, "device"));
    HS_REQUIRE(op->scope == ANY || c->device != NULL, HS_ERR_NOT_FOUND);
    HS_REQUIRE(op->scope != MEMBER || c->device->group != NULL, HS_ERR_INVALID_STATE);
    return op->run(c);
}

static void answer(struct peer *peer, const char *line)
{
    struct call c = {
        .peer = peer, .in = json_loads(line, 0, NULL), .out = json_object(), .arena = hs_arena(CAP)};
    enum hs_err err = c.in != NULL ? call_run(&c) : HS_ERR_MALFORMED;
    if (err != HS_OK) {
        json_object_clear(c.out);
        json_object_set_new(c.out, "error", json_string(hs_err_name(err)));
    }
    json_dumpf(c.out, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(c.out);
    json_decref((json_t *)c.in);
    hs_arena_free(&c.arena);
}

static void peer_free(struct peer *peer)
{
    while (peer->devices != NULL) {
        struct device *next = peer->devices->next;
        device_free(peer->devices);
        peer->devices = next;
    }
    hs_mls_public_free(peer->hub.group);
    mls_store_free_at(&peer->hub.records);
}

int main(void)
{
    struct peer peer = {0};
    char *line = NULL;
    size_t size = 0;
    if (hs_crypto_init() != HS_OK)
        return EXIT_FAILURE;
    while (getline(&line, &size, stdin) > 0)
        answer(&peer, line);
    free(line);
    peer_free(&peer);
    return EXIT_SUCCESS;
}
