/* Rooms, made as clients make them: genesis, an invite, a JOIN of each, and commits that admit as many as
 * fit. */
#include "load.h"

#include "mls/key_package.h"
#include "room/content.h"
#include "room/context.h"
#include "room/genesis.h"
#include "room/invite.h"
#include "room/invite_link.h"
#include "room/join.h"
#include "room/suite.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdlib.h>

enum { BATCH = 60, POST = 300, POST_MAX = 8192, DAY_MS = 86400000, INDEX = 1 << 14 };

static const uint16_t extension_types[] = {HS_POLICY_EXTENSION};
static struct load_room *found[INDEX]; /* by id, open addressing */

static size_t slot_of(struct hs_bytes id)
{
    uint32_t first;
    memcpy(&first, id.data, sizeof first);
    size_t slot = first % INDEX;
    while (found[slot] != NULL && memcmp(found[slot]->id.b, id.data, HS_HASH_LEN) != 0)
        slot = (slot + 1) % INDEX;
    return slot;
}

struct load_room *load_room_find(struct hs_bytes id)
{
    struct load_room *room = id.len == HS_HASH_LEN ? found[slot_of(id)] : NULL;
    if (room == NULL)
        load_fail("a room that nobody made");
    return room;
}

static struct hs_mls_leaf_params leaf_params(const struct load_persona *p, const struct hs_mls_signer *signer)
{
    uint64_t now = (uint64_t)load_now().ms / 1000;
    return (struct hs_mls_leaf_params){.signer = signer,
                                       .identity = p->credential,
                                       .not_before = now - 3600,
                                       .not_after = now + 84 * 86400,
                                       .extension_types = extension_types,
                                       .extension_type_count = 1};
}

static struct hs_bytes keep(struct hs_writer *w)
{
    LOAD_OK(w->err);
    return hs_arena_copy(load_arena(), hs_writer_bytes(w));
}

static void create(struct load_room *room)
{
    const struct load_persona *p = &room->owner->home;
    struct hs_policy_role role = {.key = p->signer.pub, .role = HS_ROOM_OWNER};
    struct hs_policy policy = {.name = hs_bytes_str("load"),
                               .kind = HS_ROOM_GROUP,
                               .roles = &role,
                               .role_count = 1,
                               .max_members = (uint32_t)room->member_count,
                               .hub_root = room->hub->root.pub,
                               .hub_term = HS_POLICY_HUB_TERM_FIRST};
    struct hs_writer HS_WRITER body = hs_writer(1 << 20), bytes = hs_writer(1 << 20),
                               info = hs_writer(1 << 20);
    struct hs_genesis_spec spec = {
        .device = &p->keys.signature, .certificate = p->certificate, .policy = &policy, .now = load_now()};
    LOAD_OK(hs_genesis_build(&spec, &body, &room->id));
    LOAD_OK(hs_policy_pack(&policy, &bytes));
    struct hs_mls_signer signer = hs_room_signer(&p->keys.signature);
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, hs_writer_bytes(&bytes)};
    struct hs_mls_create make = {.leaf = leaf_params(p, &signer),
                                 .group_id = HS_VIEW(room->id),
                                 .extensions = &extension,
                                 .extension_count = 1,
                                 .settings = hs_mls_settings_default()};
    LOAD_OK(hs_mls_group_create(&make, &room->group));
    LOAD_OK(hs_mls_group_info(room->group, true, &info));
    found[slot_of(HS_VIEW(room->id))] = room;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__CreateRoom request = HANSE__CREATE_ROOM__INIT;
    request.genesis = hs_pb_data(hs_writer_bytes(&body));
    request.group_info = hs_pb_data(hs_writer_bytes(&info));
    frame.create_room = &request;
    frame.body_case = HANSE__FRAME__BODY_CREATE_ROOM;
    load_ask(room->owner, &frame);
}

static void invite(struct load_room *room, struct hs_signer *key)
{
    struct load_persona *p = &room->owner->home;
    struct hs_writer HS_WRITER body = hs_writer(1 << 16);
    struct hs_time now = load_now();
    uint8_t seed[16];
    randombytes_buf(seed, sizeof seed);
    hs_invite_signer(seed, key);
    struct hs_invite_spec spec = {.device = &p->keys.signature,
                                  .certificate = p->certificate,
                                  .room = room->id,
                                  .invite_key = key->pub,
                                  .max_uses = (uint32_t)room->member_count,
                                  .now = now,
                                  .not_after = {now.ms + DAY_MS}};
    LOAD_OK(hs_invite_build(&spec, &body));
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__PutInvite request = HANSE__PUT_INVITE__INIT;
    request.room = hs_pb_data(HS_VIEW(room->id));
    request.persona = hs_pb_data(HS_VIEW(p->signer.pub));
    request.invite = hs_pb_data(hs_writer_bytes(&body));
    frame.put_invite = &request;
    frame.body_case = HANSE__FRAME__BODY_PUT_INVITE;
    load_ask(room->owner, &frame);
}

