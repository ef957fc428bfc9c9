/* libhanse-mls: the store of a group: small records.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_STORE_H
#define HANSE_MLS_STORE_H

#include <hanse/mls/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A map of the caller's, one a group; keys have at most HANSE_MLS_KEY_MAX bytes (put a group's name before
 * them where several share one map). A save writes what has changed and no more: O(log n) bytes after a
 * commit. It belongs into one transaction with whatever else the caller stores at that moment; where that
 * fails, free the group and load it again. A loaded or saved group reads its pieces from the store when it
 * needs them: context must stay, and be readable, as long as the group lives. Every value is secret. A group
 * that was never saved begins in an empty map: nothing of a former one is deleted by itself. Whoever is done
 * with a group deletes all of its records. */
enum { HANSE_MLS_KEY_MAX = 40 };

/* Where get() puts what it found, with one call or in parts. */
struct hanse_mls_value;
HANSE_API void hanse_mls_value_write(struct hanse_mls_value *value, const void *data, size_t len);

struct hanse_mls_store {
    size_t size;
    void *context;
    /* NOT_FOUND where there is no such record; other errors go up as they are. */
    enum hanse_err (*get)(void *context, struct hanse_mls_bytes key, struct hanse_mls_value *value);
    /* Writes or overwrites. */
    enum hanse_err (*put)(void *context, struct hanse_mls_bytes key, struct hanse_mls_bytes value);
    /* Deletes every record whose key begins with prefix (also: is prefix); none is fine. */
    enum hanse_err (*del)(void *context, struct hanse_mls_bytes prefix);
};

#ifdef __cplusplus
}
#endif

#endif
