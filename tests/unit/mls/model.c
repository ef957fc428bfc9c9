#include "unit/mls/model.h"

#include "crypto/hash.h"

#include <stdlib.h>

static const char *const psk_names[PSKS] = {"one", "two", "three"};

static void know_psks(struct device *d)
{
    struct hs_mls_psk psks[PSKS];
    for (size_t i = 0; i < PSKS; i++)
        psks[i] = (struct hs_mls_psk){
            .id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str(psk_names[i])},
            .secret = hs_bytes_str(psk_names[i]),
        };
    assert_ok(hs_mls_group_set_psks(d->p.group, psks, PSKS));
}

static void hub_open(struct town *t)
{
    assert_ok(hs_mls_group_info(t->devices[0].p.group, true, &t->info));
    if (t->private_handshakes)
        return;
    assert_ok(hs_mls_public_new(hs_writer_bytes(&t->info), (struct hs_bytes){0}, &t->hub));
    t->hub_store = mls_store_new();
    assert_ok(hs_mls_public_save(t->hub, &t->hub_store->store));
}

void town_open(struct town *t, bool settling, bool private_handshakes)
{
    *t = (struct town){.rng = rng_new(), .settling = settling, .private_handshakes = private_handshakes};
    t->info = hs_writer(CAP);
    for (size_t i = 0; i < DEVICES; i++) {
        struct device *d = &t->devices[i];
        char name[16];
        snprintf(name, sizeof name, "device %zu", i);
        person_init(&d->p, name);
        d->signers[d->signer_count++] = d->p.signer;
        d->p.settings.settling = settling;
        d->p.settings.private_handshakes = private_handshakes;
        d->p.settings.padding = 64;
    }
    person_create(&t->devices[0].p, "policy");
    t->log[t->entry_count++].message = hs_writer(CAP); /* the beginning: moment 0 */
    device_enter(t, &t->devices[0]);
    hub_open(t);
}

void town_close(struct town *t)
{
    for (size_t i = 0; i < DEVICES; i++) {
        person_free(&t->devices[i].p);
        for (size_t k = 0; k < t->devices[i].signer_count; k++)
            hs_mls_signer_wipe(&t->devices[i].signers[k]);
    }
    for (size_t i = 0; i < t->entry_count; i++)
        hs_writer_free(&t->log[i].message);
    for (size_t i = 0; i < t->post_count; i++)
        hs_writer_free(&t->posts[i].message);
    hs_mls_public_free(t->hub);
    mls_store_free(t->hub_store);
    mls_store_free(t->hub_before);
    hs_writer_free(&t->info);
}

bool device_is_member(const struct device *d)
{
    return d->now.in && !d->now.removed;
}

size_t town_members(const struct town *t)
{
    size_t count = 0;
    for (size_t i = 0; i < DEVICES; i++)
        count += device_is_member(&t->devices[i]);
    return count;
}

void device_agrees(struct town *t, const struct device *d)
{
    struct facts *facts = &t->facts[d->now.moment];
    struct facts mine = {.known = true, .void_again = facts->void_again};
    if (d->now.removed)
        return;
    mine.context = hs_sha256(hs_mls_public_context(hs_mls_group_public(d->p.group)));
    mine.authenticator = hs_mls_group_authenticator(d->p.group);
    assert_ok(hs_mls_group_export(d->p.group, "town", hs_bytes_str(""), mine.exported, sizeof mine.exported));
    if (!facts->known)
        *facts = mine;
    assert_memory_equal(&mine, facts, sizeof mine);
}

void device_save(struct device *d)
{
    person_save(&d->p);
    d->saved = d->now;
}

static void device_load(struct town *t, struct device *d)
{
    hs_mls_group_free_at(&d->p.group);
    assert_ok(hs_mls_group_load(&d->p.store->store, d->signers, d->signer_count, &d->p.group));
    d->now = d->saved;
    know_psks(d);
    assert_true(hs_mls_group_is_unsettled(d->p.group) == d->now.unsettled);
    assert_true(hs_mls_group_is_removed(d->p.group) == d->now.removed);
    device_agrees(t, d);
}

bool device_crash(struct town *t, struct device *d)
{
    if (!chance(t, 12))
        return false;
    t->crashes++;
    if (d->saved.in) {
        device_load(t, d);
    } else {
        person_leave(&d->p);
        d->now = d->saved;
    }
    return true;
}

void device_lose(struct device *d)
{
    person_leave(&d->p);
    d->now = d->saved = (struct place){0};
}

void device_enter(struct town *t, struct device *d)
{
    d->now = (struct place){.in = true, .at = t->entry_count, .moment = t->moment};
    d->invited = false;
    know_psks(d);
    device_agrees(t, d);
    device_save(d);
}

/* What the hub judges; private handshakes it orders by their epoch alone. */
static bool judge(struct town *t, enum entry_kind kind, bool fresh, struct hs_bytes message,
                  const struct hs_writer *info)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_peek peek;
    assert_ok(hs_mls_message_peek(message, &peek));
    if (peek.epoch != t->epoch || (kind == COMMIT && t->unsettled))
        return false;
    if (t->hub == NULL)
        return true;
    if (!fresh) { /* an epoch of that number, but one that is void */
        assert_int_not_equal(hs_mls_public_process(t->hub, message, &event), HS_OK);
        return false;
    }
    assert_ok(hs_mls_public_process(t->hub, message, &event));
    if (kind == COMMIT) {
        assert_ok(hs_mls_staged_matches(event->staged, hs_writer_bytes(info)));
        mls_store_free_at(&t->hub_before);
        t->hub_before = mls_store_copy(t->hub_store);
        assert_ok(hs_mls_public_merge(t->hub, event->staged));
    }
    assert_ok(hs_mls_public_save(t->hub, &t->hub_store->store));
    if (chance(t, 4)) {
        hs_mls_public_free_at(&t->hub);
        assert_ok(hs_mls_public_load(&t->hub_store->store, &t->hub));
    }
    return true;
}

