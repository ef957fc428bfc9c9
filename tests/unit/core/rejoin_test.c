/* A member whose state is lost comes back by itself. ROOM-90, ROOM-91 */
#include "four_scene.h"

#include "core/core.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "mls/external.h"
#include "room/context.h"
#include "wire/limits.h"
#include "wire/unpack.h"

static enum hs_err ask_info(struct world_room *room, uint64_t epoch, uint64_t offset, Hanse__GroupInfo **out)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_frame(w), *answer = NULL;
    frame->get_group_info = WORLD_NEW(w, Hanse__GetGroupInfo, hanse__get_group_info);
    frame->body_case = HANSE__FRAME__BODY_GET_GROUP_INFO;
    frame->get_group_info->room = hs_pb_data(HS_VIEW(room->id));
    frame->get_group_info->persona = hs_pb_data(HS_VIEW(room->persona->signer.pub));
    frame->get_group_info->epoch = epoch;
    frame->get_group_info->offset = offset;
    HS_TRY(world_ask_hub(room->device, room->hub, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_GROUP_INFO);
    *out = answer->group_info;
    return HS_OK;
}

/* GroupInfo and tree, as a device gets them. */
static struct hs_bytes fetch(struct world_room *room, struct hs_writer *tree)
{
    Hanse__GroupInfo *info = NULL, *part = NULL;
    assert_ok(ask_info(room, 0, 0, &info));
    do {
        assert_ok(ask_info(room, info->epoch, tree->len, &part));
        assert_int_equal(part->offset, tree->len);
        hs_write_bytes(tree, hs_pb_bytes(part->tree));
    } while (tree->len < part->tree_size);
    assert_int_equal(tree->len, part->tree_size);
    return hs_pb_bytes(info->group_info);
}

static const uint16_t extension_types[] = {HS_POLICY_EXTENSION};

/* The external commit of a device that has nothing but its keys. resync: it takes its former leaf's place. */
static void make_rejoin(struct world_room *room, const struct hs_mls_signer *signer,
                        struct hs_bytes credential, bool resync, struct world_commit *out,
                        struct hs_mls_group **group)
{
    struct world *w = room->device->world;
    struct hs_writer HS_WRITER tree = hs_writer(HS_TREE_MAX), commit = hs_writer(1 << 20),
                               welcome = hs_writer(1 << 20), info = hs_writer(1 << 20),
                               bare = hs_writer(1 << 20), context = hs_writer(1 << 16);
    struct hs_message_context empty = {0};
    uint64_t now = (uint64_t)w->now.ms / 1000;
    struct hs_bytes group_info = fetch(room, &tree);
    assert_ok(hs_message_context_pack(&empty, &context));
    struct hs_mls_external_join join = {.group_info = group_info,
                                        .tree = hs_writer_bytes(&tree),
                                        .leaf = {.signer = signer,
                                                 .identity = credential,
                                                 .not_before = now - 3600,
                                                 .not_after = now + 84 * 86400,
                                                 .extension_types = extension_types,
                                                 .extension_type_count = 1},
                                        .resync = resync,
                                        .authenticated_data = hs_writer_bytes(&context),
                                        .settings = world_settings()};
    struct hs_mls_commit_result result = {&commit, &welcome, &info};
    assert_ok(hs_mls_group_join_external(&join, &result, group));
    assert_ok(hs_mls_group_info(*group, false, &bare));
    *out = (struct world_commit){.commit = world_take(w, &commit), .group_info = world_take(w, &bare)};
}

static enum hs_err submit(struct world_room *room, const struct world_commit *c)
{
    enum hs_err err = world_ask_hub(room->device, room->hub, world_commit_frame(room, c), NULL);
    world_settle(room->device->world);
    return err;
}

/* Loses the room's state, comes back, and goes on. */
static enum hs_err come_back(struct world_room *room)
{
    struct world_commit c;
    struct hs_mls_group *group = NULL;
    make_rejoin(room, &room->persona->mls, room->persona->credential, true, &c, &group);
    hs_mls_group_free(room->group);
    room->group = group;
    room->anchor = room->tip.next_seq;
    return submit(room, &c);
}

static void post_and_read(struct world_room *from, struct world_room *to, const char *text)
{
    size_t before = to->post_count;
    assert_ok(world_post(from, text, NULL));
    world_settle(from->device->world);
    assert_int_equal(to->post_count, before + 1);
    assert_string_equal(to->posts[before], text);
}

/* ROOM-90: at the hub and through another node; it may go on with everything afterwards. */
static void lost_state_comes_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *rooms[] = {s.alices, s.cems};
    for (size_t i = 0; i < 2; i++) {
        uint64_t epoch = hs_mls_group_epoch(s.room->group);
        assert_ok(come_back(rooms[i]));
        assert_int_equal(hs_mls_group_epoch(s.room->group), epoch + 1);
        assert_int_equal(hs_mls_group_epoch(rooms[i]->group), epoch + 1);
        assert_false(hs_mls_group_is_unsettled(s.room->group));
        post_and_read(s.room, rooms[i], "you are back");
        post_and_read(rooms[i], s.room, "I am");
        post_and_read(rooms[i], s.bobs, "I am");
        assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), 4);
        assert_ok(world_update(s.room));
        post_and_read(s.room, rooms[i], "go on");
    }
    assert_ok(world_remove(s.room, s.alices)); /* by the leaf that it has now */
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), 3);
}

