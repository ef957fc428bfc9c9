/* What comes from other domains and from the operator's file. Input: a choice, then the rows of a peers'
 * file; a Discovered; the page of a domain; or a URL. */
#include "fuzz/cast.h"
#include "fuzz/fuzz.h"

#include "admin/peers.h"
#include "core/core.h"
#include "core/federation/url.h"
#include "core/standing/rules.h"
#include "discover/discover.h"
#include "wire/unpack.h"

#include <stdlib.h>

/* What the parser of the file takes, the core takes too. */
static void rows(struct hs_bytes in)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 26);
    struct hs_writer HS_WRITER out = hs_writer(1 << 24);
    Hanse__State__PeerRules rules = HANSE__STATE__PEER_RULES__INIT;
    struct hs_rules read = {0};
    char why[HS_PEERS_WHY] = "";
    if (hs_peers_parse("peers", in, &arena, &rules, why) != HS_OK) {
        HS_ASSERT(why[0] != '\0');
        return;
    }
    FUZZ_OK(hs_pack(&rules.base, &out));
    FUZZ_OK(hs_rules_parse(hs_writer_bytes(&out), &read));
    HS_ASSERT(read.len == rules.n_rules);
    fuzz_accepted += read.len > 0;
    hs_rules_free(&read);
}

/* A node that is told so goes on, and its root stays its own. */
static void told(struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    struct hs_effects effects = hs_effects();
    struct hs_bytes descriptor;
    struct hs_core *core;
    struct hs_kv *kv = hs_kv_memory_new();
    FUZZ_OK(hs_object_pack(cast_descriptor(&arena), &arena, &descriptor));
    struct hs_core_config config = {.root = cast(CAST_ROOT)->pub,
                                    .node_signer = *cast(CAST_NODE),
                                    .descriptor = descriptor,
                                    .incarnation = 1};
    struct hs_core_input input = {.kind = HS_INPUT_DISCOVERED, .bytes = bytes};
    HS_ASSERT(kv != NULL);
    FUZZ_OK(hs_core_new(&config, &core));
    FUZZ_OK(hs_core_step(core, kv, &input, cast_at(0), false, &effects));
    for (size_t i = 0; i < effects.len; i++)
        HS_ASSERT(effects.list[i].kind == HS_EFFECT_LOG);
    fuzz_accepted += effects.len == 0;
    hs_core_free(core);
    hs_effects_free(&effects);
    hs_kv_memory_free(kv);
}

static void page(struct hs_bytes in)
{
    struct hs_writer HS_WRITER out = hs_writer(1 << 20);
    Hanse__State__Discovered found = HANSE__STATE__DISCOVERED__INIT;
    char domain[] = "rosa.example";
    found.root = hs_pb_data(HS_VIEW(cast(CAST_ROOT)->pub));
    found.domain = domain;
    found.descriptor = hs_pb_data(in);
    FUZZ_OK(hs_pack(&found.base, &out));
    told(hs_writer_bytes(&out));
}

static void url(struct hs_bytes in)
{
    char *text = malloc(in.len + 1);
    HS_ASSERT(text != NULL);
    if (in.len > 0)
        memcpy(text, in.data, in.len);
    text[in.len] = '\0';
    if (hs_url_is_valid(hs_bytes_str(text), false)) {
        HS_ASSERT(hs_url_is_valid(hs_bytes_str(text), true) && strncmp(text, "https://", 8) == 0);
        HS_ASSERT(strpbrk(text, " \r\n\t@\\") == NULL);
        fuzz_accepted++;
    }
    fuzz_accepted += hs_discover_url_is_valid(text);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct hs_bytes) = {rows, told, page, url};
    struct hs_bytes in = hs_bytes(data, size);
    fuzz_begin();
    targets[fuzz_choice(&in) % 4](in);
    return 0;
}
