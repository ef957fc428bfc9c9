/* The inside of struct hanse. */
#ifndef HS_API_HANDLE_H
#define HS_API_HANDLE_H

#include "hanse/hanse.h"
#include "net/conn.h"
#include "store/db.h"
#include "sync/sync.h"

struct hanse {
    struct hs_db *db;
    struct hs_sync *sync;
    struct hs_conn *conn; /* NULL: no session */
    bool told_authenticated;
    enum hs_err broken;    /* this machine's trouble: the handle can only be closed */
    struct hs_arena shown; /* what the last call's views point into */
    struct hs_uv_driver *uv;
};

struct hs_time hs_api_now(void);

/* Every change: open, work, close with the work's error. The store's transaction is committed where it is OK,
 * and then what came out is released; else nothing happened. */
enum hs_err hs_api_open(struct hanse *h, struct hs_step *s, struct hs_arena *arena);
enum hs_err hs_api_close(struct hanse *h, struct hs_step *s, enum hs_err err);

/* Every look: the arena is the handle's, and lives until the next call. */
enum hs_err hs_api_look(struct hanse *h, struct hs_step *s);
enum hanse_err hs_api_looked(struct hanse *h, enum hs_err err);

/* uv.c, no_uv.c: the application has called something: where a loop of libuv drives this handle, that has
 * something to run for. */
void hs_uv_called(struct hanse *h);

static inline struct hs_id hs_api_id(const struct hanse_id *id)
{
    struct hs_id out;
    memcpy(out.b, id->b, sizeof out.b);
    return out;
}

static inline struct hs_key hs_api_key(const struct hanse_id *id)
{
    struct hs_key out;
    memcpy(out.b, id->b, sizeof out.b);
    return out;
}

#endif
