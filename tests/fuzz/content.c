/* What comes out of a decrypted post, and the context that goes with messages in clear. Input: choice (odd: a
 * context), bytes. */
#include "fuzz/fuzz.h"

#include "base/text.h"
#include "room/content.h"
#include "room/context.h"

enum { ARENA = 4 << 20 };

static void content_check(struct hs_bytes in, struct hs_arena *arena)
{
    struct hs_content c, again;
    if (hs_content_parse(in, arena, &c) != HS_OK)
        return;
    HS_ASSERT(hs_text_is_clean(c.text) && hs_text_is_clean(c.fallback));
    HS_ASSERT(c.kind != HS_CONTENT_TEXT || c.text.len > 0);
    HS_ASSERT(c.kind != HS_CONTENT_DEAL || (c.deal != NULL && c.chain_count <= HS_CONTENT_CHAIN_MAX));
    if (c.kind == HS_CONTENT_OTHER) {
        HS_ASSERT(c.fallback.len > 0);
        return; /* a body that this version can't build */
    }
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    FUZZ_OK(hs_content_build(&c, &w));
    FUZZ_OK(hs_content_parse(hs_writer_bytes(&w), arena, &again));
    fuzz_accepted++;
    HS_ASSERT(again.kind == c.kind && again.sent.ms == c.sent.ms && again.is_reply == c.is_reply);
    HS_ASSERT(hs_bytes_equal(again.text, c.text) && hs_bytes_equal(again.fallback, c.fallback));
}

static void context_check(struct hs_bytes in, struct hs_arena *arena)
{
    struct hs_message_context c, again;
    if (hs_message_context_parse(in, arena, &c) != HS_OK)
        return;
    HS_ASSERT(c.join_count <= HS_JOIN_BATCH_MAX);
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTEXT_MAX);
    FUZZ_OK(hs_message_context_pack(&c, &w));
    FUZZ_OK(hs_message_context_parse(hs_writer_bytes(&w), arena, &again));
    fuzz_accepted++;
    HS_ASSERT(again.has_head == c.has_head && again.head_seq == c.head_seq &&
              again.join_count == c.join_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena HS_ARENA arena = hs_arena(ARENA);
    struct hs_bytes in = hs_bytes(data, size);
    if ((fuzz_choice(&in) & 1) != 0)
        context_check(in, &arena);
    else
        content_check(in, &arena);
    return 0;
}
