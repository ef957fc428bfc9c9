/* What the user wants, handed on. */
#include "api/handle.h"

/* One change of the sync's state in a transaction of its own. */
#define WANT(h, call)                                                                                        \
    do {                                                                                                     \
        struct hs_step s;                                                                                    \
        struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);                                            \
        enum hs_err err_ = hs_api_open((h), &s, &arena);                                                     \
        if (err_ == HS_OK)                                                                                   \
            err_ = hs_api_close((h), &s, (call));                                                            \
        hs_uv_called(h);                                                                                     \
        return (enum hanse_err)err_;                                                                         \
    } while (0)

enum hanse_err hanse_identity_create(struct hanse *h, const char *display_name)
{
    WANT(h, hs_want_identity(&s, display_name));
}

enum hanse_err hanse_identity_rename(struct hanse *h, const char *display_name)
{
    WANT(h, hs_want_name(&s, display_name));
}

enum hanse_err hanse_sign_up(struct hanse *h, const char *ticket, uint64_t *op)
{
    WANT(h, hs_want_sign_up(&s, ticket, op));
}

enum hanse_err hanse_home_back(struct hanse *h)
{
    WANT(h, hs_want_home_back(&s));
}

enum hanse_err hanse_move_home(struct hanse *h, const char *ticket, uint64_t *op)
{
    WANT(h, hs_want_move_home(&s, ticket, op));
}

enum hanse_err hanse_room_move(struct hanse *h, const struct hanse_id *room, uint64_t *op)
{
    struct hs_id id;
    memcpy(id.b, room->b, sizeof id.b);
    WANT(h, hs_want_hub_move(&s, &id, op));
}

enum hanse_err hanse_grants_add(struct hanse *h, const char *text, uint64_t *op)
{
    WANT(h, hs_want_grants(&s, text, op));
}

enum hanse_err hanse_set_wake(struct hanse *h, const char *url, uint64_t *op)
{
    WANT(h, hs_want_wake(&s, url, op));
}

enum hanse_err hanse_ping(struct hanse *h, uint64_t *op)
{
    WANT(h, hs_want_ping(&s, op));
}

enum hanse_err hanse_room_create(struct hanse *h, const char *name, uint64_t *op)
{
    const struct hanse_room_spec spec = {.name = name};
    WANT(h, hs_want_room(&s, &spec, op));
}

enum hanse_err hanse_room_create_as(struct hanse *h, const struct hanse_room_spec *spec, uint64_t *op)
{
    WANT(h, hs_want_room(&s, spec, op));
}

enum hanse_err hanse_invite(struct hanse *h, const struct hanse_id *room, uint32_t uses, int64_t until_ms,
                            uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_invite(&s, &id, uses, (struct hs_time){until_ms}, op));
}

enum hanse_err hanse_join(struct hanse *h, const char *link, uint64_t *op)
{
    WANT(h, hs_want_join(&s, link, op));
}

enum hanse_err hanse_set_role(struct hanse *h, const struct hanse_id *room, const struct hanse_id *person,
                              enum hanse_role role, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    struct hs_key key;
    memcpy(key.b, person->b, sizeof key.b);
    WANT(h, hs_want_role(&s, &id, &key, role, op));
}

enum hanse_err hanse_ban(struct hanse *h, const struct hanse_id *room, const struct hanse_id *person,
                         uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    struct hs_key key;
    memcpy(key.b, person->b, sizeof key.b);
    WANT(h, hs_want_ban(&s, &id, &key, op));
}

enum hanse_err hanse_rejoin(struct hanse *h, const struct hanse_id *room, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_rejoin(&s, &id, op));
}

enum hanse_err hanse_typing(struct hanse *h, const struct hanse_id *room)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_typing(&s, &id));
}

enum hanse_err hanse_leave(struct hanse *h, const struct hanse_id *room, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_leave(&s, &id, op));
}

enum hanse_err hanse_leave_here(struct hanse *h, const struct hanse_id *room)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_leave_here(&s, &id));
}

enum hanse_err hanse_remove(struct hanse *h, const struct hanse_id *room, const struct hanse_id *person,
                            uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    struct hs_key key = hs_api_key(person);
    WANT(h, hs_want_removal(&s, &id, &key, op));
}

enum hanse_err hanse_post(struct hanse *h, const struct hanse_id *room, const char *text, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_text(&s, &id, text, op));
}

enum hanse_err hanse_attach(struct hanse *h, const struct hanse_id *room, const struct hanse_file *file,
                            hanse_read_fn *read, void *context, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_attach(&s, &id, file, read, context, op));
}

enum hanse_err hanse_fetch(struct hanse *h, const struct hanse_id *room, uint64_t seq, uint64_t have,
                           hanse_write_fn *write, void *context, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_fetch(&s, &id, seq, have, write, context, op));
}

enum hanse_err hanse_offer_post(struct hanse *h, const struct hanse_id *room,
                                const struct hanse_offer_spec *spec, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_offer(&s, &id, spec, op));
}

enum hanse_err hanse_coupon_issue(struct hanse *h, const struct hanse_id *room,
                                  const struct hanse_campaign_spec *spec, uint64_t *op)
{
    struct hs_id id = hs_api_id(room);
    WANT(h, hs_want_campaign(&s, &id, spec, op));
}

enum hanse_err hanse_coupon_claim(struct hanse *h, const struct hanse_id *campaign, uint64_t *op)
{
    struct hs_id id = hs_api_id(campaign);
    WANT(h, hs_want_claim(&s, &id, op));
}

enum hanse_err hanse_order_place(struct hanse *h, const struct hanse_id *offer, uint64_t quantity,
                                 const struct hanse_id *coupon, uint64_t *op)
{
    struct hs_id id = hs_api_id(offer), unit = coupon != NULL ? hs_api_id(coupon) : (struct hs_id){0};
    WANT(h, hs_want_order(&s, &id, quantity, coupon != NULL ? &unit : NULL, op));
}

enum hanse_err hanse_till_enable(struct hanse *h, bool on)
{
    WANT(h, hs_want_till(&s, on));
}
