/* key=value pairs as JSON: the text of an event is made once, and written in either form. */
#include "admin/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A part of the text. */
struct part {
    const char *at;
    size_t len;
};

struct out {
    char *text;
    size_t len, size;
    bool full;
};

static void put(struct out *out, const char *bytes, size_t len)
{
    if (out->full || out->size - out->len <= len) {
        out->full = true;
        return;
    }
    memcpy(out->text + out->len, bytes, len);
    out->len += len;
}

/* Quotes and backslashes are escaped; what isn't ASCII has no place in the log. */
static void put_string(struct out *out, struct part part)
{
    put(out, "\"", 1);
    for (size_t i = 0; i < part.len; i++) {
        char c = part.at[i];
        if (c == '"' || c == '\\')
            put(out, "\\", 1);
        put(out, c >= ' ' && c < 0x7f ? &c : "?", 1);
    }
    put(out, "\"", 1);
}

static bool is_number(struct part part)
{
    return part.len > 0 && part.len < 16 && strspn(part.at, "0123456789") >= part.len &&
           (part.at[0] != '0' || part.len == 1);
}

/* A pair that doesn't fit whole is left out. */
static void put_pair(struct out *out, struct part key, struct part value, bool quoted)
{
    size_t before = out->len;
    if (before > 0)
        put(out, ",", 1);
    put_string(out, key);
    put(out, ":", 1);
    if (!quoted && is_number(value))
        put(out, value.at, value.len);
    else
        put_string(out, value);
    if (out->full)
        out->len = before;
}

static bool is_key(struct part part)
{
    return part.len > 0 && strspn(part.at, "abcdefghijklmnopqrstuvwxyz_0123456789") >= part.len;
}

size_t hs_log_pairs_to_json(const char *text, char *buffer, size_t size)
{
    static const struct part text_key = {"text", 4};
    struct out out = {.text = buffer, .size = size};
    while (*(text += strspn(text, " ")) != '\0' && !out.full) {
        struct part word = {text, strcspn(text, " ")};
        const char *equals = memchr(text, '=', word.len);
        struct part key = {text, equals != NULL ? (size_t)(equals - text) : 0};
        if (!is_key(key)) { /* a sentence by itself: to the end */
            put_pair(&out, text_key, (struct part){text, strlen(text)}, true);
            break;
        }
        struct part value = {equals + 1, word.len - key.len - 1};
        bool quoted = value.len > 0 && value.at[0] == '"';
        if (quoted) {
            value.at++;
            value.len = strcspn(value.at, "\"");
        }
        put_pair(&out, key, value, quoted);
        text = value.at + value.len + (quoted && value.at[value.len] == '"' ? 1 : 0);
    }
    return out.len;
}
