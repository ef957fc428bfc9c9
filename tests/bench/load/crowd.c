#include "crowd.h"

#include <stdlib.h>

void *crowd_memory(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        load_fail("no memory");
    return memory;
}

void crowd_make(struct crowd *c, const char *name, size_t count, size_t staff)
{
    *c = (struct crowd){.devices = crowd_memory(count, sizeof *c->devices), .count = count};
    load_node_make(&c->node, name);
    (void)load_node_start(&c->node);
    load_devices_make(c->devices, count, &c->node);
    for (size_t i = 0; i < staff; i++)
        load_device_make_staff(&c->devices[i]);
    load_devices_connect(c->devices, count);
    load_devices_sign_up(c->devices, count);
}

void crowd_free(struct crowd *c)
{
    load_devices_close(c->devices, c->count);
    for (size_t i = 0; i < c->count; i++)
        free(c->devices[i].places);
    free(c->devices);
    load_node_free(&c->node);
}
