/* Arguments out of a request, results into an answer. */
#include "peer.h"

#include "base/text.h"

#include <string.h>

static const json_t *member(struct call *c, const char *key)
{
    const json_t *value = json_object_get(c->in, key);
    if (value == NULL)
        c->err = HS_ERR_INVALID_ARG;
    return value;
}

bool call_has(const struct call *c, const char *key)
{
    const json_t *value = json_object_get(c->in, key);
    return value != NULL && !json_is_null(value);
}

bool call_flag(const struct call *c, const char *key)
{
    return json_is_true(json_object_get(c->in, key));
}

static uint64_t number_of(struct call *c, const json_t *value)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (uint64_t)json_integer_value(value);
    c->err = HS_ERR_INVALID_ARG;
    return 0;
}

uint64_t call_number(struct call *c, const char *key)
{
    return number_of(c, member(c, key));
}

const char *call_text(struct call *c, const char *key)
{
    const char *text = json_string_value(member(c, key));
    if (text == NULL)
        c->err = HS_ERR_INVALID_ARG;
    return text != NULL ? text : "";
}

static struct hs_bytes bytes_of(struct call *c, const json_t *value)
{
    size_t len = json_string_length(value);
    uint8_t *out = json_is_string(value) ? hs_arena_alloc(&c->arena, len + 1) : NULL;
    if (out == NULL || hs_unbase64(hs_bytes(json_string_value(value), len), out, len + 1, &len) != HS_OK) {
        c->err = HS_ERR_INVALID_ARG;
        return (struct hs_bytes){0};
    }
    return hs_bytes(out, len);
}

struct hs_bytes call_bytes(struct call *c, const char *key)
{
    return bytes_of(c, member(c, key));
}

struct hs_bytes call_bytes_or_none(struct call *c, const char *key)
{
    return call_has(c, key) ? call_bytes(c, key) : (struct hs_bytes){0};
}

/* Room for one item for each of the list's; NULL, and 0, where there is no list. */
static void *list_room(struct call *c, const char *key, size_t item, size_t *count)
{
    *count = json_array_size(json_object_get(c->in, key));
    void *out = *count > 0 ? hs_arena_alloc(&c->arena, *count * item) : NULL;
    if (out == NULL && *count > 0) {
        c->err = HS_ERR_NOMEM;
        *count = 0;
    }
    return out;
}

size_t call_list(struct call *c, const char *key, const struct hs_bytes **out)
{
    size_t count;
    struct hs_bytes *list = list_room(c, key, sizeof *list, &count);
    for (size_t i = 0; i < count; i++)
        list[i] = bytes_of(c, json_array_get(json_object_get(c->in, key), i));
    *out = list;
    return count;
}

size_t call_leaves(struct call *c, const char *key, const uint32_t **out)
{
    size_t count;
    uint32_t *list = list_room(c, key, sizeof *list, &count);
    for (size_t i = 0; i < count; i++)
        list[i] = (uint32_t)number_of(c, json_array_get(json_object_get(c->in, key), i));
    *out = list;
    return count;
}

/* [{"type": 5, "data": "..."}] */
size_t call_extensions(struct call *c, const char *key, const struct hs_mls_extension **out)
{
    size_t count;
    struct hs_mls_extension *list = list_room(c, key, sizeof *list, &count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json_object_get(c->in, key), i);
        list[i].type = (uint16_t)number_of(c, json_object_get(item, "type"));
        list[i].data = bytes_of(c, json_object_get(item, "data"));
    }
    *out = list;
    return count;
}

/* [{"id": "..."}] for external PSKs, [{"epoch": 7}] for the group's own resumption secrets. */
size_t call_psk_ids(struct call *c, const char *key, const struct hs_mls_psk_id **out)
{
    size_t count;
    struct hs_mls_psk_id *list = list_room(c, key, sizeof *list, &count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json_object_get(c->in, key), i);
        const json_t *id = json_object_get(item, "id");
        if (id != NULL) {
            list[i] = (struct hs_mls_psk_id){.type = HS_MLS_PSK_EXTERNAL, .id = bytes_of(c, id)};
            continue;
        }
        list[i] = (struct hs_mls_psk_id){
            .type = HS_MLS_PSK_RESUMPTION,
            .usage = HS_MLS_PSK_APPLICATION,
            .group_id = hs_mls_group_id(c->device->group),
            .epoch = number_of(c, json_object_get(item, "epoch")),
        };
    }
    *out = list;
    return count;
}

json_t *json_bytes(struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(2 * (bytes.len + 1) + 4096);
    char *text = hs_arena_alloc(&arena, HS_BASE64_SIZE(bytes.len));
    HS_ASSERT(text != NULL);
    return json_string(hs_base64(bytes, text));
}

void answer_bytes(struct call *c, const char *key, struct hs_bytes bytes)
{
    json_object_set_new(c->out, key, json_bytes(bytes));
}

void answer_number(struct call *c, const char *key, uint64_t number)
{
    json_object_set_new(c->out, key, json_integer((json_int_t)number));
}

void answer_flag(struct call *c, const char *key, bool flag)
{
    json_object_set_new(c->out, key, json_boolean(flag));
}

enum hs_err answer_written(struct call *c, const char *key, const struct hs_writer *w)
{
    HS_TRY(w->err);
    if (w->len > 0)
        answer_bytes(c, key, hs_writer_bytes(w));
    return HS_OK;
}
