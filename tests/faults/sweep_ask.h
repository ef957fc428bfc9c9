/* Who asks for pages, and who answers for other domains: neither is to be hit by a fault. */
#ifndef TESTS_FAULTS_SWEEP_ASK_H
#define TESTS_FAULTS_SWEEP_ASK_H

#include "base/err.h"

/* GET path: OK where all of text came, DENIED for another status, CLOSED where no whole answer came, TIMEOUT,
 * UNREACHABLE; INVALID_STATE where something else came as a whole page. */
enum hs_err sweep_get(const char *address, const char *path, const char *text, int patience_ms);

/* Asks the running node of that directory for its status, as hansed status does: OK where it says it, DENIED
 * where it says why not, CLOSED, TIMEOUT, UNREACHABLE. */
enum hs_err sweep_ask_operator(const char *dir, int patience_ms);

/* A process that answers at loopback addresses, until its parent ends: DNS (SWEEP_DOMAIN has an SRV record
 * that names its port 7700 at 127.0.0.9) and HTTP (SWEEP_PAGE for every GET, 204 for every POST). */
#define SWEEP_DOMAIN "there.example"
#define SWEEP_PAGE   "what a domain shows"
struct sweep_answers {
    char dns[64], http[64];
};
void sweep_answers_start(struct sweep_answers *out);

#endif
