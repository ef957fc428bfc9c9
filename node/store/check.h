/* Is a store what it should be? The logs hang together, bodies are what their headers say, heads are signed
 * and for these logs, and everything that is made from records is what its records make. */
#ifndef HS_STORE_CHECK_H
#define HS_STORE_CHECK_H

#include "base/bytes.h"
#include "store/lmdb_kv.h"

enum { HS_CHECK_TEXT = 240, HS_CHECK_PROBLEMS = 20 /* told; more are counted */ };

enum hs_check_stage { HS_CHECK_LOGS, HS_CHECK_REBUILD, HS_CHECK_COMPARE };

struct hs_check_result {
    uint64_t rooms, room_records, records, views; /* that were looked at */
    uint64_t problems;
};

struct hs_check {
    struct hs_key root;
    struct hs_lmdb *store;  /* only read */
    struct hs_lmdb *beside; /* an empty store, which takes as much space as the first */
    /* Either may be NULL. A problem's text names no bodies and no keys but rooms' ids. */
    void (*progress)(void *arg, enum hs_check_stage stage, uint64_t done);
    void (*problem)(void *arg, const char *text);
    void *arg;
    struct hs_check_result result;
};

/* The result is OK where the check came to its end, whatever it found. UNSUPPORTED for an unknown layout; the
 * stores' errors, NOMEM. */
enum hs_err hs_check_run(struct hs_check *check);

/* Of check*.c only: tells a problem; and the logs of all rooms (check_rooms.c). */
__attribute__((format(printf, 2, 3))) void hs_check_tell(struct hs_check *check, const char *format, ...);
enum hs_err hs_check_rooms(struct hs_check *check, struct hs_kv *kv);

#endif
