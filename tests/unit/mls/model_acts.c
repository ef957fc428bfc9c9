/* What the devices of the town do of their own accord. */
#include "unit/mls/model.h"

static const char *const psk_names[PSKS] = {"one", "two", "three"};

static bool was_there(const struct device *d, size_t moment)
{
    bool there = d->now.in && !d->now.removed && d->now.moment == moment;
    for (size_t i = 0; i < d->now.past_count && d->now.in && !there; i++)
        there = d->now.past[i] == moment;
    return there;
}

/* A post: saved first, then sent; it gets lost now and then. */
static void act_post(struct town *t, struct device *d)
{
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    if (!device_is_member(d) || t->post_count == POSTS)
        return;
    struct post *post = &t->posts[t->post_count];
    *post = (struct post){.moment = d->now.moment, .from = (size_t)(d - t->devices)};
    snprintf(post->text, sizeof post->text, "post %zu", t->post_count);
    assert_ok(hs_mls_group_protect(d->p.group, hs_bytes_str(post->text), hs_bytes_str(""), 32, &w));
    if (device_crash(t, d))
        return; /* it never left */
    device_save(d);
    if (chance(t, 8))
        return; /* lost on the way */
    post->message = hs_writer(CAP);
    hs_write_bytes(&post->message, hs_writer_bytes(&w));
    t->post_count++;
}

/* Reads a recent post, in any order; what it may read it reads once, and else nothing. */
static void read_one(struct town *t, struct device *d, size_t index)
{
    const struct post *post = &t->posts[index];
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    bool again = (d->now.read[index / 8] >> index % 8 & 1) != 0;
    bool own = post->from == (size_t)(d - t->devices);
    bool may = was_there(d, post->moment) && !again && !own;
    if (d->p.group == NULL)
        return;
    enum hs_err err = hs_mls_group_process(d->p.group, hs_writer_bytes(&post->message), &event);
    if ((err == HS_OK) != may)
        fail_msg("%s, post %zu: %s; there %d, again %d, own %d", d->p.name, index, hs_err_name(err),
                 was_there(d, post->moment), again, own);
    if (!may)
        return;
    assert_bytes(event->plaintext, hs_bytes_str(post->text));
    d->now.read[index / 8] |= (uint8_t)(1 << index % 8);
    t->reads++;
    if (!device_crash(t, d))
        device_save(d);
}

static void act_read(struct town *t, struct device *d)
{
    size_t recent = t->post_count < RECENT ? t->post_count : RECENT;
    for (size_t i = rng_below(&t->rng, 4); i > 0 && recent > 0; i--)
        read_one(t, d, t->post_count - 1 - rng_below(&t->rng, recent));
}

/* A GroupInfo of the newest epoch; false where nobody is there yet to give one. */
static bool find_info(struct town *t)
{
    for (size_t i = 0; i < DEVICES && t->info.len == 0; i++)
        if (device_is_member(&t->devices[i]) && t->devices[i].now.moment == t->moment)
            assert_ok(hs_mls_group_info(t->devices[i].p.group, true, &t->info));
    return t->info.len > 0;
}

/* The signer that the newest tree has, of those that the device ever had; else its first. */
static bool find_signer(const struct town *t, struct device *d)
{
    struct hs_mls_public HS_MLS_PUBLIC *newest = NULL;
    struct hs_mls_member member;
    assert_ok(hs_mls_public_new(hs_writer_bytes(&t->info), (struct hs_bytes){0}, &newest));
    for (size_t i = 0; i < d->signer_count; i++) {
        d->p.signer = d->signers[i];
        if (hs_mls_public_member_by_key(newest, HS_MLS_VIEW(d->p.signer.pub), &member) == HS_OK)
            return true;
    }
    d->p.signer = d->signers[0];
    return false;
}

