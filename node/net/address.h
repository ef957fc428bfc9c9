/* "host:port" as socket addresses. */
#ifndef HS_NET_ADDRESS_H
#define HS_NET_ADDRESS_H

#include "base/bytes.h"
#include "base/err.h"

#include <sys/socket.h>

enum { HS_HOST_SIZE = 254, HS_PORT_SIZE = 6 };

/* The parts, an IPv6 address without its brackets. Port 0 to 65535. MALFORMED. */
enum hs_err hs_address_split(const char *text, char host[static HS_HOST_SIZE],
                             char port[static HS_PORT_SIZE]);

/* A numeric address, without asking anybody. MALFORMED where it isn't one. */
enum hs_err hs_address_parse(const char *text, struct sockaddr_storage *out);

/* 127.0.0.0/8 or ::1. */
bool hs_address_is_loopback(const struct sockaddr_storage *address);

/* The text of an address: out has 64 bytes. */
void hs_address_text(const struct sockaddr *address, char out[static 64]);

/* What tells one peer from another: the IPv4 address, or the /64 of an IPv6 address, which one host may fill
 * at will. Borrowed. */
struct hs_bytes hs_address_owner(const struct sockaddr_storage *address);

/* False for this machine, private and shared networks, links, groups, examples, and what else isn't one host
 * of the public internet (RFC 6890), also inside IPv6. */
bool hs_address_is_public(const struct sockaddr *address);

/* True for one address of this machine or a private network: neither public nor "any". */
bool hs_address_is_inside(const struct sockaddr *address);

#endif
