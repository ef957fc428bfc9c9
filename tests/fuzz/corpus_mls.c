/* Seeds of MLS: every message that the worlds' members, and those outside, can send (mls_world.h). */
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"
#include "fuzz/mls_repair.h"
#include "fuzz/random.h"
#include "mls/leaf.h"
#include "mls/member.h"

#include <stdio.h>

enum { OUTSIDE = MLS_MEMBERS, PENDING = 1 << 4, REVERT = 1 << 5 };

static const struct mls_world *world;
static unsigned which;

/* A message of the present world for the member and the hub, as it is and to be repaired. */
static void add_message(const char *name, const struct hs_writer *message)
{
    static const uint8_t more[] = {MLS_REPAIR_NONE, MLS_REPAIR_SIGN, MLS_REPAIR_TAG | REVERT,
                                   MLS_REPAIR_SEAL | PENDING};
    FUZZ_OK(message->err);
    for (size_t i = 0; i < sizeof more; i++) {
        char file[96];
        (void)snprintf(file, sizeof file, "%s_%u_%zu", name, which, i);
        uint8_t choice = (uint8_t)(which << 2 | more[i]);
        corpus_add1("mls_process", file, choice, hs_writer_bytes(message));
        corpus_add1("mls_public", file, choice & 0x0f, hs_writer_bytes(message));
    }
    char file[96];
    (void)snprintf(file, sizeof file, "%s_%u", name, which);
    corpus_add1("mls_message", file, 0, hs_writer_bytes(message));
}

static void add_commit(const char *name, unsigned by, const struct hs_mls_commit_request *request)
{
    struct mls_live MLS_LIVE live = mls_world_member(world, by);
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP),
                               HS_WRITER welcome = hs_writer(MLS_WORLD_CAP),
                               HS_WRITER info = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_commit_result result = {.commit = &commit, .welcome = &welcome, .group_info = &info};
    FUZZ_OK(hs_mls_group_commit(live.group, request, &result));
    add_message(name, &commit);
    if (welcome.len > 0)
        corpus_add1("mls_message", "welcome", 0, hs_writer_bytes(&welcome));
    corpus_add1("mls_message", "group_info", 0, hs_writer_bytes(&info));
}

/* The policy anew, beside the external senders that are there. */
struct policy {
    struct hs_mls_extension list[2];
    struct hs_writer senders;
};

static struct policy policy_make(void)
{
    struct policy policy = {.list = {{MLS_ROOM_EXTENSION, hs_bytes_str("another policy")}},
                            .senders = hs_writer(MLS_WORLD_CAP)};
    const struct hs_mls_external_sender sender = {.signature_key = HS_MLS_VIEW(world->outside.pub),
                                                  .credential_type = HS_MLS_BASIC,
                                                  .identity = hs_bytes_str("the hub")};
    FUZZ_OK(hs_mls_external_senders_write(&sender, 1, &policy.senders));
    policy.list[1] = (struct hs_mls_extension){HS_MLS_EXT_EXTERNAL_SENDERS, hs_writer_bytes(&policy.senders)};
    return policy;
}

static const struct hs_mls_reinit reinit = {
    .group_id = {(const uint8_t *)"the next group", 14}, .version = 1, .suite = 3};

static void add_commits(void)
{
    struct policy p = policy_make();
    struct hs_bytes add = hs_writer_bytes(&world->people[OUTSIDE].key_package);
    uint32_t remove = 2;
    struct hs_mls_commit_request empty = {.force_path = true};
    struct hs_mls_commit_request adding = {.adds = &add, .add_count = 1, .tree_in_welcome = true};
    struct hs_mls_commit_request removing = {.removes = &remove, .remove_count = 1};
    struct hs_mls_commit_request psk = {.psks = &mls_world_psk.id, .psk_count = 1};
    struct hs_mls_commit_request policy = {
        .set_extensions = true, .extensions = p.list, .extension_count = 2, .identity = hs_bytes_str("Ben")};
    struct hs_mls_commit_request all = {.adds = &add,
                                        .add_count = 1,
                                        .removes = &remove,
                                        .remove_count = 1,
                                        .set_extensions = true,
                                        .extensions = p.list,
                                        .extension_count = 2,
                                        .psks = &mls_world_psk.id,
                                        .psk_count = 1};
    add_commit("commit_empty", 1, &empty);
    add_commit("commit_private", 3, &(struct hs_mls_commit_request){0});
    add_commit("commit_policy", 1, &policy);
    if ((which & MLS_WORLD_WAITING) == 0) { /* what waits there doesn't go with these */
        struct hs_mls_commit_request next = {.reinit = &reinit};
        add_commit("commit_add", 1, &adding);
        add_commit("commit_add_private", 3, &adding);
        add_commit("commit_remove", 1, &removing);
        add_commit("commit_psk", 1, &psk);
        add_commit("commit_all", 1, &all);
        add_commit("commit_reinit", 1, &next);
    }
    hs_writer_free(&p.senders);
}

