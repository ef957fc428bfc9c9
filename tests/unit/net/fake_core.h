/* A stand-in for the node's core (core/core.h) for tests of what is around it. The first byte of a frame says
 * what is to happen; numbers are 8 bytes, big-endian. e...          echo of the whole frame p NUMBER ...
 * stores the rest under the number, then answers a NUMBER; F where the store is full d NUMBER      deletes
 * it, answers a NUMBER s NUMBER      sends so many bytes in frames of FAKE_STREAM_FRAME, as the session's
 * budget allows S NUMBER  the same to every open session w NUMBER ...  as p, and as many frames of a
 * stream to every open session as the rest has bytes b...          the whole frame to every open session
 * A             the session is authenticated; answers A c             closes the session D ROOT text   dials
 * ROOT (32 bytes) at the addresses in the text, separated by spaces; answers o with the number of the
 * session, or x f SESSION ... the rest, as a frame, to that session m             fails with NOMEM l... a
 * line for the log t NUMBER      asks for a tick so many milliseconds later; answers t then */
#ifndef TESTS_NET_FAKE_CORE_H
#define TESTS_NET_FAKE_CORE_H

#include "core/core.h"

enum { FAKE_STREAM_FRAME = 1000, FAKE_SESSIONS_MAX = 4096 };

#endif
