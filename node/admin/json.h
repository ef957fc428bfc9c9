/* JSON where memory may end. The library leaves out a character of a text that it has no memory for, and its
 * callers leave out rows, and nobody is told: so whether any was lacking is asked once, at the end. */
#ifndef HS_ADMIN_JSON_H
#define HS_ADMIN_JSON_H

#include <stdbool.h>

/* From now on it is counted, in this thread. */
void hs_json_begin(void);

/* What was read or made since then may lack something. */
bool hs_json_is_scarce(void);

#endif