static void add_external_joins(void)
{
    for (unsigned resync = 0; resync < 2; resync++) {
        struct hs_mls_group HS_MLS_GROUP *group = NULL;
        struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP);
        struct hs_mls_external_join join = {.group_info = hs_writer_bytes(&world->group_info),
                                            .leaf = mls_world_leaf(world, resync ? 1 : OUTSIDE),
                                            .resync = resync,
                                            .psk_ids = &mls_world_psk.id,
                                            .psk_id_count = resync,
                                            .psks = &mls_world_psk,
                                            .psk_count = 1,
                                            .settings = hs_mls_settings_default()};
        struct hs_mls_commit_result result = {.commit = &commit};
        FUZZ_OK(hs_mls_group_join_external(&join, &result, &group));
        add_message(resync ? "external_resync" : "external_join", &commit);
    }
}

static void add_proposal(const char *name, unsigned by, const struct hs_mls_proposal_request *request)
{
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_outsider outsider = {.signer =
                                           by == OUTSIDE ? &world->people[OUTSIDE].signer : &world->outside,
                                       .newcomer = by == OUTSIDE,
                                       .group_id = hs_bytes_str("a room's id has thirty-two bytes")};
    struct mls_live MLS_LIVE live = mls_world_member(world, by < MLS_MEMBERS ? by : 0);
    outsider.epoch = hs_mls_group_epoch(live.group);
    if (by < MLS_MEMBERS)
        FUZZ_OK(hs_mls_group_propose(live.group, request, &w));
    else
        FUZZ_OK(hs_mls_outsider_propose(&outsider, request, &w));
    char file[64];
    (void)snprintf(file, sizeof file, "propose_%s_%u", name, by);
    add_message(file, &w);
}

static void add_proposals(void)
{
    struct policy p = policy_make();
    const struct hs_mls_proposal_request add = {
        .type = HS_MLS_ADD, .key_package = hs_writer_bytes(&world->people[OUTSIDE].key_package)};
    const struct hs_mls_proposal_request all[] = {
        add,
        {.type = HS_MLS_REMOVE, .leaf = 2},
        {.type = HS_MLS_PSK, .psk = mls_world_psk.id},
        {.type = HS_MLS_REINIT, .reinit = reinit},
        {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS, .extensions = p.list, .extension_count = 2},
        {.type = HS_MLS_UPDATE, .identity = hs_bytes_str("Benjamin")},
    };
    static const char *const called[] = {"add", "remove", "psk", "reinit", "policy", "update"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        add_proposal(called[i], 1, &all[i]);
        if (i < 2)
            add_proposal(called[i], 3, &all[i]); /* as a PrivateMessage */
        if (all[i].type != HS_MLS_UPDATE)
            add_proposal(called[i], OUTSIDE + 1, &all[i]);
    }
    add_proposal("add", OUTSIDE, &add);
    hs_writer_free(&p.senders);
}

static void add_posts(void)
{
    struct mls_live MLS_LIVE live = mls_world_member(world, 1);
    for (unsigned i = 0; i < 3; i++) {
        char name[32];
        struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
        FUZZ_OK(
            hs_mls_group_protect(live.group, hs_bytes_str("a post"), hs_bytes_str("context"), i * 32, &w));
        (void)snprintf(name, sizeof name, "post%u", i);
        add_message(name, &w);
    }
}

static void add_records_of(const char *name, unsigned choice, const struct mls_store *store)
{
    struct mls_store *copy = mls_store_copy(store);
    for (size_t i = 0; i < 256; i++) {
        size_t *len;
        char file[64];
        uint8_t choices[2] = {(uint8_t)choice, (uint8_t)i};
        const uint8_t *value = mls_store_value(copy, i, NULL, &len);
        if (value == NULL)
            break;
        (void)snprintf(file, sizeof file, "%s_%u_%zu", name, choice, i);
        corpus_add("mls_stored", file, hs_bytes(choices, 2), hs_bytes(value, *len));
    }
    mls_store_free(copy);
}

static void add_records(void)
{
    add_records_of("hub", which << 2 | 3, world->hub);
    add_records_of("member", which << 2 | (which + 1) % 3, world->stores[0]);
}

void corpus_mls(struct hs_arena *arena)
{
    (void)arena;
    for (which = 0; which < MLS_WORLDS; which++) {
        world = mls_world(which);
        fuzz_random_branch(1);
        add_commits();
        if ((which & MLS_WORLD_WAITING) == 0)
            add_external_joins();
        add_proposals();
        add_posts();
        add_records();
        if ((which & MLS_WORLD_WAITING) == 0)
            corpus_mls_parts(world, which);
    }
}
