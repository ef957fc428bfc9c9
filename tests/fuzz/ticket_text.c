/* The text of a ticket, typed or pasted. Input: choice, bytes: the text itself, or what is behind its base64,
 * signed anew. */
#include "fuzz/fuzz.h"

#include "base/text.h"
#include "fuzz/cast.h"
#include "fuzz/resign.h"
#include "identity/ticket.h"

#include <stdlib.h>

enum { ARENA = 16 << 20 };

static struct hs_bytes text_of(struct hs_bytes packed, struct hs_arena *arena)
{
    static const char prefix[] = "hanse:t/";
    struct hs_bytes good = fuzz_resign(&hanse__ticket_text__descriptor, packed, arena);
    char *text = hs_arena_alloc(arena, sizeof prefix + HS_BASE64_SIZE(good.len));
    HS_ASSERT(text != NULL);
    memcpy(text, prefix, sizeof prefix - 1);
    hs_base64(good, text + sizeof prefix - 1);
    return hs_bytes_str(text);
}

static void ticket_check(const struct hs_ticket_text *t)
{
    HS_ASSERT(hs_key_equal(&t->ticket.root, &t->descriptor.root));
    HS_ASSERT(t->grant_count <= HS_TICKET_GRANTS && t->ticket.max_uses >= 1);
    HS_ASSERT((t->roles & ~(uint32_t)HS_ROLES_ALL) == 0);
    HS_ASSERT(t->grant_count > 0 || (t->roles == 0 && t->handle[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    struct hs_arena HS_ARENA arena = hs_arena(ARENA);
    struct hs_bytes in = hs_bytes(data, size);
    if ((fuzz_choice(&in) & 1) != 0)
        in = text_of(in, &arena);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) t = {0};
    if (hs_ticket_text_parse(in, cast_at(0), &arena, &t) != HS_OK)
        return 0;
    ticket_check(&t);
    /* What parses can be built, and parses as the same. */
    char *text;
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) again = {0};
    Hanse__SignedObject *descriptor, *ticket;
    FUZZ_OK(hs_object_copy(t.descriptor_object, &arena, &descriptor));
    FUZZ_OK(hs_object_copy(t.ticket_object, &arena, &ticket));
    FUZZ_OK(hs_ticket_text_build(&t.seed, descriptor, ticket, t.grant_objects, t.grant_count, cast_at(0),
                                 &arena, &text));
    FUZZ_OK(hs_ticket_text_parse(hs_bytes_str(text), cast_at(0), &arena, &again));
    fuzz_accepted++;
    HS_ASSERT(again.roles == t.roles && strcmp(again.handle, t.handle) == 0);
    return 0;
}
