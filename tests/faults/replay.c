#include "replay.h"

#include "fault.h"
#include "journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, DEPTH_MAX = 8, NAMES_MAX = 4096 };

/* One file in its life: an inode may be used again. */
struct file {
    uint32_t node;
    uint64_t inode;
    size_t *ops; /* its WRITE and TRUNCATE entries */
    size_t count, size, done;
    uint8_t *image; /* with the first done of them, all durable */
    size_t len, image_size;
};

struct name {
    char path[JOURNAL_PATH];
    struct file *file; /* NULL: a folder */
};

struct replay {
    const uint8_t *bytes;
    size_t byte_count;
    const struct journal_entry **entries;
    size_t *durable;     /* the entry after which it is; SIZE_MAX: never */
    struct file **files; /* of a CREATE, WRITE or TRUNCATE */
    size_t count, size;
    struct file *all[NAMES_MAX];
    size_t file_count;
    struct replay_mark *marks;
    size_t mark_count;
    struct name names[NAMES_MAX];
    size_t name_count;
    char how[128];
};

/* What becomes of what wasn't synced. */
enum mode { DROPPED, KEPT, MIXED, TORN, MODES };
static const char *const mode_names[MODES] = {"dropped", "kept", "mixed", "torn"};

static const char *payload(const struct journal_entry *e)
{
    return (const char *)(e + 1);
}

static void *grown(void *list, size_t count)
{
    void *out = realloc(list, count);
    FAULT_CHECK(out != NULL, "no memory");
    return out;
}

/* ---- reading ---- */

static void load(struct replay *r, const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    FAULT_CHECK(fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0, "no journal %s", path);
    r->byte_count = (size_t)info.st_size;
    r->bytes = mmap(NULL, r->byte_count, PROT_READ, MAP_PRIVATE, fd, 0);
    FAULT_CHECK(r->bytes != MAP_FAILED, "no memory");
    close(fd);
    for (size_t at = 0; at < r->byte_count;) {
        struct journal_entry *e = malloc(sizeof *e);
        memcpy(e, r->bytes + at, sizeof *e);
        FAULT_CHECK(e->magic == JOURNAL_MAGIC, "the journal is broken at byte %zu", at);
        e = grown(e, sizeof *e + e->len + 1);
        memcpy(e + 1, r->bytes + at + sizeof *e, e->len);
        ((char *)(e + 1))[e->len] = '\0';
        if (r->count == r->size) {
            r->size = r->size == 0 ? 4096 : 2 * r->size;
            r->entries = grown(r->entries, r->size * sizeof *r->entries);
        }
        r->entries[r->count++] = e;
        at += sizeof *e + e->len;
    }
}

static struct file *file_of(struct replay *r, const struct journal_entry *e)
{
    for (size_t i = r->file_count; i > 0; i--)
        if (r->all[i - 1]->node == e->node && r->all[i - 1]->inode == e->file)
            return r->all[i - 1];
    return NULL;
}

static void take_op(struct replay *r, size_t at)
{
    const struct journal_entry *e = r->entries[at];
    struct file *f = file_of(r, e);
    if (e->kind == JOURNAL_CREATE) {
        f = calloc(1, sizeof *f);
        FAULT_CHECK(f != NULL && r->file_count < NAMES_MAX, "too many files");
        *f = (struct file){.node = e->node, .inode = e->file};
        r->all[r->file_count++] = f;
    }
    FAULT_CHECK(f != NULL, "entry %zu is about a file that nobody made", at);
    r->files[at] = f;
    if (e->kind == JOURNAL_CREATE)
        return;
    if (f->count == f->size) {
        f->size = f->size == 0 ? 64 : 2 * f->size;
        f->ops = grown(f->ops, f->size * sizeof *f->ops);
    }
    f->ops[f->count++] = at;
}

