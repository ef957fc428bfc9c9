/* A device sends a file, or gets one into a file of its own, under faults: it is there once, whole, and goes
 * on where it was. CLIENT-34, CLIENT-36, CLIENT-37 */
#include "sweep_town.h"

#include "identity/grant.h"
#include "room/attachment.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEN = 6 * HS_ATTACHMENT_PIECE + 5 };

static struct town_device *alice, *ben;
static struct hs_id room;
static uint64_t place; /* of the file in the room's log */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 7 + offset / 251);
}

static enum hanse_err read_it(void *context, uint64_t offset, uint8_t *buffer, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++)
        buffer[i] = byte_at(offset + i);
    return HANSE_OK;
}

static void found(void)
{
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF));
    room = town_room(alice, "VIP");
    ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    town_wait(t, 2000);
}

/* ---- out ---- */

static struct town_device *found_sender(void)
{
    found();
    return alice;
}

static enum hs_err want_sent(struct hs_step *s, uint64_t *op)
{
    const struct hanse_file file = {.name = "lipstick.jpg", .size = LEN};
    return hs_want_attach(s, &room, &file, read_it, NULL, op);
}

static bool is_sent(void)
{
    return town_lines(ben, &room, HANSE_MESSAGE_FILE) > 0 && town_lines(alice, &room, HANSE_MESSAGE_FILE) > 0;
}

static bool taken_well;

static enum hanse_err compare(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++)
        taken_well = taken_well && data[i] == byte_at(offset + i);
    return HANSE_OK;
}

static uint64_t place_of_file(struct town_device *d)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_message_row row = {0};
    struct hs_kv *kv = town_look(d);
    for (uint64_t at = 0; hs_message_next(kv, &room, at, &arena, &row); at = row.seq + 1)
        if (row.kind == HANSE_MESSAGE_FILE)
            break;
    town_looked(d);
    return row.seq;
}

static void check_sent(void)
{
    uint64_t op;
    FAULT_CHECK(town_lines(ben, &room, HANSE_MESSAGE_FILE) == 1, "the file was sent %zu times",
                town_lines(ben, &room, HANSE_MESSAGE_FILE));
    taken_well = true;
    TOWN_WANT(ben, hs_want_fetch(&s, &room, place_of_file(ben), 0, compare, NULL, &op));
    town_wait(ben->town, 2000);
    FAULT_CHECK(town_done(ben, op) != NULL && town_done(ben, op)->err == HANSE_OK && taken_well,
                "what was sent can't be had");
    town_talk(alice, ben, &room);
}

static const struct town_story sending = {
    .found = found_sender, .want = want_sent, .is_done = is_sent, .check = check_sent};
TOWN_SCENE(attach, sending);

/* ---- in ---- */

static void path_of_copy(char out[static 300])
{
    snprintf(out, 300, "%s/copy", sweep_dir());
}

static struct town_device *found_receiver(void)
{
    uint64_t op;
    found();
    TOWN_WANT(alice, want_sent(&s, &op));
    town_wait(alice->town, 2000);
    assert_non_null(town_done(alice, op));
    place = town_done(alice, op)->seq;
    return ben;
}

static enum hanse_err write_it(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
    char path[300];
    (void)context;
    path_of_copy(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return HANSE_ERR_IO;
    bool well = pwrite(fd, data, length, (off_t)offset) == (ssize_t)length;
    return close(fd) == 0 && well ? HANSE_OK : HANSE_ERR_IO;
}

static uint64_t have(void)
{
    struct stat info;
    char path[300];
    path_of_copy(path);
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static enum hs_err want_got(struct hs_step *s, uint64_t *op)
{
    return hs_want_fetch(s, &room, place, have(), write_it, NULL, op);
}

static bool is_got(void)
{
    static uint8_t bytes[LEN];
    char path[300];
    path_of_copy(path);
    if (have() < LEN)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    FAULT_CHECK(fd >= 0 && read(fd, bytes, LEN) == LEN, "no %s", path);
    close(fd);
    taken_well = true;
    (void)compare(NULL, 0, bytes, LEN);
    FAULT_CHECK(taken_well, "something else was written");
    return true;
}

static void check_got(void)
{
    FAULT_CHECK(have() == LEN, "it has %llu bytes", (unsigned long long)have());
    town_talk(ben, alice, &room);
}

static const struct town_story getting = {
    .found = found_receiver, .want = want_got, .is_done = is_got, .check = check_got};
TOWN_SCENE(fetch, getting);
