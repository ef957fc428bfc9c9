#include "cli.h"

#include <stdio.h>

static void print_offer(const struct cli *c, const struct hanse_message *m)
{
    struct hanse_offer offer;
    if (hanse_offer_get(c->h, &m->object, &offer) != HANSE_OK)
        return;
    printf("offers %s%s%s for %s%s%s  (%s, offer %s)\n", colour(BOLD), offer.title, colour(PLAIN),
           colour(BOLD), money_text(offer.price_minor, offer.currency), colour(PLAIN), offer.sku,
           short_id(&offer.id));
}

static void print_coupon(const struct cli *c, const struct hanse_message *m)
{
    struct hanse_campaign campaign;
    if (hanse_campaign_get(c->h, &m->object, &campaign) != HANSE_OK)
        return;
    printf("gives out a coupon: %s%s%s, until %s  (coupon %s)\n", colour(BOLD), campaign.title, colour(PLAIN),
           campaign.until_ms > 0 ? time_text(campaign.until_ms, false) : "further notice",
           short_id(&campaign.id));
}

static void print_order(const struct cli *c, const struct hanse_message *m)
{
    struct hanse_order order;
    if (hanse_order_get(c->h, &m->object, &order) != HANSE_OK)
        return;
    printf("order %s: %s%s%s, %s\n", short_id(&order.id), colour(BOLD), order_state_name(order.state),
           colour(PLAIN), money_text(order.total_minor, order.currency));
}

static void print_file(const struct hanse_message *m)
{
    printf("sent the file %s%s%s  (hanse save, number %llu)\n", colour(BOLD), m->text, colour(PLAIN),
           (unsigned long long)m->seq);
}

static void print_gap(const struct hanse_message *m)
{
    const char *why = m->err == HANSE_OK ? "this room keeps them no longer"
                      : m->err == HANSE_ERR_STATE_LOST
                          ? "this device had lost its keys for the room, and is back"
                          : "too much is missing before them";
    printf("%s%s -- ", colour(DIM), time_text(m->time_ms, true));
    if (m->missing > 0)
        printf("%llu %s (%llu to %llu) can't be read: ", (unsigned long long)m->missing,
               m->missing == 1 ? "post" : "posts", (unsigned long long)m->seq, (unsigned long long)m->last);
    printf("%s --%s\n", why, colour(PLAIN));
    (void)fflush(stdout);
}

void message_print(const struct cli *c, const struct hanse_message *m)
{
    if (c->json) {
        json_line(json_message(m));
        return;
    }
    if (m->kind == HANSE_MESSAGE_GAP) {
        print_gap(m);
        return;
    }
    printf("%s%s%s %s%s%s ", colour(DIM), time_text(m->time_ms, true), colour(PLAIN),
           colour(m->own ? GREEN : BLUE), person_text(&m->sender), colour(PLAIN));
    switch (m->kind) {
    case HANSE_MESSAGE_TEXT:
        printf("%s\n", m->text);
        break;
    case HANSE_MESSAGE_CREATED:
        printf("created the room %s\n", m->text);
        break;
    case HANSE_MESSAGE_JOINED:
        printf("let in %s\n", m->text);
        break;
    case HANSE_MESSAGE_LEFT:
        printf("removed %s\n", m->text);
        break;
    case HANSE_MESSAGE_INVITED:
        printf("made an invite\n");
        break;
    case HANSE_MESSAGE_OFFER:
        print_offer(c, m);
        break;
    case HANSE_MESSAGE_COUPON:
        print_coupon(c, m);
        break;
    case HANSE_MESSAGE_ORDER:
        print_order(c, m);
        break;
    case HANSE_MESSAGE_FILE:
        print_file(m);
        break;
    case HANSE_MESSAGE_OTHER:
        printf("%s%s%s\n", colour(DIM), m->text, colour(PLAIN));
        break;
    case HANSE_MESSAGE_REFUSED:
        printf("%s(not shown: %s)%s\n", colour(RED), hanse_err_text(m->err), colour(PLAIN));
        break;
    case HANSE_MESSAGE_GAP:
        break; /* nobody says it */
    }
    (void)fflush(stdout);
}
