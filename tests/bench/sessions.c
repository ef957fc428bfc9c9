/* Noise handshakes and the transport of frames, both sides on one core. */
#include "bench/bench.h"

#include "crypto/dh.h"
#include "link/link.h"

enum { FRAME = 300, BURST = 200 };

static struct {
    struct hs_secret32 client, node;
    struct hs_key node_pub;
    struct hs_link *from, *to;
} world;

/* Carries all that from has to say, as far as a socket's buffer goes at a time; returns the frames that came.
 */
static size_t carry(struct hs_link *from, struct hs_link *to)
{
    struct hs_bytes out;
    size_t frames = 0;
    while ((out = hs_link_output(from)).len > 0) {
        struct hs_link_event event;
        size_t len = out.len < HS_LINK_INPUT_MAX ? out.len : HS_LINK_INPUT_MAX;
        FUZZ_OK(hs_link_input(to, hs_bytes(out.data, len)));
        do {
            FUZZ_OK(hs_link_next(to, &event));
            frames += event.kind == HS_LINK_FRAME;
        } while (event.kind != HS_LINK_NONE);
        hs_link_output_done(from, len);
    }
    return frames;
}

static void handshake(struct hs_link **client, struct hs_link **node)
{
    const struct hs_time now = {1000};
    FUZZ_OK(hs_link_new_initiator(&world.client, &world.node_pub, now, client));
    FUZZ_OK(hs_link_new_responder(&world.node, &world.node_pub, (struct hs_bytes){0}, now, node));
    (void)carry(*client, *node);
    (void)carry(*node, *client);
    (void)carry(*client, *node);
    HS_ASSERT(hs_link_is_open(*client) && hs_link_is_open(*node));
}

static void step_handshake(void *unused)
{
    struct hs_link HS_LINK *client = NULL;
    struct hs_link HS_LINK *node = NULL;
    (void)unused;
    handshake(&client, &node);
}

/* So many frames at once, as in a fan-out under load. */
static void step_burst(void *count)
{
    static const uint8_t frame[FRAME];
    size_t want = *(const size_t *)count;
    for (size_t i = 0; i < want; i++)
        FUZZ_OK(hs_link_send(world.from, hs_bytes(frame, sizeof frame)));
    HS_ASSERT(carry(world.from, world.to) == want);
}

static void report_transport(size_t burst)
{
    const struct bench_floor *f = bench_floors();
    double per_byte = (f->aead_64k + f->aead_open_64k) / 65519;
    double ns = bench_time(step_burst, &burst, 300) / (double)burst;
    struct bench_result r = {"noise_frame_300", burst, ns, FRAME, "seal + open", FRAME * per_byte};
    bench_report(&r);
}

void bench_sessions(void)
{
    const struct bench_floor *f = bench_floors();
    struct hs_key pub;
    hs_dh_keypair(&world.client, &pub);
    hs_dh_keypair(&world.node, &world.node_pub);
    /* Noise XK: es, ee, se on both sides, an ephemeral key each, the initiator's static public key. */
    struct bench_result r = {
        "noise_handshake",      0, bench_time(step_handshake, NULL, 300), 0, "6 dh + 3 base",
        6 * f->dh + 3 * f->base};
    bench_report(&r);
    handshake(&world.from, &world.to);
    hs_link_set_authenticated(world.from);
    hs_link_set_authenticated(world.to);
    report_transport(1);
    report_transport(16);
    report_transport(BURST);
    hs_link_free(&world.from);
    hs_link_free(&world.to);
}
