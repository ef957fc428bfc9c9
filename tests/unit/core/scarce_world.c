/* Linked into another test of the core: all of its worlds are short of memory. (NODE-9, DELIVERY-1,
 * DELIVERY-3) */
#include "scarce.h"

#include <stdlib.h>

__attribute__((constructor)) static void begin(void)
{
    world_before_step = scarce_sample;
    (void)atexit(scarce_report);
}
