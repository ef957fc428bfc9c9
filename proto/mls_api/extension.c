/* Lists of extensions, and the two that the RFC defines for a group. */
#include "mls/codec.h"
#include "mls_api/api.h"

bool hanse_mls_extension_find(struct hanse_mls_bytes list, uint16_t type, struct hanse_mls_bytes *data)
{
    struct hs_bytes found = {0};
    bool there = hs_mls_extension_find(hs_mls_api_in(list), type, &found);
    *data = hs_mls_api_out(found);
    return there;
}

bool hanse_mls_extension_next(struct hanse_mls_bytes *list, struct hanse_mls_extension *extension)
{
    struct hs_reader r = hs_reader(hs_mls_api_in(*list));
    struct hs_bytes data = {0};
    uint16_t type = 0;
    if (hs_reader_left(&r) == 0)
        return false;
    hs_mls_read_extension(&r, &type, &data);
    if (r.err != HS_OK)
        return false;
    *extension = (struct hanse_mls_extension){.type = type, .data = hs_mls_api_out(data)};
    *list = hanse_mls_bytes(r.pos, hs_reader_left(&r));
    return true;
}

static enum hs_err write_list(const struct hanse_mls_extension *list, size_t count, struct hanse_mls_buf *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    for (size_t i = 0; i < count; i++)
        hs_mls_write_extension(&w, list[i].type, hs_mls_api_in(list[i].data));
    HS_TRY(w.err);
    HS_REQUIRE(hs_mls_extensions_are_sound(hs_writer_bytes(&w)), HS_ERR_INVALID_ARG);
    return hs_mls_api_give(&w, out);
}

static enum hs_err write_required(const struct hanse_mls_required *required, struct hanse_mls_buf *data)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_required_write((const struct hs_mls_required *)required, &w));
    return hs_mls_api_give(&w, data);
}

static enum hs_err write_senders(const struct hanse_mls_external_sender *senders, size_t count,
                                 struct hanse_mls_buf *data)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_external_senders_write((const struct hs_mls_external_sender *)senders, count, &w));
    return hs_mls_api_give(&w, data);
}

enum hanse_err hanse_mls_extensions_write(const struct hanse_mls_extension *list, size_t count,
                                          struct hanse_mls_buf *out)
{
    *out = (struct hanse_mls_buf){0};
    return hs_mls_api_err(write_list(list, count, out));
}

enum hanse_err hanse_mls_required_write(const struct hanse_mls_required *required, struct hanse_mls_buf *data)
{
    *data = (struct hanse_mls_buf){0};
    return hs_mls_api_err(write_required(required, data));
}

enum hanse_err hanse_mls_external_senders_write(const struct hanse_mls_external_sender *senders, size_t count,
                                                struct hanse_mls_buf *data)
{
    *data = (struct hanse_mls_buf){0};
    return hs_mls_api_err(write_senders(senders, count, data));
}

enum hanse_err hanse_mls_external_senders_read(struct hanse_mls_bytes data, uint32_t index,
                                               struct hanse_mls_external_sender *out)
{
    return hs_mls_api_err(
        hs_mls_external_senders_read(hs_mls_api_in(data), index, (struct hs_mls_external_sender *)out));
}
