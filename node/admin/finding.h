/* The running node and the world's domains: shows its own descriptor, and looks for others'; and wakes
 * devices. */
#ifndef HS_ADMIN_FINDING_H
#define HS_ADMIN_FINDING_H

#include "admin/site.h"
#include "net/net.h"

struct hs_finding;

/* Starts what the configuration wants; before hs_net_new(), whose discover and discover_arg are then
 * hs_finding_ask() and the finding. why: a sentence. INVALID_ARG, IO, NOMEM, BUSY. */
enum hs_err hs_finding_new(const struct hs_site *site, struct hs_finding **out,
                           char why[static HS_CONFIG_WHY]);

/* From now on what is found is told to net. */
enum hs_err hs_finding_connect(struct hs_finding *finding, struct hs_net *net);

void hs_finding_ask(void *finding, const struct hs_key *root, const char *domain);

/* Posts nothing to the URL: for net's wake and wake_arg. */
void hs_finding_wake(void *finding, const struct hs_key *device, const char *url);

/* The descriptor was renewed. */
void hs_finding_show(struct hs_finding *finding, struct hs_bytes descriptor);

/* Where the descriptor is shown, with the real port; NULL where it isn't. */
const char *hs_finding_address(const struct hs_finding *finding);

/* Before hs_net_free(): ends the threads. */
void hs_finding_stop(struct hs_finding *finding);
/* After it. NULL is fine. */
void hs_finding_free(struct hs_finding *finding);

#endif
