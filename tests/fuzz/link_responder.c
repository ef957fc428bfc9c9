/* A stranger's bytes against a responder before any key is agreed on. Input: a choice, then the stream. The
 * odd choices repair the gate's MAC, which keeps out everything else. */
#include "fuzz/fuzz.h"

#include "crypto/dh.h"
#include "fuzz/random.h"
#include "link/gate.h"
#include "link/link.h"
#include "noise/handshake.h"

/* Magic and kind, gate, length of message 1. */
enum { GATE_AT = 5, MESSAGE_AT = GATE_AT + HS_GATE_LEN + 2 };

static struct hs_secret32 priv = {{7}};
static struct hs_key pub;
static const uint8_t descriptor[300] = {1};

static void gate_repair(uint8_t *data, size_t len)
{
    if (len >= MESSAGE_AT + HS_NOISE_MESSAGE1_LEN)
        hs_gate_mac(&pub, hs_bytes(data + MESSAGE_AT, HS_NOISE_MESSAGE1_LEN), data + GATE_AT);
}

/* Feeds pieces of a size until the link closes; what it answers stays small. */
static void feed(struct hs_link *link, struct hs_bytes in, size_t piece)
{
    enum hs_err err = HS_OK;
    size_t written = 0;
    while (err == HS_OK && in.len > 0) {
        struct hs_link_event event;
        err = hs_link_input(link, fuzz_take(&in, piece));
        do {
            HS_ASSERT(err == HS_OK || hs_link_next(link, &event) == HS_ERR_CLOSED);
            if (err == HS_OK)
                err = hs_link_next(link, &event);
            else
                event.kind = HS_LINK_NONE;
            /* Nobody gets through without the initiator's keys. */
            HS_ASSERT(event.kind == HS_LINK_NONE);
        } while (err == HS_OK && event.kind != HS_LINK_NONE);
        size_t len = hs_link_output(link).len;
        fuzz_accepted += len > 0; /* it answered */
        written += len;
        hs_link_output_done(link, len);
    }
    HS_ASSERT(written <= HS_DESCRIPTOR_MAX + 64);
    HS_ASSERT(!hs_link_is_open(link));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) {
        fuzz_random_install();
        fuzz_begin();
        hs_dh_public(&priv, &pub);
        ready = true;
    }
    fuzz_random_restart();
    struct hs_bytes in = hs_bytes(data, size);
    uint8_t choice = fuzz_choice(&in);
    uint8_t stream[4096];
    size_t len = in.len < sizeof stream ? in.len : sizeof stream;
    if (len > 0)
        memcpy(stream, in.data, len);
    if ((choice & 1) != 0)
        gate_repair(stream, len);
    struct hs_link HS_LINK *link = NULL;
    struct hs_time now = {1000};
    FUZZ_OK(hs_link_new_responder(&priv, &pub, hs_bytes(descriptor, sizeof descriptor), now, &link));
    feed(link, hs_bytes(stream, len), 1 + (choice >> 1));
    return 0;
}
