/* The running node reads again what its operator has changed. */
#ifndef HS_ADMIN_RELOAD_H
#define HS_ADMIN_RELOAD_H

#include "net/net.h"

/* What other nodes may do. A mistake in the files is logged, and everything stays as it was. From the loop's
 * thread. */
void hs_reload(struct hs_net *net, const char *config_path);

#endif