/* All that was noted of the file before is durable from here on. */
static void take_sync(struct replay *r, size_t at)
{
    struct file *f = file_of(r, r->entries[at]);
    for (size_t i = f != NULL ? f->count : 0; i > 0; i--) {
        if (r->durable[f->ops[i - 1]] < at)
            continue;
        r->durable[f->ops[i - 1]] = at;
    }
}

static void take_written(struct replay *r, size_t at)
{
    const struct journal_entry *done = r->entries[at];
    struct file *f = file_of(r, done);
    for (size_t i = f != NULL ? f->count : 0; i > 0; i--) {
        const struct journal_entry *e = r->entries[f->ops[i - 1]];
        if (e->kind != JOURNAL_WRITE || e->offset != done->offset || e->len != done->number)
            continue;
        r->durable[f->ops[i - 1]] = at;
        return;
    }
}

static size_t parent_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) : 0;
}

static const char *target(const struct journal_entry *e)
{
    return e->kind == JOURNAL_RENAME ? payload(e) + strlen(payload(e)) + 1 : payload(e);
}

static bool is_naming(const struct journal_entry *e)
{
    return e->kind == JOURNAL_CREATE || e->kind == JOURNAL_MKDIR || e->kind == JOURNAL_RENAME ||
           e->kind == JOURNAL_UNLINK;
}

static void take_sync_dir(struct replay *r, size_t at)
{
    const struct journal_entry *sync = r->entries[at];
    for (size_t i = 0; i < at; i++) {
        const struct journal_entry *e = r->entries[i];
        if (is_naming(e) && e->node == sync->node && r->durable[i] == SIZE_MAX &&
            parent_len(target(e)) == sync->len && strncmp(target(e), payload(sync), sync->len) == 0)
            r->durable[i] = at;
    }
}

static void take_mark(struct replay *r, size_t at)
{
    const struct journal_entry *e = r->entries[at];
    r->marks = grown(r->marks, (r->mark_count + 1) * sizeof *r->marks);
    struct replay_mark *mark = &r->marks[r->mark_count++];
    *mark = (struct replay_mark){.at = at,
                                 .node = e->node,
                                 .queued = (e->number & 1) != 0,
                                 .attachment = (e->number & 2) != 0,
                                 .refused = e->kind == JOURNAL_REFUSED};
    memcpy(mark->body.b, payload(e), sizeof mark->body.b);
}

struct replay *replay_open(const char *journal)
{
    struct replay *r = calloc(1, sizeof *r);
    FAULT_CHECK(r != NULL, "no memory");
    load(r, journal);
    r->durable = grown(NULL, r->count * sizeof *r->durable);
    r->files = calloc(r->count, sizeof *r->files);
    FAULT_CHECK(r->files != NULL, "no memory");
    for (size_t i = 0; i < r->count; i++) {
        r->durable[i] = SIZE_MAX;
        switch ((enum journal_kind)r->entries[i]->kind) {
        case JOURNAL_WRITE:
        case JOURNAL_TRUNCATE:
        case JOURNAL_CREATE:
            take_op(r, i);
            break;
        case JOURNAL_WRITTEN:
            take_written(r, i);
            break;
        case JOURNAL_SYNC:
            take_sync(r, i);
            break;
        case JOURNAL_SYNC_DIR:
            take_sync_dir(r, i);
            break;
        case JOURNAL_ACKED:
        case JOURNAL_REFUSED:
            take_mark(r, i);
            break;
        case JOURNAL_MKDIR:
        case JOURNAL_RENAME:
        case JOURNAL_UNLINK:
            break;
        }
    }
    return r;
}

void replay_free(struct replay *r)
{
    for (size_t i = 0; i < r->file_count; i++) {
        free(r->all[i]->ops);
        free(r->all[i]->image);
        free(r->all[i]);
    }
    for (size_t i = 0; i < r->count; i++)
        free((void *)(uintptr_t)r->entries[i]);
    munmap((void *)(uintptr_t)r->bytes, r->byte_count);
    free(r->entries);
    free(r->durable);
    free(r->files);
    free(r->marks);
    free(r);
}

