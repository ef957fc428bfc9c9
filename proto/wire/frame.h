/* Frames in a byte stream: a protobuf varint with the length, then that many bytes. Incremental, and never
 * holds more than one frame. */
#ifndef HS_WIRE_FRAME_H
#define HS_WIRE_FRAME_H

#include "base/writer.h"
#include "wire/limits.h"

/* The longest header: a varint that can say HS_FRAME_MAX. */
enum { HS_FRAME_HEADER_MAX = 3 };

struct hs_frames {
    size_t limit;
    struct hs_writer part; /* a frame that came in pieces */
    size_t length;         /* of the frame under way, as far as read */
    unsigned header;       /* bytes of its header so far */
    bool has_length, given;
};

/* limit: the longest frame accepted, at most HS_FRAME_MAX. */
struct hs_frames hs_frames(size_t limit);

/* From the next header on. */
void hs_frames_set_limit(struct hs_frames *f, size_t limit);

/* Takes the next frame off the front of *in; frame->len is 0 where the bytes don't reach (*in is then empty).
 * The view is valid until the next call and as long as the bytes of *in. TOO_LARGE as soon as a header says
 * more than the limit; MALFORMED for a frame of length 0 or an overlong header; NOMEM. The stream can't be
 * read on after an error. */
enum hs_err hs_frames_next(struct hs_frames *f, struct hs_bytes *in, struct hs_bytes *frame);

void hs_frames_free(struct hs_frames *f);

/* Appends header and body; a body that is empty or longer than HS_FRAME_MAX is INVALID_ARG (sticky, as
 * all errors of a writer). */
void hs_frame_write(struct hs_writer *w, struct hs_bytes body);

/* The header of a frame of len bytes (1 to HS_FRAME_MAX); returns its own length. */
size_t hs_frame_header(size_t len, uint8_t out[static HS_FRAME_HEADER_MAX]);

#endif
