/* Proposals, commits, Welcomes. */
#include "mls/codec.h"

/* Walks a list with one element's reader, so that later walks need no checks. */
#define WALK(list, parent, type, read_one)                                                                   \
    do {                                                                                                     \
        struct hs_reader walk_ = hs_reader(list);                                                            \
        while (hs_reader_left(&walk_) > 0) {                                                                 \
            type item_;                                                                                      \
            read_one(&walk_, &item_);                                                                        \
        }                                                                                                    \
        if (walk_.err != HS_OK)                                                                              \
            hs_reader_fail(parent, walk_.err);                                                               \
    } while (0)

void hs_mls_read_psk_id(struct hs_reader *r, struct hs_mls_psk_id *psk)
{
    const uint8_t *start = r->pos;
    *psk = (struct hs_mls_psk_id){.type = hs_read_u8(r)};
    if (psk->type == HS_MLS_PSK_EXTERNAL) {
        psk->id = hs_read_mls_vec(r);
    } else if (psk->type == HS_MLS_PSK_RESUMPTION) {
        psk->usage = hs_read_u8(r);
        psk->group_id = hs_read_mls_vec(r);
        psk->epoch = hs_read_u64(r);
    } else {
        hs_reader_fail(r, HS_ERR_MALFORMED);
    }
    psk->nonce = hs_read_mls_vec(r);
    psk->raw = hs_mls_between(r, start);
}

void hs_mls_write_psk_id(struct hs_writer *w, const struct hs_mls_psk_id *psk)
{
    hs_write_u8(w, (uint8_t)psk->type);
    if (psk->type == HS_MLS_PSK_EXTERNAL) {
        hs_write_mls_vec(w, psk->id);
    } else {
        hs_write_u8(w, (uint8_t)psk->usage);
        hs_write_mls_vec(w, psk->group_id);
        hs_write_u64(w, psk->epoch);
    }
    hs_write_mls_vec(w, psk->nonce);
}

static struct hs_bytes read_extension_list(struct hs_reader *r)
{
    struct hs_bytes list = hs_read_mls_vec(r);
    struct hs_reader walk = hs_reader(list);
    while (hs_reader_left(&walk) > 0) {
        uint16_t type;
        struct hs_bytes data;
        hs_mls_read_extension(&walk, &type, &data);
    }
    if (walk.err != HS_OK)
        hs_reader_fail(r, walk.err);
    return list;
}

static void read_reinit(struct hs_reader *r, struct hs_mls_reinit *reinit)
{
    reinit->group_id = hs_read_mls_vec(r);
    reinit->version = hs_read_u16(r);
    reinit->suite = hs_read_u16(r);
    reinit->extensions = read_extension_list(r);
}

static void write_reinit(struct hs_writer *w, const struct hs_mls_reinit *reinit)
{
    hs_write_mls_vec(w, reinit->group_id);
    hs_write_u16(w, reinit->version);
    hs_write_u16(w, reinit->suite);
    hs_write_mls_vec(w, reinit->extensions);
}

void hs_mls_read_proposal(struct hs_reader *r, struct hs_mls_proposal *proposal)
{
    const uint8_t *start = r->pos;
    proposal->type = hs_read_u16(r);
    switch (proposal->type) {
    case HS_MLS_ADD:
        hs_mls_read_key_package(r, &proposal->add);
        break;
    case HS_MLS_UPDATE:
        hs_mls_read_leaf_node(r, &proposal->update);
        break;
    case HS_MLS_REMOVE:
        proposal->removed = hs_read_u32(r);
        break;
    case HS_MLS_PSK:
        hs_mls_read_psk_id(r, &proposal->psk);
        break;
    case HS_MLS_REINIT:
        read_reinit(r, &proposal->reinit);
        break;
    case HS_MLS_EXTERNAL_INIT:
        proposal->kem_output = hs_read_mls_vec(r);
        break;
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        proposal->extensions = read_extension_list(r);
        break;
    default:
        hs_reader_fail(r, HS_ERR_UNSUPPORTED);
    }
    proposal->raw = hs_mls_between(r, start);
}

void hs_mls_write_proposal(struct hs_writer *w, const struct hs_mls_proposal *proposal)
{
    hs_write_u16(w, (uint16_t)proposal->type);
    switch (proposal->type) {
    case HS_MLS_ADD:
        hs_mls_write_key_package(w, &proposal->add);
        break;
    case HS_MLS_UPDATE:
        hs_mls_write_leaf_node(w, &proposal->update);
        break;
    case HS_MLS_REMOVE:
        hs_write_u32(w, proposal->removed);
        break;
    case HS_MLS_PSK:
        hs_mls_write_psk_id(w, &proposal->psk);
        break;
    case HS_MLS_REINIT:
        write_reinit(w, &proposal->reinit);
        break;
    case HS_MLS_EXTERNAL_INIT:
        hs_write_mls_vec(w, proposal->kem_output);
        break;
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        hs_write_mls_vec(w, proposal->extensions);
        break;
    }
}

enum { BY_VALUE = 1, BY_REF = 2 };

