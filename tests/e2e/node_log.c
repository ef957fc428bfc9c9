#include "node_log.h"

#include "core/core.h"
#include "core/records/table.h"
#include "store/lmdb_kv.h"
#include "wire/unpack.h"

enum { MAP = 1 << 30, SCRATCH = 16 << 20 };

enum hs_err node_log_each(const char *store, const struct hs_id *room, node_log_body *each, void *arg)
{
    struct hs_lmdb_options options = {
        .dir = store, .mode = HS_LMDB_READ_BESIDE, .tables = HS_CORE_TABLES, .map_size = MAP, .map_max = MAP};
    struct hs_lmdb *db;
    struct hs_kv *kv = NULL;
    struct hs_kv_key from = {0};
    HS_TRY(hs_lmdb_open(&options, &db));
    enum hs_err err = hs_lmdb_begin_read(db, &kv);
    for (bool more = err == HS_OK; more;) {
        struct hs_arena HS_ARENA arena = hs_arena(SCRATCH);
        struct hs_bytes key, value;
        Hanse__State__RoomEntry *entry;
        more = hs_kv_next(kv, HS_T_ROOM_LOG, HS_VIEW(*room), hs_kv_key_bytes(&from), &arena, &key, &value);
        if (!more)
            break;
        from = hs_kv_after(key);
        err = HS_UNPACK(hanse__state__room_entry, value, HS_LENIENT, &arena, &entry);
        more = err == HS_OK;
        if (more)
            each(arg, hs_pb_bytes(entry->body), &arena);
    }
    if (kv != NULL)
        hs_lmdb_abort(kv);
    hs_lmdb_close(db);
    return err;
}
