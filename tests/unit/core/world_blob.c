/* Blobs in a world: the real files, in a directory of each node's own, at once. */
#include "world.h"

#include "room/blob.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void world_blob(struct world_node *node, const struct hs_effect *effect)
{
    struct hs_core_input input;
    struct hs_writer HS_WRITER frame = hs_writer(HS_FRAME_MAX);
    if (node->blobs == NULL) {
        (void)snprintf(node->blob_dir, sizeof node->blob_dir, "%s/hanse-world-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert_non_null(mkdtemp(node->blob_dir));
        assert_ok(hs_blob_files_open(node->blob_dir, 0, &node->blobs));
    }
    struct hs_blob_job *job = hs_blob_job_new(effect);
    assert_non_null(job);
    hs_blob_jobs_do(node->blobs, job);
    if (hs_blob_job_input(job, &input)) {
        world_event_add(node, &input);
    } else {
        assert_ok(hs_blob_job_frame(job, &frame));
        world_session_send(node, effect->session, world_copy(node->world, hs_writer_bytes(&frame)));
    }
    hs_blob_jobs_free(job);
}

void world_blobs_free(struct world_node *node)
{
    char command[128];
    if (node->blobs == NULL)
        return;
    hs_blob_files_close(node->blobs);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", node->blob_dir);
    assert_int_equal(system(command), 0);
}

enum hs_err world_put(struct world_room *room, struct hs_bytes hash, uint64_t size, uint64_t offset,
                      struct hs_bytes data, Hanse__BlobStatus **status)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_frame(w), *answer;
    Hanse__PutChunk *put = WORLD_NEW(w, Hanse__PutChunk, hanse__put_chunk);
    put->hash = hs_pb_data(hash);
    put->offset = offset;
    put->size = size;
    put->data = hs_pb_data(data);
    put->room = hs_pb_data(HS_VIEW(room->id));
    put->persona = hs_pb_data(HS_VIEW(room->persona->signer.pub));
    frame->put_chunk = put;
    frame->body_case = HANSE__FRAME__BODY_PUT_CHUNK;
    HS_TRY(world_ask(room->device, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_BLOB_STATUS);
    assert_bytes(hs_pb_bytes(answer->blob_status->hash), hash);
    if (status != NULL)
        *status = answer->blob_status;
    return HS_OK;
}

struct hs_id world_put_all(struct world_room *room, struct hs_bytes bytes)
{
    struct hs_id hash = hs_blob_hash(bytes);
    Hanse__BlobStatus *status = NULL;
    for (size_t at = 0; at < bytes.len; at += HS_BLOB_CHUNK) {
        size_t len = bytes.len - at < HS_BLOB_CHUNK ? bytes.len - at : HS_BLOB_CHUNK;
        assert_ok(world_put(room, HS_VIEW(hash), bytes.len, at, hs_bytes(bytes.data + at, len), &status));
        assert_int_equal(status->have, at + len);
    }
    for (int i = 0; i < 60 && !status->complete; i++) { /* at a follower: until the hub has it */
        world_pass(room->device->world, 1000);
        assert_ok(world_put(room, HS_VIEW(hash), bytes.len, 0, (struct hs_bytes){0}, &status));
    }
    assert_true(status->complete);
    return hash;
}

struct hs_bytes world_get_all(struct world_room *room, const struct hs_id *hash, enum hs_err *err)
{
    struct world *w = room->device->world;
    struct hs_writer HS_WRITER out = hs_writer(HS_ATTACHMENT_MAX);
    Hanse__Chunk *chunk;
    *err = HS_ERR_BUSY;
    for (int i = 0; i < 60 && *err == HS_ERR_BUSY; i++) {
        *err = world_chunk(room->device, &room->id, HS_VIEW(*hash), 0, &chunk);
        if (*err == HS_ERR_BUSY)
            world_pass(w, 1000);
    }
    while (*err == HS_OK) {
        hs_write_bytes(&out, hs_pb_bytes(chunk->data));
        if (out.len == chunk->size)
            return world_take(w, &out);
        *err = world_chunk(room->device, &room->id, HS_VIEW(*hash), out.len, &chunk);
    }
    return (struct hs_bytes){0};
}

enum hs_err world_post_blobs(struct world_room *room, const struct hs_id *hashes, size_t count)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_post_frame(room, world_protect(room, "see the file"));
    ProtobufCBinaryData *list = hs_arena_alloc(&w->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = hs_pb_data(world_copy(w, HS_VIEW(hashes[i])));
    frame->submit_message->blobs = list;
    frame->submit_message->n_blobs = count;
    enum hs_err err = world_ask(room->device, frame, NULL);
    if (err == HS_OK)
        (void)snprintf(room->sent[room->sent_count++], sizeof room->sent[0], "see the file");
    return err;
}
