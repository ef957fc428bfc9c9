/* Seeds of what other domains show and of the operator's rows. */
#include "fuzz/cast.h"
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

void corpus_discovery(struct hs_arena *arena)
{
    struct hs_bytes descriptor;
    FUZZ_OK(hs_object_pack(cast_descriptor(arena), arena, &descriptor));
    corpus_add1("discovery", "rows", 0,
                hs_bytes_str("# others\nblock evil.example\nallow " ROOT "\n"
                             "node friend.example " ROOT " friend.example:7700 [::1]:7700 # at home\n"));
    corpus_add1("discovery", "mistake", 0, hs_bytes_str("allow a.example\nnode a.example\n"));
    corpus_add1("discovery", "page", 2, descriptor);
    corpus_add1("discovery", "not_found", 2, hs_bytes_str("<html>404</html>"));
    corpus_add1("discovery", "url", 3, hs_bytes_str("https://push.example:8443/d/81f3a0?x=%20"));
    corpus_add1("discovery", "template", 3, hs_bytes_str("https://%s/.well-known/hanse"));
}