/* ROOM-93: the place in the log stands beside it, and whether a proposal waits. */
static void the_place_in_the_log(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    Hanse__GroupInfo *info = NULL;
    assert_ok(world_post(s.room, "one more", NULL));
    world_settle(w);
    assert_ok(ask_info(s.cems, 0, 0, &info));
    assert_int_equal(info->next_seq, s.cems->tip.next_seq);
    assert_bytes(hs_pb_bytes(info->hash), HS_VIEW(s.cems->tip.hash));
    assert_int_equal(info->hub_time_ms, s.cems->tip.hub_time.ms);
    assert_false(info->leaving);
    struct hs_writer HS_WRITER message = hs_writer(1 << 16);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REMOVE,
                                                    .leaf = hs_mls_group_own_leaf(s.alices->group)};
    assert_ok(hs_mls_group_propose(s.alices->group, &request, &message));
    assert_ok(world_ask(s.alice, world_post_frame(s.alices, world_take(w, &message)), NULL));
    world_settle(w);
    assert_ok(ask_info(s.cems, 0, 0, &info));
    assert_true(info->leaving);
    assert_ok(world_update(s.room));
    world_settle(w);
    assert_ok(ask_info(s.cems, 0, 0, &info));
    assert_false(info->leaving);
}

/* Who has left waits on behind a way back, and can't take one; the next commit takes her out, whoever makes
 * it. ROOM-68, ROOM-90 */
static void who_left_waits_on(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_writer HS_WRITER message = hs_writer(1 << 16);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REMOVE,
                                                    .leaf = hs_mls_group_own_leaf(s.alices->group)};
    struct world_commit c;
    struct hs_mls_group *group = NULL;
    make_rejoin(s.alices, &s.alices->persona->mls, s.alices->persona->credential, true, &c, &group);
    hs_mls_group_free(group);
    assert_ok(hs_mls_group_propose(s.alices->group, &request, &message));
    assert_ok(world_ask(s.alice, world_post_frame(s.alices, world_take(w, &message)), NULL));
    world_settle(w);
    assert_err(submit(s.alices, &c), HS_ERR_NOT_MEMBER);
    assert_ok(come_back(s.cems));
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), 4);
    struct world_commit leaves_her;
    world_commit_update(s.room, &leaves_her);
    assert_err(submit(s.room, &leaves_her), HS_ERR_POLICY);
    hs_mls_group_drop(s.room->group);
    assert_ok(world_remove(s.bobs, s.alices)); /* who may remove nobody */
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), 3);
    assert_err(world_remove(s.bobs, s.cems), HS_ERR_POLICY);
}

/* Its verdicts count by its new leaf, also where that lies elsewhere. */
static void the_new_leaf_counts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint32_t former = hs_mls_group_own_leaf(s.cems->group);
    assert_ok(world_remove(s.room, s.alices));
    assert_ok(come_back(s.cems));
    assert_true(hs_mls_group_own_leaf(s.cems->group) < former); /* where alice was */
    s.rosa->silent = s.bob->silent = true;                      /* cem alone speaks */
    world_settle(w);
    assert_ok(world_update(s.bobs));
    world_pass(w, 6000);
    assert_false(hs_mls_group_is_unsettled(s.bobs->group));
    post_and_read(s.bobs, s.cems, "heard");
}

/* ROOM-91: members alone get it, of the settled epoch, piece by piece. */
static void what_is_asked_is_checked(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    Hanse__GroupInfo *info;
    assert_ok(ask_info(s.alices, 0, 0, &info));
    assert_err(ask_info(s.alices, info->epoch + 1, 0, &info), HS_ERR_WRONG_EPOCH);
    assert_ok(ask_info(s.alices, 0, 0, &info));
    uint64_t epoch = info->epoch;
    assert_err(ask_info(s.alices, epoch, HS_BLOB_CHUNK, &info), HS_ERR_NOT_FOUND);
    struct world_room stranger = *s.alices;
    stranger.persona = s.bobs->persona; /* alice's session, bob's name */
    assert_err(ask_info(&stranger, 0, 0, &info), HS_ERR_WRONG_SENDER);
    s.rosa->silent = s.bob->silent = s.alice->silent = s.cem->silent = true;
    struct world_commit c;
    world_commit_update(s.room, &c);
    assert_ok(submit(s.room, &c));
    assert_err(ask_info(s.alices, 0, 0, &info), HS_ERR_UNSETTLED);
    assert_ok(world_remove(s.room, s.bobs) == HS_ERR_UNSETTLED ? HS_OK : HS_ERR_UNEXPECTED);
}

/* ROOM-50, ROOM-90: who is banned and still has a leaf, and a device that is revoked, can't put new keys into
 * that leaf from outside either. */
