#include "admin/json.h"

#include <jansson.h>
#include <stdlib.h>

static _Thread_local bool scarce;

static void *take(size_t size)
{
    void *block = malloc(size);
    scarce = scarce || block == NULL;
    return block;
}

void hs_json_begin(void)
{
    json_set_alloc_funcs(take, free);
    scarce = false;
}

bool hs_json_is_scarce(void)
{
    return scarce;
}