static struct entry *append(struct town *t, enum entry_kind kind, struct hs_bytes message)
{
    assert_true(t->entry_count < ENTRIES);
    struct entry *entry = &t->log[t->entry_count++];
    *entry = (struct entry){.kind = kind, .message = hs_writer(CAP)};
    hs_write_bytes(&entry->message, message);
    return entry;
}

bool town_took(const struct town *t, struct hs_bytes message)
{
    for (size_t i = t->entry_count; i > 0; i--)
        if (hs_bytes_equal(hs_writer_bytes(&t->log[i - 1].message), message))
            return true;
    return false;
}

bool town_send(struct town *t, enum entry_kind kind, size_t moment, struct hs_bytes message,
               const struct hs_writer *info)
{
    if (!judge(t, kind, moment == t->moment, message, info)) {
        t->losers++;
        return false;
    }
    if (kind == COMMIT) {
        t->before = t->moment;
        t->moment = t->entry_count;
        t->epoch++;
        t->epochs++;
        t->unsettled = t->settling;
        hs_writer_reset(&t->info);
        hs_write_bytes(&t->info, hs_writer_bytes(info));
    }
    append(t, kind, message);
    return true;
}

void town_decide(struct town *t)
{
    if (!t->unsettled || chance(t, 2))
        return;
    bool good = !chance(t, 4);
    append(t, good ? SETTLED : VOIDED, (struct hs_bytes){0});
    t->unsettled = false;
    if (good)
        return;
    t->reverts++;
    t->facts[t->moment].void_again = true;
    t->moment = t->before;
    t->epoch--;
    hs_mls_public_free_at(&t->hub);
    mls_store_free_at(&t->hub_store);
    t->hub_store = t->hub_before;
    t->hub_before = NULL;
    assert_ok(hs_mls_public_load(&t->hub_store->store, &t->hub));
    /* the GroupInfo of the epoch that is current again is asked of those who are in it */
    hs_writer_reset(&t->info);
}

static void pass(struct town *t, struct device *d, size_t moment)
{
    struct place *place = &d->now;
    memmove(place->past + 1, place->past, KEPT * sizeof place->past[0]);
    place->past[0] = place->moment;
    if (place->past_count < KEPT)
        place->past_count++;
    place->moment = moment;
    place->unsettled = t->settling;
    place->removed = hs_mls_group_is_removed(d->p.group);
}

static void take_commit(struct town *t, struct device *d, const struct hs_mls_event *event, size_t moment)
{
    if (event->kind == HS_MLS_EVENT_OWN_COMMIT)
        assert_ok(hs_mls_group_accept(d->p.group));
    else
        assert_ok(hs_mls_group_merge(d->p.group, event->staged));
    assert_false(hs_mls_group_has_pending(d->p.group));
    pass(t, d, moment);
    device_agrees(t, d);
}

static void take_void(struct town *t, struct device *d)
{
    struct place *place = &d->now;
    if (t->facts[place->moment].void_again && !place->unsettled) {
        device_lose(d); /* it had come in by that very commit */
        return;
    }
    if (!place->unsettled)
        return;
    assert_ok(hs_mls_group_revert(d->p.group));
    place->moment = place->past[0];
    memmove(place->past, place->past + 1, --place->past_count * sizeof place->past[0]);
    place->unsettled = place->removed = false;
    device_agrees(t, d);
}

/* One entry; what a removed device still hears is whether that was the last word. */
static void take(struct town *t, struct device *d, size_t index)
{
    const struct entry *entry = &t->log[index];
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    if (entry->kind == VOIDED) {
        take_void(t, d);
    } else if (entry->kind == SETTLED && d->now.unsettled) {
        assert_ok(hs_mls_group_settle(d->p.group));
        d->now.unsettled = false;
    } else if (entry->kind == PROPOSAL || entry->kind == COMMIT) {
        if (d->now.removed)
            return;
        enum hs_err err = hs_mls_group_process(d->p.group, hs_writer_bytes(&entry->message), &event);
        if (entry->kind == PROPOSAL && t->private_handshakes && err == HS_ERR_MLS_GENERATION)
            return; /* its own, which waits already */
        assert_ok(err);
        if (entry->kind == COMMIT)
            take_commit(t, d, event, index);
    }
}

void device_follow(struct town *t, struct device *d, bool tires)
{
    while (d->now.in && d->now.at < t->entry_count && !(tires && chance(t, 6))) {
        size_t at = d->now.at;
        if (tires && t->log[at].kind == COMMIT && !d->now.removed && chance(t, 8)) {
            /* it stages the commit and dies */
            struct hs_mls_event HS_MLS_EVENT *event = NULL;
            assert_ok(hs_mls_group_process(d->p.group, hs_writer_bytes(&t->log[at].message), &event));
            if (device_crash(t, d))
                continue;
        }
        d->now.at++;
        take(t, d, at);
        if (!d->now.in)
            return;
        if (tires && device_crash(t, d))
            continue;
        if (!tires || !chance(t, 3))
            device_save(d);
    }
}
