/* What an argument names. A name counts where it is whole, an id from its first digits on; two that fit are
 * an error that lists them. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

struct match {
    const char *kind, *text;
    unsigned found;
    struct hanse_id first;
};

static bool fits_id(const struct match *m, const struct hanse_id *id)
{
    char whole[65];
    hanse_id_text(id, whole);
    return m->text != NULL && strlen(m->text) >= 4 && strncmp(whole, m->text, strlen(m->text)) == 0;
}

static bool fits(const struct match *m, const struct hanse_id *id, const char *name)
{
    return m->text == NULL || fits_id(m, id) ||
           (name != NULL && name[0] != '\0' && strcmp(m->text, name) == 0);
}

/* Counts a candidate; from the second on it is listed. True where it is the first. */
static bool count(struct match *m, const struct hanse_id *id, const char *name)
{
    m->found++;
    if (m->found == 1) {
        m->first = *id;
        return true;
    }
    if (m->found == 2)
        fprintf(stderr, "hanse: %s '%s' can mean several; name one by its id:\n  %s\n", m->kind,
                m->text != NULL ? m->text : "", short_id(&m->first));
    fprintf(stderr, "  %s %s\n", short_id(id), name != NULL ? name : "");
    return false;
}

static int verdict(const struct cli *c, const struct match *m)
{
    if (m->found == 1)
        return EXIT_DONE;
    if (m->found > 1)
        return EXIT_USAGE;
    char what[400];
    (void)snprintf(what, sizeof what, "%s '%.300s'", m->kind, m->text != NULL ? m->text : "");
    (void)cli_fail(c, what, HANSE_ERR_NOT_FOUND);
    return EXIT_FAILED;
}

int find_room(struct cli *c, const char *text, struct hanse_room *out)
{
    struct match m = {"room", text, 0, {{0}}};
    struct hanse_room room;
    for (enum hanse_err err = hanse_room_next(c->h, NULL, &room); err == HANSE_OK;
         err = hanse_room_next(c->h, &room.id, &room))
        if (fits(&m, &room.id, room.name) && count(&m, &room.id, room.name))
            *out = room;
    return verdict(c, &m);
}

int open_room(struct cli *c, const char *text, struct hanse_room *out)
{
    int code = cli_open(c);
    return code == EXIT_DONE ? find_room(c, text, out) : code;
}

int find_member(struct cli *c, const struct hanse_id *room, const char *text, struct hanse_member *out)
{
    struct match m = {"member", text, 0, {{0}}};
    struct hanse_member member;
    for (enum hanse_err err = hanse_member_next(c->h, room, 0, &member); err == HANSE_OK;
         err = hanse_member_next(c->h, room, member.leaf + 1, &member)) {
        bool named =
            strcmp(text, member.person.handle) == 0 || fits(&m, &member.person.key, member.person.name);
        if (named && count(&m, &member.person.key, person_text(&member.person)))
            *out = member;
    }
    return verdict(c, &m);
}

int find_offer(struct cli *c, const char *text, struct hanse_offer *out)
{
    struct match m = {"offer", text, 0, {{0}}};
    struct hanse_offer offer;
    for (enum hanse_err err = hanse_offer_next(c->h, NULL, &offer); err == HANSE_OK;
         err = hanse_offer_next(c->h, &offer.id, &offer)) {
        bool named = text != NULL && (strcmp(text, offer.sku) == 0 || strcmp(text, offer.title) == 0);
        if ((named || fits(&m, &offer.id, NULL)) && count(&m, &offer.id, offer.title))
            *out = offer;
    }
    return verdict(c, &m);
}

int find_campaign(struct cli *c, const struct hanse_id *room, const char *text, struct hanse_campaign *out)
{
    struct match m = {"coupon", text, 0, {{0}}};
    struct hanse_campaign campaign;
    for (enum hanse_err err = hanse_campaign_next(c->h, NULL, &campaign); err == HANSE_OK;
         err = hanse_campaign_next(c->h, &campaign.id, &campaign)) {
        bool here = memcmp(&campaign.room, room, sizeof *room) == 0;
        if (here && fits(&m, &campaign.id, campaign.title) && count(&m, &campaign.id, campaign.title))
            *out = campaign;
    }
    return verdict(c, &m);
}

int find_coupon(struct cli *c, const char *text, struct hanse_coupon *out)
{
    struct match m = {"coupon", text, 0, {{0}}};
    struct hanse_coupon coupon;
    for (enum hanse_err err = hanse_coupon_next(c->h, NULL, &coupon); err == HANSE_OK;
         err = hanse_coupon_next(c->h, &coupon.id, &coupon))
        if (fits(&m, &coupon.id, coupon.title) && count(&m, &coupon.id, coupon.title))
            *out = coupon;
    return verdict(c, &m);
}

int find_order(struct cli *c, const char *text, struct hanse_order *out)
{
    struct match m = {"order", text, 0, {{0}}};
    struct hanse_order order;
    for (enum hanse_err err = hanse_order_next(c->h, NULL, &order); err == HANSE_OK;
         err = hanse_order_next(c->h, &order.id, &order))
        if (fits(&m, &order.id, NULL) && count(&m, &order.id, order_state_name(order.state)))
            *out = order;
    return verdict(c, &m);
}