void hs_mls_read_proposal_or_ref(struct hs_reader *r, struct hs_mls_proposal_or_ref *item)
{
    uint8_t kind = hs_read_u8(r);
    item->by_ref = kind == BY_REF;
    if (kind == BY_VALUE)
        hs_mls_read_proposal(r, &item->proposal);
    else if (kind == BY_REF)
        item->ref = hs_read_mls_vec(r);
    else
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

void hs_mls_write_proposal_or_ref(struct hs_writer *w, const struct hs_mls_proposal_or_ref *item)
{
    hs_write_u8(w, item->by_ref ? BY_REF : BY_VALUE);
    if (item->by_ref)
        hs_write_mls_vec(w, item->ref);
    else
        hs_mls_write_proposal(w, &item->proposal);
}

void hs_mls_read_hpke(struct hs_reader *r, struct hs_mls_hpke_ciphertext *c)
{
    c->kem = hs_read_mls_vec(r);
    c->ciphertext = hs_read_mls_vec(r);
}

void hs_mls_write_hpke(struct hs_writer *w, const struct hs_mls_hpke_ciphertext *c)
{
    hs_write_mls_vec(w, c->kem);
    hs_write_mls_vec(w, c->ciphertext);
}

void hs_mls_read_path_node(struct hs_reader *r, struct hs_mls_path_node *node)
{
    node->encryption_key = hs_read_mls_vec(r);
    node->secrets = hs_read_mls_vec(r);
    WALK(node->secrets, r, struct hs_mls_hpke_ciphertext, hs_mls_read_hpke);
}

void hs_mls_read_update_path(struct hs_reader *r, struct hs_mls_update_path *path)
{
    hs_mls_read_leaf_node(r, &path->leaf);
    path->nodes = hs_read_mls_vec(r);
    WALK(path->nodes, r, struct hs_mls_path_node, hs_mls_read_path_node);
}

void hs_mls_write_update_path(struct hs_writer *w, const struct hs_mls_update_path *path)
{
    hs_mls_write_leaf_node(w, &path->leaf);
    hs_write_mls_vec(w, path->nodes);
}

void hs_mls_read_commit(struct hs_reader *r, struct hs_mls_commit *commit)
{
    commit->proposals = hs_read_mls_vec(r);
    WALK(commit->proposals, r, struct hs_mls_proposal_or_ref, hs_mls_read_proposal_or_ref);
    uint8_t present = hs_read_u8(r);
    if (present > 1)
        hs_reader_fail(r, HS_ERR_MALFORMED);
    commit->has_path = present == 1;
    commit->path = (struct hs_mls_update_path){0};
    if (commit->has_path)
        hs_mls_read_update_path(r, &commit->path);
}

void hs_mls_write_commit(struct hs_writer *w, const struct hs_mls_commit *commit)
{
    hs_write_mls_vec(w, commit->proposals);
    hs_write_u8(w, commit->has_path ? 1 : 0);
    if (commit->has_path)
        hs_mls_write_update_path(w, &commit->path);
}

void hs_mls_read_group_secrets(struct hs_reader *r, struct hs_mls_group_secrets *secrets)
{
    secrets->joiner_secret = hs_read_mls_vec(r);
    uint8_t present = hs_read_u8(r);
    if (present > 1)
        hs_reader_fail(r, HS_ERR_MALFORMED);
    secrets->has_path_secret = present == 1;
    secrets->path_secret = present == 1 ? hs_read_mls_vec(r) : (struct hs_bytes){0};
    secrets->psks = hs_read_mls_vec(r);
    WALK(secrets->psks, r, struct hs_mls_psk_id, hs_mls_read_psk_id);
}

void hs_mls_write_group_secrets(struct hs_writer *w, const struct hs_mls_group_secrets *secrets)
{
    hs_write_mls_vec(w, secrets->joiner_secret);
    hs_write_u8(w, secrets->has_path_secret ? 1 : 0);
    if (secrets->has_path_secret)
        hs_write_mls_vec(w, secrets->path_secret);
    hs_write_mls_vec(w, secrets->psks);
}

void hs_mls_read_encrypted_secrets(struct hs_reader *r, struct hs_mls_encrypted_secrets *item)
{
    item->ref = hs_read_mls_vec(r);
    hs_mls_read_hpke(r, &item->secrets);
}

void hs_mls_write_encrypted_secrets(struct hs_writer *w, const struct hs_mls_encrypted_secrets *item)
{
    hs_write_mls_vec(w, item->ref);
    hs_mls_write_hpke(w, &item->secrets);
}

void hs_mls_read_welcome(struct hs_reader *r, struct hs_mls_welcome *welcome)
{
    welcome->suite = hs_read_u16(r);
    welcome->secrets = hs_read_mls_vec(r);
    WALK(welcome->secrets, r, struct hs_mls_encrypted_secrets, hs_mls_read_encrypted_secrets);
    welcome->group_info = hs_read_mls_vec(r);
}

void hs_mls_write_welcome(struct hs_writer *w, const struct hs_mls_welcome *welcome)
{
    hs_write_u16(w, welcome->suite);
    hs_write_mls_vec(w, welcome->secrets);
    hs_write_mls_vec(w, welcome->group_info);
}