size_t replay_len(const struct replay *r)
{
    return r->count;
}

const struct replay_mark *replay_marks(const struct replay *r, size_t *count)
{
    *count = r->mark_count;
    return r->marks;
}

const char *replay_how(const struct replay *r)
{
    return r->how;
}

/* ---- contents ---- */

static void extend(struct file *f, size_t len)
{
    if (len > f->image_size) {
        size_t size = 2 * len + 65536;
        f->image = grown(f->image, size);
        memset(f->image + f->image_size, 0, size - f->image_size);
        f->image_size = size;
    }
    if (len > f->len)
        f->len = len;
}

static void apply_to_image(struct file *f, const struct journal_entry *e)
{
    if (e->kind == JOURNAL_WRITE) {
        extend(f, e->offset + e->len);
        memcpy(f->image + e->offset, payload(e), e->len);
        return;
    }
    extend(f, e->offset);
    memset(f->image + e->offset, 0, f->image_size - e->offset);
    f->len = e->offset;
}

/* Sectors of the write, each there or not; the size may have grown all the same. */
static void write_torn(int fd, const struct journal_entry *e, struct rng *rng)
{
    for (uint64_t at = e->offset; at < e->offset + e->len;) {
        uint64_t next = (at / SECTOR + 1) * SECTOR, end = e->offset + e->len;
        size_t len = (next < end ? next : end) - at;
        if (rng_below(rng, 2) == 0)
            FAULT_CHECK(pwrite(fd, payload(e) + (at - e->offset), len, (off_t)at) == (ssize_t)len,
                        "no space");
        at += len;
    }
}

static void write_one(int fd, const struct journal_entry *e, enum mode mode, struct rng *rng)
{
    struct stat info;
    if (mode == DROPPED || (mode == MIXED && rng_below(rng, 2) == 0))
        return;
    if (e->kind == JOURNAL_TRUNCATE)
        FAULT_CHECK(ftruncate(fd, (off_t)e->offset) == 0, "no space");
    else if (mode == TORN)
        write_torn(fd, e, rng);
    else
        FAULT_CHECK(pwrite(fd, payload(e), e->len, (off_t)e->offset) == (ssize_t)e->len, "no space");
    off_t end = (off_t)(e->offset + e->len);
    if (mode == TORN && rng_below(rng, 2) == 0 && fstat(fd, &info) == 0 && info.st_size < end)
        FAULT_CHECK(ftruncate(fd, end) == 0, "no space");
}

static size_t make_file(struct replay *r, struct file *f, size_t at, enum mode mode, struct rng *rng,
                        const char *path)
{
    size_t open_writes = 0;
    while (f->done < f->count && r->durable[f->ops[f->done]] <= at)
        apply_to_image(f, r->entries[f->ops[f->done++]]);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FAULT_CHECK(fd >= 0 && (f->len == 0 || pwrite(fd, f->image, f->len, 0) == (ssize_t)f->len), "no %s",
                path);
    for (size_t i = f->done; i < f->count && f->ops[i] <= at; i++) {
        bool safe = r->durable[f->ops[i]] <= at;
        write_one(fd, r->entries[f->ops[i]], safe ? KEPT : mode, rng);
        open_writes += safe ? 0 : 1;
    }
    close(fd);
    return open_writes;
}

/* ---- names ---- */

static struct name *name_find(struct replay *r, const char *path)
{
    for (size_t i = 0; i < r->name_count; i++)
        if (strcmp(r->names[i].path, path) == 0)
            return &r->names[i];
    return NULL;
}

static void name_drop(struct replay *r, const char *path)
{
    struct name *name = name_find(r, path);
    if (name != NULL)
        *name = r->names[--r->name_count];
}

static void name_put(struct replay *r, const char *path, struct file *file)
{
    name_drop(r, path);
    FAULT_CHECK(r->name_count < NAMES_MAX, "too many names");
    struct name *name = &r->names[r->name_count++];
    snprintf(name->path, sizeof name->path, "%s", path);
    name->file = file;
}

