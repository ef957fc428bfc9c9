/* Stops the commit thread where it is about to write an entry of the fake core's (linked with
 * --wrap=hs_lmdb_commit), and may have that fail. */
#ifndef TESTS_SUPPORT_COMMIT_GATE_H
#define TESTS_SUPPORT_COMMIT_GATE_H

#include "store/lmdb_kv.h"

#include <stdatomic.h>
#include <uv.h>

static struct {
    uv_sem_t reached, go_on;
    atomic_uint_least64_t number; /* of the entry; 0: none */
    bool fails;
} gate;

enum hs_err __real_hs_lmdb_commit(struct hs_kv *kv);
enum hs_err __wrap_hs_lmdb_commit(struct hs_kv *kv);
enum hs_err __wrap_hs_lmdb_commit(struct hs_kv *kv)
{
    struct hs_kv_key key = {0};
    hs_kv_key_add_u64(&key, gate.number);
    if (gate.number == 0 || !hs_kv_has(kv, 0, hs_kv_key_bytes(&key)))
        return __real_hs_lmdb_commit(kv);
    gate.number = 0;
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
    gate.number = 0;
    gate.fails = false;
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