/* From outside: as somebody new, or as who lost all it had. */
static void act_come_in(struct town *t, struct device *d)
{
    struct sent SENT s = sent_new();
    const struct hs_mls_psk psk = {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str(psk_names[0])},
                                   .secret = hs_bytes_str(psk_names[0])};
    if (!find_info(t) || t->unsettled || (town_members(t) >= FULL && !d->now.in))
        return;
    bool resync = find_signer(t, d);
    const struct hs_mls_external_join join = {
        .group_info = hs_writer_bytes(&t->info),
        .leaf = person_params(&d->p),
        .resync = resync,
        .psk_ids = &psk.id,
        .psk_id_count = chance(t, 2) ? 1 : 0,
        .psks = &psk,
        .psk_count = 1,
        .settings = d->p.settings,
    };
    const struct hs_mls_commit_result result = {.commit = &s.commit, .group_info = &s.group_info};
    device_lose(d);
    assert_ok(hs_mls_group_join_external(&join, &result, &d->p.group));
    if (!town_send(t, COMMIT, t->moment, hs_writer_bytes(&s.commit), &s.group_info)) {
        device_lose(d);
        return;
    }
    t->resyncs += resync;
    t->joins += !resync;
    device_enter(t, d);
}

static void act_propose(struct town *t, struct device *d)
{
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const struct hs_mls_extension policy = {.type = ROOM_POLICY, .data = hs_bytes(&t->epoch, 4)};
    struct hs_mls_proposal_request request = {.type = HS_MLS_UPDATE};
    if (!device_is_member(d))
        return;
    switch (rng_below(&t->rng, 5)) {
    case 0:
        request.identity = hs_bytes_str(d->p.name);
        break;
    case 1:
        request.type = HS_MLS_REMOVE;
        request.leaf = hs_mls_group_own_leaf(d->p.group);
        if (town_members(t) < 4)
            return;
        break;
    case 2:
        request.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS;
        request.extensions = &policy;
        request.extension_count = 1;
        break;
    case 3:
        request.type = HS_MLS_PSK;
        request.psk = (struct hs_mls_psk_id){.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str(psk_names[1])};
        break;
    default:
        break;
    }
    assert_ok(hs_mls_group_propose(d->p.group, &request, &w));
    if (device_crash(t, d))
        return;
    device_save(d);
    (void)town_send(t, PROPOSAL, d->now.moment, hs_writer_bytes(&w), NULL);
}

/* What a commit shall do. */
struct plan {
    struct hs_mls_commit_request request;
    struct hs_bytes adds[DEVICES];
    uint32_t removes[DEVICES];
    struct device *joiners[DEVICES];
    struct hs_mls_psk_id psks[2];
    struct hs_mls_extension policy;
};

static void plan_members(struct town *t, const struct device *by, struct plan *plan)
{
    struct hs_mls_commit_request *r = &plan->request;
    size_t members = town_members(t);
    bool small = members < FULL * 3 / 4;
    size_t wants = small ? 6 : 30, tires = small ? 120 : 24;
    for (size_t i = 0; i < DEVICES; i++) {
        struct device *d = &t->devices[i];
        struct hs_mls_member member;
        bool there = hs_mls_public_member_by_key(hs_mls_group_public(by->p.group),
                                                 HS_MLS_VIEW(d->p.signer.pub), &member) == HS_OK;
        if (!d->now.in && !there && !d->invited && chance(t, wants) && members + r->add_count < FULL) {
            d->p.signer = d->signers[0];
            person_key_package(&d->p);
            plan->adds[r->add_count] = hs_writer_bytes(&d->p.key_package);
            plan->joiners[r->add_count++] = d;
        } else if (there && d != by && chance(t, tires) && members > 4 + r->remove_count) {
            plan->removes[r->remove_count++] = member.leaf;
        }
    }
}

