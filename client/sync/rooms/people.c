/* Who is in a room, and how they are called. */
#include "base/text.h"
#include "room/leaf.h"
#include "sync/state.h"

#include <stdio.h>

/* "rosa@rosa.example" counts where it ends in the hub's own domain. */
static bool handle_is_of(const char *handle, const char *domain)
{
    const char *at = strchr(handle, '@');
    return at != NULL && strcmp(at + 1, domain) == 0;
}

void hs_person_of(struct hs_live_room *room, const struct hs_mls_member *member, struct hs_time at,
                  struct hs_person *out)
{
    *out = (struct hs_person){0};
    struct hs_room_member facts;
    enum hs_err err = hs_room_leaf_check(member, &room->row.hub_root, at, &facts);
    if (err == HS_ERR_NOMEM)
        room->trouble = err; /* a line of the history would miss a name for good */
    if (err != HS_OK) {
        if (hs_room_leaf_persona(member, &out->key) != HS_OK)
            *out = (struct hs_person){0};
        return;
    }
    out->key = facts.persona;
    memcpy(out->name, facts.display_name, sizeof out->name);
    if (handle_is_of(facts.handle, room->row.domain))
        memcpy(out->handle, facts.handle, sizeof out->handle);
}

bool hs_live_find(struct hs_live_room *room, const struct hs_key *persona, struct hs_mls_member *out)
{
    struct hs_key found;
    for (uint32_t leaf = 0; hs_mls_public_member_next(hs_live_public(room), &leaf, out);)
        if (hs_room_leaf_persona(out, &found) == HS_OK && hs_key_equal(&found, persona))
            return true;
    return false;
}

void hs_person_by_key(struct hs_live_room *room, const struct hs_key *persona, struct hs_time at,
                      struct hs_person *out)
{
    struct hs_mls_member member;
    *out = (struct hs_person){.key = *persona};
    if (hs_live_find(room, persona, &member))
        hs_person_of(room, &member, at, out);
}

bool hs_live_has_persona(struct hs_live_room *room, const struct hs_key *persona)
{
    struct hs_mls_member member;
    return hs_live_find(room, persona, &member);
}

/* A name that its bearer chose stands in quotes, and holds none: it could look like two names, or a handle.
 */
static void name_write(struct hs_writer *w, const struct hs_person *p)
{
    if (p->handle[0] != '\0') {
        hs_write_bytes(w, hs_bytes_str(p->handle));
        return;
    }
    if (p->name[0] == '\0') {
        hs_write_bytes(w, hs_bytes_str(hs_short(HS_VIEW(p->key)).text));
        return;
    }
    hs_write_u8(w, '"');
    for (const char *c = p->name; *c != '\0'; c++)
        hs_write_u8(w, *c != '"' ? (uint8_t)*c : '\'');
    hs_write_u8(w, '"');
}

struct hs_bytes hs_people_text(struct hs_step *s, const struct hs_person *people, size_t count)
{
    enum { SHOWN = 4 };
    struct hs_writer HS_WRITER w = hs_writer(4096);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        if (i > 0)
            hs_write_bytes(&w, hs_bytes_str(i + 1 == count ? " and " : ", "));
        name_write(&w, &people[i]);
    }
    if (count > SHOWN) {
        char more[32];
        hs_write_bytes(&w,
                       hs_bytes(more, (size_t)snprintf(more, sizeof more, " and %zu more", count - SHOWN)));
    }
    return hs_arena_copy(s->arena, hs_writer_bytes(&w));
}

enum hs_err hs_sync_member_next(struct hs_step *s, const struct hs_id *id, uint32_t *leaf,
                                struct hanse_member *out)
{
    struct hs_live_room *room;
    struct hs_mls_member member;
    struct hs_person person;
    HS_TRY(hs_live_get(s, id, &room));
    const struct hs_mls_public *pub = hs_live_public(room);
    HS_REQUIRE(pub != NULL, HS_ERR_NOT_FOUND);
    if (!hs_mls_public_member_next(pub, leaf, &member)) {
        enum hs_err err = hs_mls_public_error(pub);
        HS_REQUIRE(err != HS_OK, HS_ERR_NOT_FOUND);
        hs_live_forget(s->sync, id); /* a look has no rollback, and what couldn't be read stays blank */
        return err;
    }
    hs_person_of(room, &member, s->now, &person);
    if (room->trouble != HS_OK) {
        hs_live_forget(s->sync, id);
        return HS_ERR_NOMEM;
    }
    *out = (struct hanse_member){.leaf = member.leaf,
                                 .role = (enum hanse_role)hs_policy_role(&room->policy, &person.key, s->now),
                                 .self = hs_key_equal(&person.key, &room->row.self)};
    memcpy(out->person.key.b, person.key.b, sizeof person.key.b);
    memcpy(out->person.handle, person.handle, strlen(person.handle) + 1);
    memcpy(out->person.name, person.name, strlen(person.name) + 1);
    return HS_OK;
}
