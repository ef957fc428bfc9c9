#include "mls/message.h"

#include "mls/framing.h"

enum hs_err hs_mls_message_peek(struct hs_bytes message, struct hs_mls_peek *peek)
{
    struct hs_mls_public_message pub;
    struct hs_mls_private_message priv;
    struct hs_mls_group_context context;
    struct hs_reader r = hs_reader(message);
    *peek = (struct hs_mls_peek){.wire_format = hs_mls_read_head(&r)};
    HS_TRY(r.err);
    if (peek->wire_format == HS_MLS_PUBLIC_MESSAGE) {
        hs_mls_read_public_message(&r, &pub);
        HS_TRY(hs_reader_finish(&r));
        const struct hs_mls_content *content = &pub.authed.content;
        peek->group_id = content->group_id;
        peek->epoch = content->epoch;
        peek->content_type = content->type;
        peek->sender_known = true;
        peek->sender = content->sender;
        peek->authenticated_data = content->authenticated_data;
    } else if (peek->wire_format == HS_MLS_PRIVATE_MESSAGE) {
        hs_mls_read_private_message(&r, &priv);
        HS_TRY(hs_reader_finish(&r));
        peek->group_id = priv.group_id;
        peek->epoch = priv.epoch;
        peek->content_type = priv.type;
        peek->authenticated_data = priv.authenticated_data;
    } else if (peek->wire_format == HS_MLS_GROUP_INFO) {
        hs_mls_read_group_context(&r, &context);
        peek->group_id = context.group_id;
        peek->epoch = context.epoch;
    }
    return r.err;
}

static enum hs_err read_welcome(struct hs_bytes message, struct hs_mls_welcome *welcome)
{
    struct hs_reader r = hs_reader(message);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    HS_REQUIRE(format == HS_MLS_WELCOME, HS_ERR_UNEXPECTED);
    hs_mls_read_welcome(&r, welcome);
    return hs_reader_finish(&r);
}

enum hs_err hs_mls_welcome_cut(struct hs_bytes message, struct hs_bytes key_package_ref,
                               struct hs_writer *out)
{
    struct hs_mls_welcome welcome;
    HS_TRY(read_welcome(message, &welcome));
    struct hs_reader r = hs_reader(welcome.secrets);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_encrypted_secrets item;
        const uint8_t *start = r.pos;
        hs_mls_read_encrypted_secrets(&r, &item);
        if (!hs_bytes_equal(item.ref, key_package_ref))
            continue;
        welcome.secrets = hs_mls_between(&r, start);
        hs_mls_write_head(out, HS_MLS_WELCOME);
        hs_mls_write_welcome(out, &welcome);
        return out->err;
    }
    return HS_ERR_NOT_FOUND;
}

enum hs_err hs_mls_welcome_ref(struct hs_bytes message, size_t index, struct hs_bytes *key_package_ref)
{
    struct hs_mls_welcome welcome;
    HS_TRY(read_welcome(message, &welcome));
    struct hs_reader r = hs_reader(welcome.secrets);
    for (size_t i = 0; hs_reader_left(&r) > 0; i++) {
        struct hs_mls_encrypted_secrets item;
        hs_mls_read_encrypted_secrets(&r, &item);
        if (i == index) {
            *key_package_ref = item.ref;
            return r.err;
        }
    }
    return HS_ERR_NOT_FOUND;
}