static void apply_name(struct replay *r, size_t at)
{
    const struct journal_entry *e = r->entries[at];
    const struct name *from;
    if (e->kind == JOURNAL_CREATE || e->kind == JOURNAL_MKDIR)
        name_put(r, payload(e), r->files[at]);
    if (e->kind == JOURNAL_UNLINK)
        name_drop(r, payload(e));
    if (e->kind == JOURNAL_RENAME && (from = name_find(r, payload(e))) != NULL) {
        struct file *file = from->file;
        name_drop(r, payload(e));
        name_put(r, target(e), file);
    }
}

/* The names as they may be: what wasn't synced is there up to some moment. */
static void make_names(struct replay *r, uint32_t node, size_t at, enum mode mode, struct rng *rng)
{
    size_t open_names = 0, keep;
    for (size_t i = 0; i <= at; i++)
        if (r->entries[i]->node == node && is_naming(r->entries[i]) && r->durable[i] > at)
            open_names++;
    keep = mode == DROPPED ? 0 : mode == KEPT ? open_names : rng_below(rng, open_names + 1);
    r->name_count = 0;
    for (size_t i = 0; i <= at; i++) {
        if (r->entries[i]->node != node || !is_naming(r->entries[i]))
            continue;
        if (r->durable[i] <= at || keep > 0)
            apply_name(r, i);
        keep -= r->durable[i] > at && keep > 0 ? 1 : 0;
    }
}

/* What was mapped and shared may hold anything: LMDB's table of readers. */
static void make_garbage(const char *path, struct rng *rng)
{
    uint8_t bytes[8192];
    rng_fill(rng, bytes, sizeof bytes);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FAULT_CHECK(fd >= 0 && write(fd, bytes, sizeof bytes) == sizeof bytes, "no %s", path);
    close(fd);
}

/* What stands in a folder whose name is lost is lost with it. */
static bool has_folders(struct replay *r, const char *path)
{
    char folder[JOURNAL_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    for (folder[parent_len(folder)] = '\0'; folder[0] != '\0'; folder[parent_len(folder)] = '\0')
        if (name_find(r, folder) == NULL)
            return false;
    return true;
}

static size_t depth_of(const char *path)
{
    size_t depth = 0;
    for (; *path != '\0'; path++)
        depth += *path == '/' ? 1 : 0;
    return depth;
}

static void make_folders(struct replay *r, const char *folder, size_t depth)
{
    for (size_t i = 0; i < r->name_count; i++) {
        char path[2 * JOURNAL_PATH];
        const struct name *name = &r->names[i];
        snprintf(path, sizeof path, "%s/%s", folder, name->path);
        if (name->file == NULL && depth_of(name->path) == depth && has_folders(r, name->path))
            FAULT_CHECK(mkdir(path, 0700) == 0, "no %s", path);
    }
}

size_t replay_state(struct replay *r, uint32_t node, size_t at, struct rng *rng, const char *folder)
{
    enum mode mode = (enum mode)rng_below(rng, MODES), names = (enum mode)rng_below(rng, TORN);
    size_t open_writes = 0;
    make_names(r, node, at, names, rng);
    for (size_t depth = 0; depth < DEPTH_MAX; depth++)
        make_folders(r, folder, depth);
    for (size_t i = 0; i < r->name_count; i++) {
        char path[2 * JOURNAL_PATH];
        const struct name *name = &r->names[i];
        snprintf(path, sizeof path, "%s/%s", folder, name->path);
        if (name->file == NULL || !has_folders(r, name->path))
            continue;
        if (strstr(name->path, "lock.mdb") != NULL)
            make_garbage(path, rng);
        else
            open_writes += make_file(r, name->file, at, mode, rng, path);
    }
    snprintf(r->how, sizeof r->how, "node %u behind entry %zu of %zu, %zu writes not synced: %s; names: %s",
             node, at, r->count, open_writes, mode_names[mode], mode_names[names]);
    return open_writes;
}
