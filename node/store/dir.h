/* A store's directory: made for one owner, on a local disk, used by one process at a time. */
#ifndef HS_STORE_DIR_H
#define HS_STORE_DIR_H

#include "base/bytes.h"
#include "base/err.h"

/* Makes dir (0700) where it is missing, durably, and locks it for this process until *lock_fd is closed:
 * flock on a file "lock" inside, which the kernel lets go when the process ends in whatever way. LOCKED:
 * another process (or another handle of this one) has it. UNSUPPORTED: the directory lies on a network file
 * system, where mapped files and locks are not what a store needs. IO: it can't be made or opened. */
enum hs_err hs_dir_lock(const char *dir, int *lock_fd);

/* Makes the names in dir durable (a new file is lost at power loss until its directory is synced). IO. */
enum hs_err hs_dir_sync(const char *dir);

/* The directory's own name is durable with its parent. IO. */
enum hs_err hs_dir_sync_parent(int dir_fd);

/* Bytes that this user can still write on the disk of dir; SIZE_MAX where that can't be told. */
size_t hs_dir_free_bytes(const char *dir);

/* True for the statfs(2) type of a network file system. */
bool hs_dir_is_remote(unsigned long magic);

#endif
