/* The pre-walk against a second one (walker.h) and against protobuf-c: what it passes, protobuf-c must unpack
 * or run into the arena's budget; packed anew it must pass again and pack to the same bytes. Input: message
 * type, strictness, message. */
#include "fuzz/fuzz.h"

#include "fuzz/types.h"
#include "fuzz/walker.h"
#include "wire/limits.h"
#include "wire/unpack.h"

/* Unpacks within the budget and packs into out; an error only where the pre-walk refuses. */
static enum hs_err round_trip(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                              enum hs_strictness strictness, struct hs_writer *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(hs_unpack_budget(bytes.len));
    ProtobufCMessage *message = NULL;
    enum hs_err walked = hs_prewalk(type, bytes, strictness);
    enum hs_err unpacked = hs_unpack(type, bytes, strictness, &arena, &message);
    HS_ASSERT(unpacked == walked || (walked == HS_OK && unpacked == HS_ERR_TOO_LARGE));
    HS_ASSERT((message != NULL) == (unpacked == HS_OK));
    HS_TRY(unpacked);
    HS_ASSERT(protobuf_c_message_check(message));
    FUZZ_OK(hs_pack(message, out));
    return HS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_bytes in = hs_bytes(data, size);
    const ProtobufCMessageDescriptor *type = fuzz_type(fuzz_choice(&in));
    enum hs_strictness strictness = (enum hs_strictness)(fuzz_choice(&in) % 3);
    if (in.len > HS_FRAME_MAX)
        return 0;
    HS_ASSERT(walker_passes(type, in, strictness) == (hs_prewalk(type, in, strictness) == HS_OK));
    struct hs_writer HS_WRITER once = hs_writer(4 * HS_FRAME_MAX);
    struct hs_writer HS_WRITER twice = hs_writer(4 * HS_FRAME_MAX);
    if (round_trip(type, in, strictness, &once) != HS_OK)
        return 0;
    FUZZ_OK(round_trip(type, hs_writer_bytes(&once), strictness, &twice));
    HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&once), hs_writer_bytes(&twice)));
    FUZZ_OK(hs_pack_check(type, hs_writer_bytes(&once), strictness));
    fuzz_accepted++;
    return 0;
}
