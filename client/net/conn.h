/* One connection to a node: a socket that never blocks, with a session on it. The only part that knows of
 * sockets. */
#ifndef HS_NET_CONN_H
#define HS_NET_CONN_H

#include "link/link.h"
#include "sync/sync.h"

struct hs_conn;

/* A connection that takes longer than this to be made is given up for the next address. */
enum { HS_CONN_CONNECT_MS = 5000 };

/* Begins with the first address that can be tried. A host name is looked up, which may wait for the resolver.
 * UNREACHABLE where there is none; NOMEM. */
enum hs_err hs_conn_open(const struct hs_dial *dial, struct hs_time now, struct hs_conn **out);

/* Closes without a word. NULL is fine. */
void hs_conn_free(struct hs_conn *conn);

int hs_conn_fd(const struct hs_conn *conn);
bool hs_conn_wants_write(const struct hs_conn *conn);
struct hs_time hs_conn_deadline(const struct hs_conn *conn);

/* Goes on as far as it can without waiting: connecting, writing, reading at most one buffer. After an error
 * the connection is to be freed: UNREACHABLE, CLOSED, TIMEOUT, those of hs_link_input(). Pull events until
 * NONE then. */
enum hs_err hs_conn_step(struct hs_conn *conn, struct hs_time now);

/* The next event of the session (hs_link_next()). */
enum hs_err hs_conn_next(struct hs_conn *conn, struct hs_link_event *event);

/* An event READ before: the node's transport key is known now, the session goes on. */
enum hs_err hs_conn_start(struct hs_conn *conn, const struct hs_key *node);

enum hs_err hs_conn_send(struct hs_conn *conn, struct hs_bytes frame);
void hs_conn_set_authenticated(struct hs_conn *conn);

/* Writes what the socket takes. CLOSED. */
enum hs_err hs_conn_flush(struct hs_conn *conn);

#endif
