/* Token buckets by address: how often one address may make a new connection. A fixed table, so that nobody
 * can make it grow: where two addresses meet in one place, the older bucket of the row goes. */
#ifndef HS_NET_BUCKET_H
#define HS_NET_BUCKET_H

#include "base/bytes.h"

struct hs_buckets;

/* rate: tokens a second; burst: what a bucket holds. NULL without memory. */
struct hs_buckets *hs_buckets_new(unsigned rate, unsigned burst);
/* From now on; nobody keeps more than the new burst. */
void hs_buckets_set(struct hs_buckets *buckets, unsigned rate, unsigned burst);
void hs_buckets_free(struct hs_buckets *buckets);

/* Takes a token of that address at this time (milliseconds, never going back); false where there is none. */
bool hs_buckets_take(struct hs_buckets *buckets, struct hs_bytes address, uint64_t now_ms);

#endif
