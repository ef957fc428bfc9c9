#include "mls/extensions.h"

#include "mls/external.h"
#include "mls/leaf.h"

/* What the writers' lists may take: their number is bounded, the parts are bounded one by one. */
enum { EXTENSION_CAP = HS_MLS_MAX_EXTERNAL_SENDERS * (HS_MLS_MAX_IDENTITY + 1024) };

static void read_sender(struct hs_reader *r, struct hs_mls_external_sender *sender)
{
    sender->signature_key = hs_read_mls_vec(r);
    hs_mls_read_credential(r, &sender->credential_type, &sender->identity);
}

enum hs_err hs_mls_external_senders_write(const struct hs_mls_external_sender *senders, size_t count,
                                          struct hs_writer *out)
{
    HS_REQUIRE(count <= HS_MLS_MAX_EXTERNAL_SENDERS, HS_ERR_INVALID_ARG);
    struct hs_writer HS_WRITER list = hs_writer(EXTENSION_CAP);
    for (size_t i = 0; i < count; i++) {
        HS_REQUIRE(senders[i].identity.len <= HS_MLS_MAX_IDENTITY && senders[i].signature_key.len > 0,
                   HS_ERR_INVALID_ARG);
        hs_write_mls_vec(&list, senders[i].signature_key);
        hs_mls_write_credential(&list, senders[i].credential_type, senders[i].identity);
    }
    HS_TRY(list.err);
    hs_write_mls_vec(out, hs_writer_bytes(&list));
    return out->err;
}

enum hs_err hs_mls_external_senders_read(struct hs_bytes extension, uint32_t index,
                                         struct hs_mls_external_sender *out)
{
    struct hs_reader r = hs_reader(extension);
    struct hs_reader list = hs_read_mls_sub(&r);
    HS_TRY(hs_reader_finish(&r));
    for (uint32_t i = 0; hs_reader_left(&list) > 0; i++) {
        read_sender(&list, out);
        HS_TRY(list.err);
        if (i == index)
            return HS_OK;
    }
    return HS_ERR_NOT_FOUND;
}

static enum hs_err external_senders_check(struct hs_bytes extension)
{
    struct hs_mls_external_sender sender;
    struct hs_reader r = hs_reader(extension);
    struct hs_reader list = hs_read_mls_sub(&r);
    HS_TRY(hs_reader_finish(&r));
    for (int count = 0; hs_reader_left(&list) > 0; count++) {
        HS_REQUIRE(count < HS_MLS_MAX_EXTERNAL_SENDERS, HS_ERR_MALFORMED);
        read_sender(&list, &sender);
        HS_TRY(list.err);
        HS_REQUIRE(sender.identity.len <= HS_MLS_MAX_IDENTITY, HS_ERR_MALFORMED);
    }
    return HS_OK;
}

static enum hs_err write_types(struct hs_writer *out, const uint16_t *types, size_t count)
{
    HS_REQUIRE(count <= HS_MLS_MAX_CAPABILITIES, HS_ERR_INVALID_ARG);
    hs_write_mls_len(out, 2 * count);
    for (size_t i = 0; i < count; i++)
        hs_write_u16(out, types[i]);
    return out->err;
}

enum hs_err hs_mls_required_write(const struct hs_mls_required *required, struct hs_writer *out)
{
    HS_TRY(write_types(out, required->extensions, required->extension_count));
    HS_TRY(write_types(out, required->proposals, required->proposal_count));
    return write_types(out, required->credentials, required->credential_count);
}

enum hs_err hs_mls_required_read(struct hs_bytes extension, struct hs_mls_required_lists *out)
{
    struct hs_reader r = hs_reader(extension);
    out->extensions = hs_read_mls_vec(&r);
    out->proposals = hs_read_mls_vec(&r);
    out->credentials = hs_read_mls_vec(&r);
    HS_TRY(hs_reader_finish(&r));
    const size_t most = 2 * (size_t)HS_MLS_MAX_CAPABILITIES;
    const struct hs_bytes lists[] = {out->extensions, out->proposals, out->credentials};
    for (int i = 0; i < 3; i++)
        HS_REQUIRE(lists[i].len % 2 == 0 && lists[i].len <= most, HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_mls_group_extensions_check(struct hs_bytes extensions)
{
    struct hs_bytes data;
    struct hs_mls_required_lists required;
    HS_REQUIRE(hs_mls_extensions_are_sound(extensions), HS_ERR_MALFORMED);
    if (hs_mls_extension_find(extensions, HS_MLS_EXT_EXTERNAL_SENDERS, &data))
        HS_TRY(external_senders_check(data));
    if (hs_mls_extension_find(extensions, HS_MLS_EXT_REQUIRED_CAPABILITIES, &data))
        HS_TRY(hs_mls_required_read(data, &required));
    return HS_OK;
}
