/* URLs that this node is to ask because somebody else said so. */
#ifndef HS_CORE_URL_H
#define HS_CORE_URL_H

#include "base/bytes.h"

enum { HS_URL_MAX = 512 }; /* a push gateway's longest have some hundred characters */

/* True for one that may be asked: https (or http, where allowed), a host, at most HS_URL_MAX printable
 * characters, no user name. What asks parses it anew and has the last word; this refuses what it might ask of
 * something else. */
bool hs_url_is_valid(struct hs_bytes url, bool http);

#endif