/* Asks the hub, through the device's home where that is another node. */
static void ask_hub(struct load_device *device, const struct load_node *hub, Hanse__Frame *inner)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Forward forward = HANSE__FORWARD__INIT;
    struct hs_writer HS_WRITER bytes = hs_writer(HS_FRAME_MAX);
    char *address = (char *)(uintptr_t)hub->address;
    if (device->node == hub) {
        load_ask(device, inner);
        return;
    }
    inner->id = 1;
    LOAD_OK(HS_PACK(inner, &bytes));
    forward.node_root = hs_pb_data(HS_VIEW(hub->root.pub));
    forward.addresses = &address;
    forward.n_addresses = 1;
    forward.frame = hs_pb_data(hs_writer_bytes(&bytes));
    frame.forward = &forward;
    frame.body_case = HANSE__FRAME__BODY_FORWARD;
    load_ask(device, &frame);
}

/* One who asks to be let in. */
struct joiner {
    struct hs_bytes key_package;
    struct hs_id join;
};

static void join(struct load_room *room, struct load_device *device, const struct hs_signer *key,
                 struct joiner *out)
{
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_writer HS_WRITER package = hs_writer(1 << 16), body = hs_writer(1 << 16);
    const struct load_persona *p = load_persona_at(device, room->hub);
    struct hs_mls_signer signer = hs_room_signer(&p->keys.signature);
    struct hs_mls_leaf_params params = leaf_params(p, &signer);
    LOAD_OK(hs_mls_key_package_new(&params, false, &package, &priv));
    out->key_package = keep(&package);
    struct hs_join_spec spec = {.invite = key,
                                .room = room->id,
                                .persona = p->signer.pub,
                                .home_root = device->node->root.pub,
                                .key_package = out->key_package,
                                .now = load_now()};
    LOAD_OK(hs_join_build(&spec, &body));
    out->join = hs_record_body_hash(hs_writer_bytes(&body));
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Join request = HANSE__JOIN__INIT;
    request.room = hs_pb_data(HS_VIEW(room->id));
    request.join = hs_pb_data(hs_writer_bytes(&body));
    frame.join = &request;
    frame.body_case = HANSE__FRAME__BODY_JOIN;
    ask_hub(device, room->hub, &frame);
}

static void admit(struct load_room *room, const struct joiner *joiners, size_t count)
{
    struct hs_bytes adds[BATCH];
    struct hs_id joins[BATCH];
    struct hs_writer HS_WRITER context = hs_writer(HS_CONTEXT_MAX), commit = hs_writer(1 << 20);
    struct hs_writer HS_WRITER welcome = hs_writer(1 << 20), info = hs_writer(1 << 20);
    struct hs_mls_commit_result result = {&commit, &welcome, &info};
    for (size_t i = 0; i < count; i++) {
        adds[i] = joiners[i].key_package;
        joins[i] = joiners[i].join;
    }
    struct hs_message_context facts = {.joins = joins, .join_count = count};
    LOAD_OK(hs_message_context_pack(&facts, &context));
    struct hs_mls_commit_request request = {.adds = adds,
                                            .add_count = count,
                                            .authenticated_data = hs_writer_bytes(&context),
                                            .bare_group_info = true};
    LOAD_OK(hs_mls_group_commit(room->group, &request, &result));
    LOAD_OK(hs_mls_group_accept(room->group));
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__SubmitCommit s = HANSE__SUBMIT_COMMIT__INIT;
    s.room = hs_pb_data(HS_VIEW(room->id));
    s.persona = hs_pb_data(HS_VIEW(room->owner->home.signer.pub));
    s.commit = hs_pb_data(hs_writer_bytes(&commit));
    s.welcome = hs_pb_data(hs_writer_bytes(&welcome));
    s.group_info = hs_pb_data(hs_writer_bytes(&info));
    frame.submit_commit = &s;
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_COMMIT;
    load_ask(room->owner, &frame);
}

static void place_add(struct load_device *device, struct load_room *room)
{
    if (device->place_count == device->place_size) {
        device->place_size = device->place_size > 0 ? 2 * device->place_size : 1;
        device->places = realloc(device->places, device->place_size * sizeof *device->places);
        if (device->places == NULL)
            load_fail("no memory");
    }
    device->places[device->place_count++] =
        (struct load_place){.room = room, .next = room->joined.next_seq, .told = room->joined.next_seq};
}

