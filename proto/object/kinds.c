#include "object/kinds.h"

#include "base/err.h"
#include "schema/deal.pb-c.h"
#include "schema/identity.pb-c.h"
#include "schema/room.pb-c.h"

static const struct hs_kind_info kinds[HS_KIND_COUNT] = {
#define KIND(name, object, message, size, signers, strict)                                                   \
    [HS_KIND_##name] = {.type = "application/vnd.hanse." object ".v1+protobuf",                              \
                        .payload = &hanse__##message##__descriptor,                                          \
                        .max_payload = (size),                                                               \
                        .signatures = (signers),                                                             \
                        .strictness = (strict)},
#include "object/kinds.def"
#undef KIND
};

const struct hs_kind_info *hs_kind_info(enum hs_kind kind)
{
    HS_ASSERT(kind > HS_KIND_NONE && kind < HS_KIND_COUNT);
    return &kinds[kind];
}

enum hs_kind hs_kind_of(struct hs_bytes type)
{
    for (enum hs_kind kind = HS_KIND_NONE + 1; kind < HS_KIND_COUNT; kind++)
        if (hs_bytes_equal(type, hs_bytes_str(kinds[kind].type)))
            return kind;
    return HS_KIND_NONE;
}
