/* Stops the commit thread where it is about to write (linked with --wrap=hs_lmdb_commit), and has that fail.
 */
#ifndef TESTS_SUPPORT_COMMIT_GATE_H
#define TESTS_SUPPORT_COMMIT_GATE_H

#include "store/lmdb_kv.h"

#include <uv.h>

static struct {
    uv_sem_t reached, go_on;
    bool stops, fails; /* the next one */
} gate;

enum hs_err __real_hs_lmdb_commit(struct hs_kv *kv);
enum hs_err __wrap_hs_lmdb_commit(struct hs_kv *kv);
enum hs_err __wrap_hs_lmdb_commit(struct hs_kv *kv)
{
    if (!gate.stops)
        return __real_hs_lmdb_commit(kv);
    gate.stops = false;
    uv_sem_post(&gate.reached);
    uv_sem_wait(&gate.go_on);
    if (!gate.fails)
        return __real_hs_lmdb_commit(kv);
    gate.fails = false;
    hs_lmdb_abort(kv);
    return HS_ERR_STORE_FULL;
}

static bool gate_make(void)
{
    gate.stops = gate.fails = false;
    return uv_sem_init(&gate.reached, 0) == 0 && uv_sem_init(&gate.go_on, 0) == 0;
}

/* Whoever still waits there goes on. */
static void gate_open(void)
{
    uv_sem_post(&gate.go_on);
}

static void gate_free(void)
{
    uv_sem_destroy(&gate.reached);
    uv_sem_destroy(&gate.go_on);
}

#endif
