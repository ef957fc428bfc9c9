/* The ways into a group: create it, join it, follow it. */
#include "mls_api/api.h"

static enum hs_err create_group(const struct hanse_mls_create *from, struct hanse_mls_group **out)
{
    struct hanse_mls_create given;
    struct hs_mls_group *inner;
    HS_TRY(hs_mls_api_take(&given, sizeof given, from));
    struct hs_mls_create create = {
        .group_id = hs_mls_api_in(given.group_id),
        .extensions = (const struct hs_mls_extension *)given.extensions,
        .extension_count = given.extension_count,
    };
    HS_TRY(hs_mls_api_leaf(given.leaf, &create.leaf));
    HS_TRY(hs_mls_api_settings(given.settings, &create.settings));
    HS_TRY(hs_mls_group_create(&create, &inner));
    return hs_mls_api_group_new(inner, out);
}

enum hanse_err hanse_mls_group_create(const struct hanse_mls_create *create, struct hanse_mls_group **out)
{
    *out = NULL;
    return hs_mls_api_err(create_group(create, out));
}

static enum hs_err join_group(const struct hanse_mls_join *from, struct hanse_mls_group **out)
{
    struct hanse_mls_join given;
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_mls_group *inner;
    HS_TRY(hs_mls_api_take(&given, sizeof given, from));
    HS_REQUIRE(given.signer != NULL, HS_ERR_INVALID_ARG);
    HS_TRY(hs_mls_key_package_private_load(hs_mls_api_in(given.private_half), &priv));
    struct hs_mls_join join = {
        .welcome = hs_mls_api_in(given.welcome),
        .key_package = hs_mls_api_in(given.key_package),
        .priv = &priv,
        .signer = hs_mls_api_signer(given.signer),
        .tree = hs_mls_api_in(given.tree),
        .psks = (const struct hs_mls_psk *)given.psks,
        .psk_count = given.psk_count,
        .from = given.from != NULL ? given.from->inner : NULL,
    };
    HS_TRY(hs_mls_api_settings(given.settings, &join.settings));
    HS_TRY(hs_mls_group_join(&join, &inner));
    return hs_mls_api_group_new(inner, out);
}

enum hanse_err hanse_mls_group_join(const struct hanse_mls_join *join, struct hanse_mls_group **out)
{
    *out = NULL;
    return hs_mls_api_err(join_group(join, out));
}

static enum hs_err external_inner(const struct hanse_mls_external_join *from,
                                  const struct hs_mls_commit_result *result, struct hanse_mls_group **out)
{
    struct hanse_mls_external_join given;
    struct hs_mls_group *inner;
    HS_TRY(hs_mls_api_take(&given, sizeof given, from));
    struct hs_mls_external_join join = {
        .group_info = hs_mls_api_in(given.group_info),
        .tree = hs_mls_api_in(given.tree),
        .resync = given.resync,
        .psk_ids = (const struct hs_mls_psk_id *)given.psk_ids,
        .psk_id_count = given.psk_id_count,
        .psks = (const struct hs_mls_psk *)given.psks,
        .psk_count = given.psk_count,
        .authenticated_data = hs_mls_api_in(given.authenticated_data),
    };
    HS_TRY(hs_mls_api_leaf(given.leaf, &join.leaf));
    HS_TRY(hs_mls_api_settings(given.settings, &join.settings));
    HS_TRY(hs_mls_group_join_external(&join, result, &inner));
    return hs_mls_api_group_new(inner, out);
}

static enum hs_err external(const struct hanse_mls_external_join *from, struct hanse_mls_buf *commit,
                            struct hanse_mls_buf *group_info, struct hanse_mls_group **out)
{
    struct hs_writer HS_WRITER message = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_writer HS_WRITER info = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_commit_result result = {.commit = &message,
                                          .group_info = group_info != NULL ? &info : NULL};
    HS_TRY(external_inner(from, &result, out));
    enum hs_err err = message.err != HS_OK ? message.err : info.err;
    if (err != HS_OK) {
        hanse_mls_group_free(*out);
        *out = NULL;
        return err;
    }
    HS_TRY(hs_mls_api_give(&message, commit));
    return group_info != NULL ? hs_mls_api_give(&info, group_info) : HS_OK;
}

enum hanse_err hanse_mls_group_join_external(const struct hanse_mls_external_join *join,
                                             struct hanse_mls_buf *commit, struct hanse_mls_buf *group_info,
                                             struct hanse_mls_group **out)
{
    *out = NULL;
    *commit = (struct hanse_mls_buf){0};
    if (group_info != NULL)
        *group_info = (struct hanse_mls_buf){0};
    return hs_mls_api_err(external(join, commit, group_info, out));
}

static enum hs_err succeed(const struct hanse_mls_successor *from, struct hanse_mls_buf *welcome,
                           struct hanse_mls_group **out)
{
    struct hanse_mls_successor given;
    struct hs_mls_group *inner;
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_api_take(&given, sizeof given, from));
    HS_REQUIRE(given.from != NULL, HS_ERR_INVALID_ARG);
    struct hs_mls_successor successor = {
        .from = given.from->inner,
        .usage = (enum hs_mls_psk_usage)given.usage,
        .adds = (const struct hs_bytes *)given.adds,
        .add_count = given.add_count,
        .group_id = hs_mls_api_in(given.group_id),
        .extensions = (const struct hs_mls_extension *)given.extensions,
        .extension_count = given.extension_count,
        .tree_in_welcome = given.tree_in_welcome,
    };
    HS_TRY(hs_mls_api_leaf(given.leaf, &successor.leaf));
    HS_TRY(hs_mls_api_settings(given.settings, &successor.settings));
    HS_TRY(hs_mls_group_succeed(&successor, &w, &inner));
    HS_TRY(hs_mls_api_group_new(inner, out));
    return hs_mls_api_give(&w, welcome);
}

enum hanse_err hanse_mls_group_succeed(const struct hanse_mls_successor *successor,
                                       struct hanse_mls_buf *welcome, struct hanse_mls_group **out)
{
    *out = NULL;
    *welcome = (struct hanse_mls_buf){0};
    return hs_mls_api_err(succeed(successor, welcome, out));
}
