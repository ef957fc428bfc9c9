#include "cli.h"

#include <stdio.h>

void json_line(json_t *value)
{
    if (value != NULL && json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
        fputs("\n", stdout);
    (void)fflush(stdout);
    json_decref(value);
}

json_t *json_id(const struct hanse_id *id)
{
    char text[65];
    hanse_id_text(id, text);
    return json_string(text);
}

json_t *json_person(const struct hanse_person *person)
{
    return json_pack("{s:o, s:s, s:s}", "key", json_id(&person->key), "handle", person->handle, "name",
                     person->name);
}

const char *message_kind_name(enum hanse_message_kind kind)
{
    switch (kind) {
    case HANSE_MESSAGE_TEXT:
        return "text";
    case HANSE_MESSAGE_CREATED:
        return "created";
    case HANSE_MESSAGE_JOINED:
        return "joined";
    case HANSE_MESSAGE_LEFT:
        return "left";
    case HANSE_MESSAGE_INVITED:
        return "invited";
    case HANSE_MESSAGE_OFFER:
        return "offer";
    case HANSE_MESSAGE_COUPON:
        return "coupon";
    case HANSE_MESSAGE_ORDER:
        return "order";
    case HANSE_MESSAGE_FILE:
        return "file";
    case HANSE_MESSAGE_OTHER:
        return "other";
    case HANSE_MESSAGE_REFUSED:
        return "refused";
    case HANSE_MESSAGE_GAP:
        return "gap";
    }
    return "unknown";
}

const char *order_state_name(enum hanse_order_state state)
{
    switch (state) {
    case HANSE_ORDER_DRAFT:
        return "draft";
    case HANSE_ORDER_PLACED:
        return "placed";
    case HANSE_ORDER_ACCEPTED:
        return "accepted";
    case HANSE_ORDER_REJECTED:
        return "rejected";
    case HANSE_ORDER_CANCELLED:
        return "cancelled";
    case HANSE_ORDER_CLOSED:
        return "closed";
    }
    return "unknown";
}

const char *role_name(enum hanse_role role)
{
    switch (role) {
    case HANSE_ROLE_MEMBER:
        return "member";
    case HANSE_ROLE_OWNER:
        return "owner";
    case HANSE_ROLE_MODERATOR:
        return "moderator";
    case HANSE_ROLE_HOST:
        return "host";
    case HANSE_ROLE_AGENT:
        return "agent";
    case HANSE_ROLE_LISTENER:
        return "listener";
    }
    return "unknown";
}

json_t *json_message(const struct hanse_message *m)
{
    json_t *out = json_pack("{s:I, s:I, s:s, s:b, s:o, s:s}", "seq", (json_int_t)m->seq, "time",
                            (json_int_t)m->time_ms, "kind", message_kind_name(m->kind), "own", m->own,
                            "sender", json_person(&m->sender), "text", m->text);
    if (m->kind == HANSE_MESSAGE_OFFER || m->kind == HANSE_MESSAGE_COUPON || m->kind == HANSE_MESSAGE_ORDER)
        (void)json_object_set_new(out, "object", json_id(&m->object));
    if (m->kind == HANSE_MESSAGE_GAP)
        (void)json_object_update_new(
            out, json_pack("{s:I, s:I}", "last", (json_int_t)m->last, "missing", (json_int_t)m->missing));
    if (m->err != HANSE_OK)
        (void)json_object_set_new(out, "error", json_string(hanse_err_name(m->err)));
    return out;
}