static void the_banned_and_the_revoked_stay_outside(void **state)
{
    (void)state;
    for (size_t revoked = 0; revoked < 2; revoked++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct world_commit c;
        struct hs_bytes bytes;
        struct hs_policy policy;
        struct hs_mls_group *group = NULL;
        struct hs_key persona = s.bobs->persona->signer.pub, device = s.bobs->persona->keys.signature.pub;
        const struct hs_mls_public *public = hs_mls_group_public(s.room->group);
        assert_true(hs_mls_public_extension(public, HS_POLICY_EXTENSION, &bytes));
        assert_ok(hs_policy_parse(bytes, &w->arena, &policy));
        policy.banned = revoked ? NULL : &persona;
        policy.banned_count = revoked ? 0 : 1;
        policy.revoked = revoked ? &device : NULL;
        policy.revoked_count = revoked ? 1 : 0;
        world_commit_policy(s.room, &policy, &c);
        assert_ok(submit(s.room, &c));
        world_settle(w);
        make_rejoin(s.bobs, &s.bobs->persona->mls, s.bobs->persona->credential, true, &c, &group);
        assert_err(submit(s.bobs, &c), HS_ERR_DENIED);
        hs_mls_group_free(group);
        post_and_read(s.room, s.alices, "and on");
    }
}

/* As if everybody had asked for much just now. */
static void all_have_left(struct world_node *node, double requests)
{
    struct hs_session *session, *next;
    HASH_ITER(hh, node->core->sessions.by_id, session, next)
    {
        session->meter.left[HS_FLOW_REQUESTS] = requests;
    }
}

/* ROOM-91: who can't pay for a tree makes no work. The group isn't there, so that work would show. */
static void a_tree_is_paid_for_first(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    Hanse__GroupInfo *info;
    assert_ok(ask_info(s.alices, 0, 0, &info));
    uint64_t epoch = info->epoch;
    all_have_left(s.hub, 2);
    assert_ok(ask_info(s.alices, epoch, 0, &info));
    w->forged = true;
    hs_kv_del_prefix(s.hub->kv, HS_T_GROUP, HS_VIEW(s.room->id));
    all_have_left(s.hub, 1);
    assert_err(ask_info(s.alices, epoch, 0, &info), HS_ERR_RATE_LIMITED);
    all_have_left(s.hub, 2);
    assert_err(ask_info(s.alices, epoch, 0, &info), HS_ERR_IO); /* as those outside see it */
}

/* ROOM-91, NODE-72: a commit that a reader brought back brought no GroupInfo; the next one does. */
static void what_came_back_has_none(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__GroupInfo *info = NULL;
    assert_ok(world_update(s.room));
    world_settle(w);
    world_node_restore(s.hub, backup);
    struct world_device *here[] = {s.rosa, s.alice, s.bob};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(world_connect(here[i], NULL));
        world_attach(here[i]);
    }
    for (int64_t t = 0; t < HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS; t += 1000)
        world_pass(w, 1000);
    post_and_read(s.room, s.cems, "we go on");
    assert_err(ask_info(s.alices, 0, 0, &info), HS_ERR_RECOVERING);
    assert_err(ask_info(s.cems, 0, 0, &info), HS_ERR_RECOVERING);
    assert_ok(world_update(s.room));
    world_settle(w);
    assert_ok(come_back(s.alices));
    post_and_read(s.alices, s.cems, "me too");
}

/* ROOM-61: nobody comes in who wasn't in, and nobody takes another's place. */
static void other_external_commits_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_commit c;
    struct hs_mls_group *group = NULL;
    /* a second leaf of a member, beside the first */
    struct world_persona *other = world_persona(s.bob, &s.home->root.pub);
    make_rejoin(s.alices, &other->mls, s.alices->persona->credential, false, &c, &group);
    assert_int_not_equal(submit(s.alices, &c), HS_OK);
    hs_mls_group_free(group);
    /* alice's leaf, with bob's certificate in it */
    make_rejoin(s.alices, &s.alices->persona->mls, s.bobs->persona->credential, true, &c, &group);
    assert_int_not_equal(submit(s.alices, &c), HS_OK);
    hs_mls_group_free(group);
    /* bob's own return, submitted by alice */
    make_rejoin(s.bobs, &s.bobs->persona->mls, s.bobs->persona->credential, true, &c, &group);
    assert_err(submit(s.alices, &c), HS_ERR_WRONG_SENDER);
    assert_ok(submit(s.bobs, &c) == HS_OK ? HS_OK : HS_ERR_UNEXPECTED);
    hs_mls_group_free(s.bobs->group);
    s.bobs->group = group;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_state_comes_back),
        cmocka_unit_test(the_new_leaf_counts),
        cmocka_unit_test(the_place_in_the_log),
        cmocka_unit_test(who_left_waits_on),
        cmocka_unit_test(what_is_asked_is_checked),
        cmocka_unit_test(the_banned_and_the_revoked_stay_outside),
        cmocka_unit_test(a_tree_is_paid_for_first),
        cmocka_unit_test(what_came_back_has_none),
        cmocka_unit_test(other_external_commits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
