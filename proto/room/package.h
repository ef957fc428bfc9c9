/* A KeyPackage for a room: one of the rooms' suite whose leaf is somebody's whom a persona certifies. */
#ifndef HS_ROOM_PACKAGE_H
#define HS_ROOM_PACKAGE_H

#include "room/leaf.h"

/* The longest that a KeyPackage for a room holds, end minus beginning, in seconds: 400 days, so that a phone
 * that lay in a drawer for a year can be added (RFC 9420, 7.2 asks applications for such a limit). */
enum { HS_ROOM_PACKAGE_LIFETIME_MAX = 400 * 86400 };

struct hs_room_package {
    struct hs_id ref;             /* KeyPackageRef */
    struct hs_room_member member; /* what its leaf says, checked */
};

/* key_package: MLSMessage. at: the hub time of the record that brings it, or now; hub_root: the policy's.
 * MLS_VERSION for another suite than the rooms'; MLS_KEY_PACKAGE for too long a lifetime; INVALID_ARG for a
 * negative time; errors of hs_mls_key_package_check() and hs_room_leaf_check(). *out is zeros after an error.
 */
enum hs_err hs_room_package_check(struct hs_bytes key_package, const struct hs_key *hub_root,
                                  struct hs_time at, struct hs_room_package *out);

#endif
