/* The client's store: LMDB with sealed values, one transaction at a time. */
#ifndef HS_STORE_DB_H
#define HS_STORE_DB_H

#include "base/kv.h"

struct hs_db;

/* key: 32 bytes of the caller's. LOCKED where another program has the directory, SEAL where it was made with
 * another key, UNSUPPORTED by another version, else the errors of hs_lmdb_open(). */
enum hs_err hs_db_open(const char *dir, const uint8_t key[static 32], struct hs_db **out);

/* Aborts what is open. NULL is fine. */
void hs_db_close(struct hs_db *db);

/* The one write transaction; it ends with hs_db_commit() or hs_db_abort(). NOMEM, STORE. */
enum hs_err hs_db_begin(struct hs_db *db, struct hs_kv **out);

/* Durable when OK; the transaction's sticky error where it has one, and then nothing of it happened. */
enum hs_err hs_db_commit(struct hs_db *db);
void hs_db_abort(struct hs_db *db);

/* The one read transaction; it ends with hs_db_end_read(). */
enum hs_err hs_db_begin_read(struct hs_db *db, struct hs_kv **out);
void hs_db_end_read(struct hs_db *db);

#endif
