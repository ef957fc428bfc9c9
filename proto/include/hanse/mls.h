/* libhanse-mls: RFC 9420 (Messaging Layer Security) for members of groups and for the hub that orders their
 * messages. No sockets, no files, no clock: bytes and times go in, bytes and facts come out. C99 and C++.
 * "Using hanse-mls without Hanse" (proto/mls_api/README.md) leads through a whole program. Include this
 * header; its parts, in the order to read them: base, signer, extension, key_package, proposal, event, store;
 * group, enter, commit, traffic for members; public, message for hubs.
 *
 * The rules of use
 *
 * 1. A call that can change a group says so ("Changes the group"). After it, hanse_mls_group_save() has to
 *    have reached the disk BEFORE the ciphertext or plaintext that came out is released: else keys and nonces
 *    are used twice after a crash. A call that fails has changed nothing, unless it says so.
 * 2. One orderer a group (a server, a hub): it takes one commit an epoch. One's own commit stays pending:
 *    send it; accept it when the orderer took it; when another's comes first, merge that one: it drops it.
 * 3. A commit that came is staged: look at all that it does (struct hanse_mls_change), then merge it, or free
 *    the event to refuse it. Who may add, remove or change what is for the application to decide, here.
 *
 * Ownership: what a call gives through `struct x **` is freed with hanse_mls_x_free(), NULL is fine. A struct
 * hanse_mls_bytes in what is given borrows from the object that gave it, for as long as said there. A struct
 * hanse_mls_buf is the caller's: hanse_mls_buf_free(). Input is copied, nothing of the caller's is kept but
 * the store's context. After a failure what a call would have given is NULL or empty.
 *
 * Structs that a caller fills in and that may grow begin with their own size: {.size = sizeof x, .leaf = ...}
 * (C++: {sizeof x}, then the members). What is left zero has its default. INVALID_ARG for a wrong size,
 * UNSUPPORTED where a newer program asks for what this library doesn't know. Every other struct is fixed as
 * long as the library's soname is; those that the library gives by pointer may grow at their end.
 *
 * Threads: no global state. A group, a public group, and all events and staged commits that came out of it:
 * one thread at a time, reading included, for what isn't in memory yet is read from the store. A signer never
 * changes: any number of threads.
 *
 * Errors: enum hanse_err (hanse/err.h); comments name them without HANSE_ERR_. NOMEM can come from anything
 * that returns an error, and so can a store's own error from what touches a group that was loaded. An
 * MLSMessage of another kind than the one asked for is UNEXPECTED. The first use of cryptography checks the
 * system's libsodium: SELFTEST where it fails that.
 *
 * Secrets (private halves of KeyPackages, exported signers, all records of a store): wiped inside the library
 * when they are done with; to be sealed by the caller.
 *
 * Units: times are Unix seconds; sizes are bytes. "MLSMessage" is the encoding of RFC 9420, 6. */
#ifndef HANSE_MLS_H
#define HANSE_MLS_H

#include <hanse/mls/base.h>
#include <hanse/mls/commit.h>
#include <hanse/mls/enter.h>
#include <hanse/mls/event.h>
#include <hanse/mls/extension.h>
#include <hanse/mls/group.h>
#include <hanse/mls/key_package.h>
#include <hanse/mls/message.h>
#include <hanse/mls/proposal.h>
#include <hanse/mls/public.h>
#include <hanse/mls/signer.h>
#include <hanse/mls/store.h>
#include <hanse/mls/traffic.h>

#endif
