/* Signed objects against the bare signature. */
#include "bench/bench.h"

#include "fuzz/cast.h"
#include "fuzz/shop.h"
#include "object/object.h"
#include "wire/unpack.h"

static struct {
    struct hs_arena arena;
    Hanse__OrderRequest *payload;
    Hanse__SignedObject *object;
    struct hs_bytes packed;
} world;

static void step_sign(void *unused)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_author author = cast_author(CAST_CUSTOMER, CAST_PHONE);
    struct hs_hdr_spec spec = {.audience = HS_VIEW(cast(CAST_ROOT)->pub)};
    Hanse__OrderRequest payload = *world.payload;
    Hanse__SignedObject *out;
    (void)unused;
    FUZZ_OK(hs_object_make(HS_KIND_ORDER_REQUEST, &payload.base, &author, &spec, &arena, &out));
}

static void step_open(void *unused)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *obj;
    ProtobufCMessage *payload;
    (void)unused;
    FUZZ_OK(hs_object_unpack(world.packed, &arena, &obj));
    FUZZ_OK(hs_object_open(obj, HS_KIND_ORDER_REQUEST, &cast(CAST_PHONE)->pub, 1, &arena, &payload));
}

void bench_objects(void)
{
    static struct shop shop;
    const struct bench_floor *f = bench_floors();
    world.arena = hs_arena(128 << 20);
    shop_make(&shop, 3, &world.arena);
    world.object = shop.order;
    FUZZ_OK(hs_object_pack(shop.order, &world.arena, &world.packed));
    FUZZ_OK(HS_OBJECT_OPEN(hanse__order_request, shop.order, HS_KIND_ORDER_REQUEST, &cast(CAST_PHONE)->pub, 1,
                           &world.arena, &world.payload));
    size_t len = world.packed.len;
    struct bench_result sign = {"object_sign", len, bench_time(step_sign, NULL, 200), 0, "sign", f->sign};
    struct bench_result open = {"object_open", len, bench_time(step_open, NULL, 200), 0, "verify", f->verify};
    bench_report(&sign);
    bench_report(&open);
    hs_arena_free(&world.arena);
}