static void make_plan(struct town *t, struct device *by, struct plan *plan)
{
    struct hs_mls_commit_request *r = &plan->request;
    *plan = (struct plan){.request = {.adds = plan->adds,
                                      .removes = plan->removes,
                                      .psks = plan->psks,
                                      .extensions = &plan->policy,
                                      .tree_in_welcome = true}};
    plan->policy = (struct hs_mls_extension){.type = ROOM_POLICY, .data = hs_bytes(&t->epochs, 4)};
    plan->psks[0] = (struct hs_mls_psk_id){.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str(psk_names[2])};
    plan->psks[1] = (struct hs_mls_psk_id){.type = HS_MLS_PSK_RESUMPTION,
                                           .usage = HS_MLS_PSK_APPLICATION,
                                           .group_id = hs_mls_group_id(by->p.group),
                                           .epoch = hs_mls_group_epoch(by->p.group)};
    if (!chance(t, 3))
        plan_members(t, by, plan);
    r->force_path = chance(t, 2);
    r->set_extensions = chance(t, 8);
    r->extension_count = r->set_extensions ? 1 : 0;
    /* a newcomer knows no resumption secret of a group that it isn't in yet */
    if (chance(t, 6))
        r->psk_count = r->add_count == 0 ? 2 : 1;
    if (chance(t, 10) && by->signer_count < SIGNERS) {
        struct hs_mls_signer *next = &by->signers[by->signer_count++];
        assert_ok(hs_mls_signer_random(by->p.signer.suite, next));
        r->signer = next;
    }
}

/* Those who were added come in; it may take them two attempts. */
static void welcome(struct town *t, struct device *const *joiners, size_t count,
                    const struct hs_writer *message)
{
    for (size_t i = 0; i < count; i++) {
        struct hs_mls_psk psks[PSKS];
        for (size_t k = 0; k < PSKS; k++)
            psks[k] = (struct hs_mls_psk){
                .id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str(psk_names[k])},
                .secret = hs_bytes_str(psk_names[k]),
            };
        const struct hs_mls_join join = {
            .welcome = hs_writer_bytes(message),
            .key_package = hs_writer_bytes(&joiners[i]->p.key_package),
            .priv = &joiners[i]->p.priv,
            .signer = &joiners[i]->p.signer,
            .psks = psks,
            .psk_count = PSKS,
            .settings = joiners[i]->p.settings,
        };
        do {
            device_lose(joiners[i]);
            assert_ok(hs_mls_group_join(&join, &joiners[i]->p.group));
        } while (chance(t, 8));
        device_enter(t, joiners[i]);
    }
}

/* A commit that was made, saved, and waits: it goes out, maybe for the second time. */
static void act_commit(struct town *t, struct device *d)
{
    struct sent SENT s = sent_new();
    struct plan plan;
    if (!device_is_member(d))
        return;
    if (hs_mls_group_has_pending(d->p.group) && !town_took(t, hs_mls_group_pending_message(d->p.group)) &&
        chance(t, 2))
        hs_mls_group_drop(d->p.group);
    if (hs_mls_group_has_pending(d->p.group))
        return;
    make_plan(t, d, &plan);
    enum hs_err err = person_try_commit(&d->p, &plan.request, &s);
    if (err == HS_ERR_INVALID_STATE)
        return; /* it is about to leave */
    assert_ok(err);
    if (device_crash(t, d))
        return;
    device_save(d);
    for (int i = 0; i < 2; i++)
        (void)device_crash(t, d);
    if (chance(t, 6))
        device_follow(t, d, true); /* somebody else was faster */
    if (!device_is_member(d) || !hs_mls_group_has_pending(d->p.group))
        return;
    if (!hs_bytes_equal(hs_mls_group_pending_message(d->p.group), hs_writer_bytes(&s.commit)))
        return; /* an older one waits again */
    if (town_send(t, COMMIT, d->now.moment, hs_mls_group_pending_message(d->p.group), &s.group_info))
        welcome(t, plan.joiners, plan.request.add_count, &s.welcome);
    else if (chance(t, 2))
        hs_mls_group_drop(d->p.group);
}

void device_acts(struct town *t, struct device *d)
{
    if (d->now.in && d->now.removed && !d->now.unsettled && chance(t, 10))
        device_lose(d);
    switch (rng_below(&t->rng, 16)) {
    case 0:
        act_propose(t, d);
        break;
    case 1:
    case 2:
        act_commit(t, d);
        break;
    case 3:
        if (!d->now.in ? chance(t, 12) : chance(t, 24))
            act_come_in(t, d);
        break;
    case 4:
    case 5:
    case 6:
        act_post(t, d);
        break;
    case 7:
    case 8:
    case 9:
        act_read(t, d);
        break;
    default:
        device_follow(t, d, true);
        break;
    }
}
