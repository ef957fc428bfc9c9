/* A device sends a file or gets one, claims a coupon, shows it with an order, at a node that runs, while its
 * sockets, files and memory fail: each is there once, whole. CLIENT-6, CLIENT-34, CLIENT-36, DEAL-9 */
#include "sweep_real.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEN = 200000 /* pieces enough that one can fail between others */, SETTLE_MS = 30000 };

static struct fleet *f;
static struct member *founder, *hero;

static struct member *found_member(struct fleet *fleet)
{
    f = fleet;
    founder = &f->members[0];
    hero = fleet_join(f, 0);
    fleet_settle(f, SETTLE_MS);
    return hero;
}

/* ---- a file goes out ---- */

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

static enum hanse_err want_sent(struct hanse *h, uint64_t *op)
{
    const struct hanse_file file = {.name = "lipstick.jpg", .size = LEN};
    return hanse_attach(h, &f->room, &file, read_it, NULL, op);
}

static bool is_sent(struct hanse *h)
{
    return real_lines(h, &f->room, HANSE_MESSAGE_FILE, NULL) > 0 &&
           real_lines(founder->h, &f->room, HANSE_MESSAGE_FILE, NULL) > 0;
}

static uint64_t place_of_file(struct hanse *h)
{
    struct hanse_message message = {0};
    for (uint64_t at = 0; hanse_message_next(h, &f->room, at, &message) == HANSE_OK; at = message.seq + 1)
        if (message.kind == HANSE_MESSAGE_FILE)
            return message.seq;
    fault_found("no file is there");
}

static uint64_t taken;
static bool taken_well;

static enum hanse_err compare(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++)
        taken_well = taken_well && data[i] == byte_at(offset + i);
    taken += length;
    return HANSE_OK;
}

static void check_sent(struct hanse *h)
{
    uint64_t op;
    (void)h;
    FAULT_CHECK(real_lines(founder->h, &f->room, HANSE_MESSAGE_FILE, NULL) == 1, "the file was sent twice");
    taken = 0;
    taken_well = true;
    enum hanse_err err = hanse_fetch(founder->h, &f->room, place_of_file(founder->h), 0, compare, NULL, &op);
    fleet_await(f, founder, err, &op, "fetching what was sent");
    FAULT_CHECK(taken_well && taken == LEN, "something else was sent");
    real_talk(founder, &f->room);
}

static const struct real_story sending = {
    .nodes = 1, .found = found_member, .want = want_sent, .is_done = is_sent, .check = check_sent};
REAL_SCENE(attach, sending);

/* ---- and comes in (CLIENT-37) ---- */

static uint64_t place;

static struct member *found_receiver(struct fleet *fleet)
{
    uint64_t op;
    found_member(fleet);
    enum hanse_err err = want_sent(founder->h, &op);
    fleet_await(f, founder, err, &op, "sending a file");
    place = founder->done.seq;
    fleet_settle(f, SETTLE_MS);
    return hero;
}

static void path_of_copy(char out[static 300])
{
    snprintf(out, 300, "%s/copy", sweep_dir());
}