static void begin(struct load_room *room)
{
    struct load_device **members = room->members;
    size_t count = room->member_count;
    *room = (struct load_room){.hub = members[0]->node,
                               .owner = members[0],
                               .members = members,
                               .member_count = count,
                               .readers = count,
                               .post_size = POST};
    create(room);
}

/* Everybody is in: they read from here. */
static void joined(struct load_room *room)
{
    room->tip = room->joined = room->owner->answer.tip;
    for (size_t i = 0; i < room->member_count; i++)
        place_add(room->members[i], room);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        load_fail("no memory");
    return memory;
}

void load_room_make(struct load_room *room, struct load_device **members, size_t count)
{
    struct joiner *joiners = allocate(count, sizeof *joiners);
    struct hs_signer HS_SIGNER key = {0};
    room->members = members;
    room->member_count = count;
    begin(room);
    load_settle();
    invite(room, &key);
    load_settle();
    for (size_t i = 1; i < count; i++)
        join(room, members[i], &key, &joiners[i]);
    load_settle();
    for (size_t i = 1; i < count; i += BATCH) {
        admit(room, joiners + i, count - i < BATCH ? count - i : BATCH);
        load_settle();
    }
    joined(room);
    free(joiners);
}

void load_rooms_make(struct load_room *rooms, size_t count)
{
    struct hs_signer *keys = allocate(count, sizeof *keys);
    struct joiner(*joiners)[1 + BATCH] = allocate(count, sizeof *joiners);
    for (size_t r = 0; r < count; r++)
        begin(&rooms[r]);
    load_settle();
    for (size_t r = 0; r < count; r++)
        invite(&rooms[r], &keys[r]);
    load_settle();
    for (size_t r = 0; r < count; r++)
        for (size_t i = 1; i < rooms[r].member_count; i++)
            join(&rooms[r], rooms[r].members[i], &keys[r], &joiners[r][i]);
    load_settle();
    for (size_t r = 0; r < count; r++)
        admit(&rooms[r], joiners[r] + 1, rooms[r].member_count - 1);
    load_settle();
    for (size_t r = 0; r < count; r++)
        joined(&rooms[r]);
    free(joiners);
    free(keys);
}

static struct hs_bytes protect(struct load_room *room)
{
    struct hs_writer HS_WRITER content = hs_writer(1 << 16), message = hs_writer(1 << 16),
                               aad = hs_writer(1 << 10);
    char text[POST_MAX];
    memset(text, 'x', sizeof text);
    struct hs_content c = hs_content_text(hs_bytes(text, room->post_size), load_now());
    struct hs_message_context context = {
        .has_head = true, .head_seq = room->joined.next_seq - 1, .head_hash = room->joined.hash};
    LOAD_OK(hs_content_build(&c, &content));
    LOAD_OK(hs_message_context_pack(&context, &aad));
    LOAD_OK(hs_mls_group_protect(room->group, hs_writer_bytes(&content), hs_writer_bytes(&aad), 0, &message));
    size_t len;
    uint8_t *data = hs_writer_steal(&message, &len);
    return hs_bytes(data, len);
}

void load_room_fill(struct load_room *room, size_t count)
{
    room->pool = realloc(room->pool, (room->pool_len + count) * sizeof *room->pool);
    if (room->pool == NULL)
        load_fail("no memory");
    for (size_t i = 0; i < count; i++)
        room->pool[room->pool_len++].bytes = protect(room);
}

void load_room_post(struct load_room *room, size_t posters)
{
    struct load_device *by =
        room->members[room->poster++ % (posters < room->member_count ? posters : room->member_count)];
    if (room->pool_used == room->pool_len)
        load_room_fill(room, 64);
    struct hs_bytes message = room->pool[room->pool_used++].bytes;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__SubmitMessage s = HANSE__SUBMIT_MESSAGE__INIT;
    s.room = hs_pb_data(HS_VIEW(room->id));
    s.persona = hs_pb_data(HS_VIEW(load_persona_at(by, room->hub)->signer.pub));
    s.message = hs_pb_data(message);
    frame.submit_message = &s;
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    load_note_sent(message);
    load_ask(by, &frame);
    free((void *)(uintptr_t)message.data);
}

void load_room_free(struct load_room *room)
{
    for (size_t i = room->pool_used; i < room->pool_len; i++)
        free((void *)(uintptr_t)room->pool[i].bytes.data);
    found[slot_of(HS_VIEW(room->id))] = NULL; /* all rooms of a part are freed together */
    hs_mls_group_free(room->group);
    free(room->entries);
    free(room->bytes);
    free((void *)(uintptr_t)room->head.data);
    free(room->pool);
}
