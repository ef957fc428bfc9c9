/* What a device does with records and inbox items: checked as a real client would, and kept for the tests. */
#include "world.h"

#include "identity/descriptor.h"
#include "room/blob.h"
#include "room/content.h"
#include "room/head.h"
#include "room/hub_move.h"
#include "room/join.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdio.h>

static void keep_post(struct world_room *room, const char *text, size_t len)
{
    assert_true(room->post_count < WORLD_POSTS);
    char *post = room->posts[room->post_count++];
    size_t kept = len < sizeof room->posts[0] ? len : sizeof room->posts[0] - 1;
    memcpy(post, text, kept);
    post[kept] = '\0';
}

static void take_post(struct world_room *room, const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_content content;
    if (hs_key_equal(&header->sender_persona, &room->persona->signer.pub)) {
        assert_true(room->own_count < room->sent_count);
        const char *text = room->sent[room->own_count++];
        keep_post(room, text, strlen(text));
        return;
    }
    assert_ok(hs_mls_group_process(room->group, body, &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_APPLICATION);
    assert_ok(hs_content_parse(event->plaintext, &arena, &content));
    keep_post(room, (const char *)content.text.data, content.text.len);
}

/* JOINs that the commit admitted don't wait any more. */
static void forget_waiting(struct world_room *room, const struct hs_mls_change *change)
{
    size_t kept = 0;
    for (size_t i = 0; i < room->waiting_count; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct hs_mls_key_package_facts facts;
        struct hs_bytes package;
        bool admitted = false;
        assert_ok(hs_join_key_package(room->waiting[i], &arena, &package));
        assert_ok(hs_mls_key_package_check(package, (uint64_t)room->device->world->now.ms / 1000, &facts));
        for (size_t n = 0; n < change->added_count; n++)
            admitted = admitted ||
                       hs_bytes_equal(HS_MLS_VIEW(change->added[n].key_package_ref), HS_MLS_VIEW(facts.ref));
        if (!admitted)
            room->waiting[kept++] = room->waiting[i];
    }
    room->waiting_count = kept;
}

/* As an honest member's client does at once. */
static void confirm(struct world_room *room, const struct hs_record_header *header)
{
    struct world *w = room->device->world;
    struct world_device *d = room->device;
    uint32_t leaf = hs_mls_group_own_leaf(room->group);
    if (d->session == 0 || d->silent)
        return;
    Hanse__Frame *frame = world_confirm_frame(room, header, leaf, d->doubts);
    if (d->node != room->hub)
        frame = world_forward_frame(w, room->hub, frame);
    frame->id = ++d->last_id;
    world_send(w, d->session, world_pack(w, &frame->base));
}

struct hs_mls_settings world_settings(void)
{
    struct hs_mls_settings settings = hs_mls_settings_default();
    settings.settling = true;
    return settings;
}

/* Who leaves is out with its record. */
static void take_proposal(struct world_room *room, const struct hs_record_header *header,
                          struct hs_bytes body)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    if (hs_key_equal(&header->sender_persona, &room->persona->signer.pub))
        return;
    assert_ok(hs_mls_group_process(room->group, body, &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_PROPOSAL);
}

static void take_settled(struct world_room *room)
{
    if (room->group != NULL && hs_mls_group_is_unsettled(room->group))
        assert_ok(hs_mls_group_settle(room->group));
}

static void take_void(struct world_room *room)
{
    if (hs_mls_group_is_unsettled(room->group))
        assert_ok(hs_mls_group_revert(room->group));
    hs_mls_group_drop(room->group);
    memcpy(room->waiting, room->waited, sizeof room->waiting);
    room->waiting_count = room->waited_count;
}

static void take_commit(struct world_room *room, const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    memcpy(room->waited, room->waiting, sizeof room->waited);
    room->waited_count = room->waiting_count;
    room->newest = *header;
    assert_ok(hs_mls_group_process(room->group, body, &event));
    if (room->device->doubts != HS_OK) {
        confirm(room, header);
        return;
    }
    room->commits++;
    if (event->kind == HS_MLS_EVENT_OWN_COMMIT) {
        forget_waiting(room, hs_mls_group_pending_change(room->group));
        assert_ok(hs_mls_group_accept(room->group));
        return;
    }
    assert_int_equal(event->kind, HS_MLS_EVENT_COMMIT);
    forget_waiting(room, hs_mls_staged_change(event->staged));
    confirm(room, header);
    assert_ok(hs_mls_group_merge(room->group, event->staged));
}

static struct world_node *node_of(struct world *w, struct hs_bytes root)
{
    for (size_t i = 0; i < w->node_count; i++)
        if (hs_bytes_equal(root, HS_VIEW(w->nodes[i].root.pub)))
            return &w->nodes[i];
    fail_msg("an unknown hub");
    return NULL;
}

static void take_hub_move(struct world_room *room, const struct hs_record_header *header,
                          struct hs_bytes body)
{
    struct hs_hub_move move;
    struct world *w = room->device->world;
    assert_ok(hs_hub_move_verify(body, &room->id, header->hub_time, &w->arena, &move));
    room->next_hub = node_of(w, HS_VIEW(move.office.root));
}

static void take_record(struct world_room *room, const Hanse__Record *record)
{
    struct hs_record_header header;
    struct hs_bytes body = hs_pb_bytes(record->body);
    /* Each record once and in order: DELIVERY-7. */
    assert_ok(hs_log_check_next(&room->tip, &room->id, hs_pb_bytes(record->header), body, &header));
    room->records++;
    if (header.kind == HS_RECORD_JOIN) {
        assert_true(room->waiting_count < WORLD_WAITING);
        room->waiting[room->waiting_count++] = world_copy(room->device->world, body);
    }
    if (header.seq == room->anchor)
        return;
    if (header.kind == HS_RECORD_COMMIT)
        take_commit(room, &header, body);
    if (header.kind == HS_RECORD_PROPOSAL)
        take_proposal(room, &header, body);
    if (header.kind == HS_RECORD_SETTLED)
        take_settled(room);
    if (header.kind == HS_RECORD_VOID)
        take_void(room);
    if (header.kind == HS_RECORD_POST && !header.erased)
        take_post(room, &header, body);
    if (header.kind == HS_RECORD_HUB_MOVE)
        take_hub_move(room, &header, body);
}

void world_take_records(struct world_device *d, const Hanse__Records *records)
{
    struct hs_id id;
    struct hs_head head;
    assert_true(HS_FIXED(hs_pb_bytes(records->room), &id));
    struct world_room *room = world_room_of(d, &id);
    assert_non_null(room);
    assert_true(room->joined);
    for (size_t i = 0; i < records->n_records; i++)
        take_record(room, records->records[i]);
    if (records->descriptor != NULL) {
        struct hs_descriptor now;
        assert_ok(hs_descriptor_open(records->descriptor, &room->hub->root.pub, &now));
        room->head_key = now.signing_key;
    }
    assert_ok(hs_head_verify(records->head, &room->head_key, &id, &head)); /* DELIVERY-8 */
    if (room->next_hub != NULL) { /* ROOM-82: heads behind this record are the new hub's */
        assert_int_equal(head.seq + 1, room->tip.next_seq);
        room->hub = room->next_hub;
        room->head_key = room->hub->signer.pub;
        room->next_hub = NULL;
    }
    enum hs_err err = hs_head_check_tip(&head, &room->tip);
    assert_true(err == HS_OK || err == HS_ERR_LOG_GAP);
    assert_true(head.seq + 1 >= room->tip.next_seq);
}

/* The room for a Welcome: the waiting one, or (counter) one that nobody named before. */
static struct world_room *welcomed_room(struct world_device *d, const struct hs_id *id)
{
    struct world_room *fresh = NULL;
    for (size_t i = 0; i < d->room_count; i++) {
        struct world_room *room = &d->rooms[i];
        if (hs_id_equal(&room->id, id) && !room->joined)
            return room;
        if (fresh == NULL && !room->joined && hs_id_equal(&room->id, &(struct hs_id){0}))
            fresh = room;
    }
    assert_non_null(fresh);
    fresh->id = *id;
    return fresh;
}

enum hs_err world_chunk(struct world_device *d, const struct hs_id *room, struct hs_bytes hash,
                        uint64_t offset, Hanse__Chunk **chunk)
{
    Hanse__Frame *frame = world_frame(d->world), *answer;
    Hanse__GetChunk *get = WORLD_NEW(d->world, Hanse__GetChunk, hanse__get_chunk);
    get->hash = hs_pb_data(hash);
    get->offset = offset;
    get->room = hs_pb_data(HS_VIEW(*room));
    frame->get_chunk = get;
    frame->body_case = HANSE__FRAME__BODY_GET_CHUNK;
    HS_TRY(world_ask(d, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_CHUNK);
    if (chunk != NULL)
        *chunk = answer->chunk;
    return HS_OK;
}

struct hs_bytes world_tree(struct world_device *d, const Hanse__WelcomeItem *item)
{
    assert_non_null(item->tree); /* DELIVERY-31 */
    struct hs_bytes hash = hs_pb_bytes(item->tree->hash);
    struct hs_writer HS_WRITER nodes = hs_writer(HS_TREE_MAX);
    struct hs_id room;
    if (hash.len == 0)
        return hs_pb_bytes(item->tree->bytes);
    assert_true(HS_FIXED(hs_pb_bytes(item->room), &room));
    while (nodes.len < item->tree->size) {
        Hanse__Chunk *chunk;
        assert_ok(world_chunk(d, &room, hash, nodes.len, &chunk));
        assert_int_equal(chunk->offset, nodes.len);
        assert_int_equal(chunk->size, item->tree->size);
        hs_write_bytes(&nodes, hs_pb_bytes(chunk->data));
    }
    struct hs_id is = hs_blob_hash(hs_writer_bytes(&nodes));
    assert_bytes(HS_VIEW(is), hash); /* DELIVERY-32 */
    return world_take(d->world, &nodes);
}

static void take_welcome(struct world_device *d, const Hanse__WelcomeItem *item)
{
    struct hs_id id;
    struct hs_descriptor descriptor;
    assert_true(HS_FIXED(hs_pb_bytes(item->room), &id));
    struct world_room *room = welcomed_room(d, &id);
    room->hub = node_of(d->world, hs_pb_bytes(item->hub_root));
    assert_ok(hs_descriptor_verify(item->descriptor, &room->hub->root.pub, d->world->now, &descriptor));
    struct hs_mls_join join = {
        .welcome = hs_pb_bytes(item->welcome),
        .key_package = room->key_package,
        .priv = &room->priv,
        .signer = &room->persona->mls,
        .tree = world_tree(d, item),
        .settings = world_settings(),
    };
    assert_ok(hs_mls_group_join(&join, &room->group));
    assert_bytes(hs_mls_group_id(room->group), HS_VIEW(id));
    room->tip = (struct hs_log_tip){.next_seq = item->commit_seq};
    assert_true(HS_FIXED(hs_pb_bytes(item->prev_hash), &room->tip.hash));
    room->anchor = item->commit_seq;
    room->joined = true;
}

void world_take_inbox(struct world_device *d, const Hanse__Inbox *inbox)
{
    for (size_t i = 0; i < inbox->n_items; i++) {
        Hanse__InboxItem *item = inbox->items[i];
        assert_true(item->seq >= d->inbox_next);
        assert_true(d->gaps || item->seq == d->inbox_next); /* DELIVERY-12 */
        d->inbox_next = item->seq + 1;
        assert_true(d->item_count < 256);
        d->items[d->item_count++] = item;
        if (item->body_case == HANSE__INBOX_ITEM__BODY_WELCOME)
            take_welcome(d, item->welcome);
    }
}