static uint64_t have(void)
{
    struct stat info;
    char path[300];
    path_of_copy(path);
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
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

static enum hanse_err want_got(struct hanse *h, uint64_t *op)
{
    return hanse_fetch(h, &f->room, place, have(), write_it, NULL, op);
}

static bool is_got(struct hanse *h)
{
    (void)h;
    return have() == LEN;
}

static void check_got(struct hanse *h)
{
    static uint8_t bytes[LEN + 1];
    char path[300];
    (void)h;
    path_of_copy(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    FAULT_CHECK(fd >= 0 && read(fd, bytes, sizeof bytes) == LEN, "no %s, or another length", path);
    close(fd);
    taken_well = true;
    (void)compare(NULL, 0, bytes, LEN);
    FAULT_CHECK(taken_well, "something else was written");
    real_talk(founder, &f->room);
}

static const struct real_story getting = {
    .nodes = 1, .found = found_receiver, .want = want_got, .is_done = is_got, .check = check_got};
REAL_SCENE(fetch, getting);

/* ---- a coupon ---- */

static struct hanse_coupon coupon;

static size_t coupons(struct hanse *h)
{
    struct hanse_coupon next;
    size_t n = 0;
    for (bool more = hanse_coupon_next(h, NULL, &next) == HANSE_OK; more;
         more = hanse_coupon_next(h, &coupon.id, &next) == HANSE_OK) {
        coupon = next;
        n++;
    }
    return n;
}

/* Who joins later than a campaign was posted can't read it. */
static struct member *found_claimer(struct fleet *fleet)
{
    const struct hanse_campaign_spec spec = {.percent_bp = 1000, .limit_total = 1};
    uint64_t op;
    found_member(fleet);
    enum hanse_err err = hanse_coupon_issue(founder->h, &f->room, &spec, &op);
    fleet_await(f, founder, err, &op, "issuing coupons");
    f->campaign = founder->done.id;
    fleet_settle(f, SETTLE_MS);
    return hero;
}

static enum hanse_err want_coupon(struct hanse *h, uint64_t *op)
{
    return hanse_coupon_claim(h, &f->campaign, op);
}

static bool is_claimed(struct hanse *h)
{
    return coupons(h) > 0;
}

static void check_claimed(struct hanse *h)
{
    FAULT_CHECK(coupons(h) == 1 && coupon.state == HANSE_COUPON_HELD, "it has %zu coupons, state %d",
                coupons(h), (int)coupon.state);
    real_talk(founder, &f->room);
}

static const struct real_story claiming = {
    .nodes = 1, .found = found_claimer, .want = want_coupon, .is_done = is_claimed, .check = check_claimed};
REAL_SCENE(claim, claiming);

/* ---- and an order that it is redeemed with ---- */

static struct member *till;
static struct hanse_id offer;

static struct member *found_buyer(struct fleet *fleet)
{
    static const char *const options[] = {"--role", "till", "--handle", "till", NULL};
    const struct hanse_offer_spec spec = {
        .sku = "soap", .title = "Rose soap", .currency = "EUR", .price_minor = 1290, .tax_bp = 1900};
    uint64_t op;
    found_claimer(fleet);
    till = fleet_hire(f, 0, options);
    FAULT_CHECK(hanse_till_enable(till->h, true) == HANSE_OK, "no till");
    enum hanse_err err = hanse_offer_post(founder->h, &f->room, &spec, &op);
    fleet_await(f, founder, err, &op, "posting an offer");
    offer = founder->done.id;
    fleet_settle(f, SETTLE_MS);
    err = want_coupon(hero->h, &op);
    fleet_await(f, hero, err, &op, "claiming a coupon");
    coupon.id = hero->done.id;
    return hero;
}

static void till_opens(void)
{
    FAULT_CHECK(hanse_till_enable(till->h, true) == HANSE_OK, "no till");
}

static enum hanse_err want_order(struct hanse *h, uint64_t *op)
{
    return hanse_order_place(h, &offer, 1, &coupon.id, op);
}

static size_t orders(struct hanse *h, enum hanse_order_state state, struct hanse_order *last)
{
    struct hanse_order next;
    struct hanse_id at;
    size_t n = 0;
    for (bool more = hanse_order_next(h, NULL, &next) == HANSE_OK; more;
         more = hanse_order_next(h, &at, &next) == HANSE_OK) {
        at = next.id;
        if (next.state == state) {
            *last = next;
            n++;
        }
    }
    return n;
}

static bool is_bought(struct hanse *h)
{
    struct hanse_order order;
    return orders(h, HANSE_ORDER_ACCEPTED, &order) > 0 && orders(till->h, HANSE_ORDER_ACCEPTED, &order) > 0;
}

static bool is_ordered(struct hanse *h)
{
    struct hanse_order order;
    return orders(h, HANSE_ORDER_PLACED, &order) > 0;
}

static void check_bought(struct hanse *h)
{
    struct hanse_order order, tills;
    FAULT_CHECK(orders(h, HANSE_ORDER_ACCEPTED, &order) == 1 &&
                    orders(till->h, HANSE_ORDER_ACCEPTED, &tills) == 1,
                "there is more than one order");
    FAULT_CHECK(order.receipts == 1 && order.total_minor == 1161 && tills.total_minor == 1161,
                "%u receipts, %lld to pay", (unsigned)order.receipts, (long long)order.total_minor);
    FAULT_CHECK(hanse_coupon_get(h, &coupon.id, &coupon) == HANSE_OK && coupon.state == HANSE_COUPON_USED,
                "the coupon isn't used");
    real_talk(founder, &f->room);
}

static const struct real_story buying = {.nodes = 1,
                                         .found = found_buyer,
                                         .begin = till_opens,
                                         .want = want_order,
                                         .is_done = is_bought,
                                         .is_under_way = is_ordered,
                                         .check = check_bought};
REAL_SCENE(order, buying);
