/* The running node reads again what its operator has changed. */
#ifndef HS_ADMIN_RELOAD_H
#define HS_ADMIN_RELOAD_H

#include "admin/control.h"
#include "admin/site.h"

enum { HS_RELOAD_KEYS = 256 };

struct hs_reloaded {
    char why[HS_CONFIG_WHY];      /* a refusal: a sentence that names the file, and the line */
    char restart[HS_RELOAD_KEYS]; /* keys that have changed and count from the next start on, with commas */
};

/* Takes over the log's level and form, the limits of connections, what is said of other nodes, and this
 * node's descriptor. Where the files have a mistake everything stays as it was: CONFIG, or the error of a
 * file. Logs the outcome. From the loop's thread. */
enum hs_err hs_reload(struct hs_control_node *node, struct hs_reloaded *out);

#endif
