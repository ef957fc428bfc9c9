/* A real node whose disk takes long to sync, and people who send it more at once than it can queue: it says
 * BUSY and when to ask again, they do, and everything comes through, once. DELIVERY-58, DELIVERY-65 */
#include "fault.h"
#include "fleet.h"
#include "inject.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PEOPLE = 6,
    FILES = 14,        /* of each: together more than the 64 parts that a node works on at once */
    FILE_SIZE = 70000, /* three pieces */
    POSTS = 5,
    SYNC_MS = 60,
    PATIENCE_MS = 120000,
    ENVIRONMENT_MAX = 512
};

static struct fleet f;
static struct inject *table;
static char preload[300], shared[300], *environment[ENVIRONMENT_MAX];
static unsigned seeds[PEOPLE * FILES]; /* what is in each file follows from its own */

static void slow_disk(void)
{
    size_t n = 0;
    char path[200];
    snprintf(path, sizeof path, "%s/inject", f.dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    FAULT_CHECK(fd >= 0 && ftruncate(fd, sizeof *table) == 0, "no %s", path);
    table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FAULT_CHECK(table != MAP_FAILED, "no memory");
    close(fd);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", INJECT_LIBRARY);
    snprintf(shared, sizeof shared, INJECT_FILE "=%s", path);
    for (; environ[n] != NULL && n + 3 < ENVIRONMENT_MAX; n++)
        environment[n] = environ[n];
    environment[n++] = preload;
    environment[n] = shared;
    f.nodes[0].environment = environment;
}

static enum hanse_err read_file(void *context, uint64_t offset, uint8_t *buffer, size_t length)
{
    const unsigned *seed = context;
    for (size_t i = 0; i < length; i++)
        buffer[i] = (uint8_t)((offset + i) * (2 * *seed + 1) >> 3);
    return HANSE_OK;
}

static void send_file(size_t n)
{
    struct hanse_file file = {.size = FILE_SIZE};
    uint64_t op;
    struct member *m = &f.members[n % PEOPLE];
    seeds[n] = (unsigned)n;
    snprintf(file.name, sizeof file.name, "file-%zu", n);
    enum hanse_err err = hanse_attach(m->h, &f.room, &file, read_file, &seeds[n], &op);
    FAULT_CHECK(err == HANSE_OK, "%s can't attach: %s", m->name, hanse_err_name(err));
}

static unsigned refusals(void)
{
    unsigned busy = 0;
    for (size_t i = 0; i < f.count; i++) {
        busy += f.members[i].acks.busy;
        FAULT_CHECK(f.members[i].acks.busy_alone == 0, "a refusal doesn't say when to ask again");
    }
    return busy;
}

/* How often each file is in the room's history as somebody sees it. */
static void check_files(const struct member *m)
{
    unsigned seen[PEOPLE * FILES] = {0};
    struct hanse_message message;
    for (uint64_t at = 0; hanse_message_next(m->h, &f.room, at, &message) == HANSE_OK; at = message.seq + 1) {
        size_t n;
        if (message.kind == HANSE_MESSAGE_FILE && sscanf(message.text, "file-%zu", &n) == 1)
            seen[n]++;
    }
    for (size_t n = 0; n < PEOPLE * FILES; n++)
        FAULT_CHECK(seen[n] == 1, "%s sees file %zu %u times", m->name, n, seen[n]);
}

int main(void)
{
    fault_at("founding");
    fleet_make(&f, 1, NULL);
    slow_disk();
    fleet_start(&f, 5);
    for (size_t i = 1; i < PEOPLE; i++)
        fleet_join(&f, 0);
    fleet_settle(&f, PATIENCE_MS);
    fault_at("too much at once (files in %s)", f.dir);
    atomic_store(&table->sync_ms, SYNC_MS);
    for (size_t n = 0; n < PEOPLE * FILES; n++)
        send_file(n);
    for (size_t n = 0; n < PEOPLE * POSTS; n++)
        fleet_post(&f, &f.members[n % PEOPLE]);
    fleet_settle(&f, PATIENCE_MS);
    unsigned busy = refusals();
    printf("%u refusals\n", busy);
    FAULT_CHECK(busy > 0, "nobody was refused");
    fault_at("afterwards (files in %s)", f.dir);
    atomic_store(&table->sync_ms, 0);
    fleet_check(&f);
    for (size_t i = 0; i < PEOPLE; i++)
        check_files(&f.members[i]);
    daemon_stop(&f.nodes[0]);
    fleet_look(&f, 1);
    fleet_check_store(&f, 0, NULL);
    fleet_free(&f);
    return 0;
}
