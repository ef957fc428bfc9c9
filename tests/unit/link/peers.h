/* Two links and the stream between them, which can be cut into pieces, altered and recorded. */
#ifndef TESTS_UNIT_LINK_PEERS_H
#define TESTS_UNIT_LINK_PEERS_H

#include "support/test.h"

#include "base/writer.h"
#include "crypto/dh.h"
#include "link/link.h"

enum { PEERS_RECORD_MAX = 1 << 22 };

struct peer {
    struct hs_link *link;
    struct hs_secret32 priv;
    struct hs_key pub;
    enum hs_err err;                   /* what closed it */
    struct hs_link_event ready;        /* kind READY once it was */
    struct hs_writer descriptor, last; /* descriptor; last frame */
    size_t frames;
    struct hs_writer out; /* all that it wrote */
    size_t flip;          /* which byte of that is altered on its way; SIZE_MAX: none */
};

static const struct hs_time peers_now = {1000};

static inline void peer_init(struct peer *p)
{
    *p = (struct peer){.flip = SIZE_MAX,
                       .descriptor = hs_writer(PEERS_RECORD_MAX),
                       .last = hs_writer(PEERS_RECORD_MAX),
                       .out = hs_writer(PEERS_RECORD_MAX)};
    hs_dh_keypair(&p->priv, &p->pub);
}

static inline void peer_free(struct peer *p)
{
    hs_link_free(&p->link);
    hs_writer_free(&p->descriptor);
    hs_writer_free(&p->last);
    hs_writer_free(&p->out);
}

#define PEER HS_AUTO(peer_free)

static inline void peer_see(struct peer *p, const struct hs_link_event *event)
{
    switch (event->kind) {
    case HS_LINK_READY:
        assert_int_equal(p->ready.kind, HS_LINK_NONE);
        p->ready = *event;
        break;
    case HS_LINK_DESCRIPTOR:
        assert_int_equal(p->descriptor.len, 0);
        hs_write_bytes(&p->descriptor, event->bytes);
        break;
    case HS_LINK_FRAME:
        assert_int_equal(p->ready.kind, HS_LINK_READY);
        assert_true(event->bytes.len > 0);
        hs_writer_reset(&p->last);
        hs_write_bytes(&p->last, event->bytes);
        p->frames++;
        break;
    default:
        fail();
    }
}

/* Gives p a piece of the stream and takes all its events; after an error only CLOSED may come. */
static inline void peer_give(struct peer *p, struct hs_bytes bytes)
{
    struct hs_link_event event;
    if (p->err != HS_OK) {
        assert_err(hs_link_input(p->link, bytes), HS_ERR_CLOSED);
        assert_err(hs_link_next(p->link, &event), HS_ERR_CLOSED);
        assert_int_equal(event.kind, HS_LINK_NONE);
        return;
    }
    p->err = hs_link_input(p->link, bytes);
    while (p->err == HS_OK) {
        p->err = hs_link_next(p->link, &event);
        if (event.kind == HS_LINK_NONE)
            break;
        peer_see(p, &event);
    }
}

/* Carries what from has to say to to, at most chunk bytes at a time; false where there was nothing. */
static inline bool peers_carry(struct peer *from, struct peer *to, size_t chunk)
{
    struct hs_bytes view = hs_link_output(from->link);
    if (view.len == 0)
        return false;
    size_t len = view.len < chunk ? view.len : chunk, start = from->out.len;
    hs_write_bytes(&from->out, hs_bytes(view.data, len));
    assert_ok(from->out.err);
    if (from->flip >= start && from->flip < start + len)
        from->out.data[from->flip] ^= 0x01;
    peer_give(to, hs_bytes(from->out.data + start, len));
    hs_link_output_done(from->link, len);
    return true;
}

/* Until both are silent. */
static inline void peers_talk(struct peer *a, struct peer *b, size_t chunk)
{
    bool more = true;
    while (more) {
        more = peers_carry(a, b, chunk);
        more = peers_carry(b, a, chunk) || more;
    }
}

/* A client that knows the node's key, and the node. */
static inline void peers_init(struct peer *client, struct peer *node, struct hs_bytes descriptor)
{
    peer_init(client);
    peer_init(node);
    assert_ok(hs_link_new_initiator(&client->priv, &node->pub, peers_now, &client->link));
    assert_ok(hs_link_new_responder(&node->priv, &node->pub, descriptor, peers_now, &node->link));
}

/* The same, with the handshake done. */
static inline void peers_open(struct peer *client, struct peer *node)
{
    peers_init(client, node, (struct hs_bytes){0});
    peers_talk(client, node, SIZE_MAX);
    assert_ok(client->err);
    assert_ok(node->err);
    assert_int_equal(client->ready.kind, HS_LINK_READY);
    assert_int_equal(node->ready.kind, HS_LINK_READY);
}

#endif
