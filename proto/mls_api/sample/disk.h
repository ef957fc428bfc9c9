/* A store for a group: any map will do that deletes by prefix. This one is a list in memory; a real one seals
 * what it writes, and each save is one transaction. */
#include <hanse/mls.h>

#include <stdlib.h>

struct record {
    struct record *next;
    struct hanse_mls_bytes key, value; /* both behind the record itself */
};

static enum hanse_err disk_get(void *disk, struct hanse_mls_bytes key, struct hanse_mls_value *value)
{
    for (struct record *r = *(struct record **)disk; r != NULL; r = r->next)
        if (hanse_mls_bytes_equal(r->key, key)) {
            hanse_mls_value_write(value, r->value.data, r->value.len);
            return HANSE_OK;
        }
    return HANSE_ERR_NOT_FOUND;
}

/* Deletes what has that key, or begins with it. */
static void disk_drop(struct record **disk, struct hanse_mls_bytes key, bool whole)
{
    for (struct record **at = disk; *at != NULL;) {
        struct record *r = *at;
        if ((whole ? r->key.len == key.len : r->key.len >= key.len) &&
            memcmp(r->key.data, key.data, key.len) == 0) {
            *at = r->next;
            free(r);
        } else {
            at = &r->next;
        }
    }
}

static enum hanse_err disk_del(void *disk, struct hanse_mls_bytes prefix)
{
    disk_drop(disk, prefix, false);
    return HANSE_OK;
}

static enum hanse_err disk_put(void *disk, struct hanse_mls_bytes key, struct hanse_mls_bytes value)
{
    struct record *r = malloc(sizeof *r + key.len + value.len);
    if (r == NULL)
        return HANSE_ERR_NOMEM;
    uint8_t *bytes = (uint8_t *)(r + 1);
    memcpy(bytes, key.data, key.len);
    if (value.len > 0)
        memcpy(bytes + key.len, value.data, value.len);
    disk_drop(disk, key, true);
    r->key = hanse_mls_bytes(bytes, key.len);
    r->value = hanse_mls_bytes(bytes + key.len, value.len);
    r->next = *(struct record **)disk;
    *(struct record **)disk = r;
    return HANSE_OK;
}
