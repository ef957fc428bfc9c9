/* The caller's store behind the stage's interface. */
#include "mls_api/api.h"

void hanse_mls_value_write(struct hanse_mls_value *value, const void *data, size_t len)
{
    hs_write_bytes((struct hs_writer *)value, hs_bytes(data, len));
}

static enum hs_err store_get(void *context, struct hs_bytes key, struct hs_writer *value)
{
    const struct hanse_mls_store *user = context;
    HS_TRY((enum hs_err)user->get(user->context, hs_mls_api_out(key), (struct hanse_mls_value *)value));
    return value->err;
}

static enum hs_err store_put(void *context, struct hs_bytes key, struct hs_bytes value)
{
    const struct hanse_mls_store *user = context;
    return (enum hs_err)user->put(user->context, hs_mls_api_out(key), hs_mls_api_out(value));
}

static enum hs_err store_del(void *context, struct hs_bytes prefix)
{
    const struct hanse_mls_store *user = context;
    return (enum hs_err)user->del(user->context, hs_mls_api_out(prefix));
}

enum hs_err hs_mls_api_store_set(struct hs_mls_api_store *store, const struct hanse_mls_store *from)
{
    struct hanse_mls_store user;
    HS_TRY(hs_mls_api_take(&user, sizeof user, from));
    HS_REQUIRE(user.get != NULL && user.put != NULL && user.del != NULL, HS_ERR_INVALID_ARG);
    store->user = user;
    store->inner =
        (struct hs_mls_store){.context = &store->user, .get = store_get, .put = store_put, .del = store_del};
    return HS_OK;
}

bool hs_mls_api_store_is_set(const struct hs_mls_api_store *store)
{
    return store->inner.get != NULL;
}
