/* Anna, Ben and Cleo in one group, and the hub that orders their messages, in one program.
 * Build it with: cc club.c $(pkg-config --cflags --libs hanse-mls) */
#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void check(const char *what, enum hanse_err err)
{
    if (err != HANSE_OK) {
        fprintf(stderr, "%s: %s [%s]\n", what, hanse_mls_strerror(err), hanse_mls_errname(err));
        exit(1);
    }
}

/* A member's device. */
struct device {
    const char *name;
    struct record *disk;
    struct hanse_mls_store store;
    struct hanse_mls_signer *signer;
    struct hanse_mls_group *group;
};

/* Always before anything that came out of the group leaves the device. */
static void save(struct device *d)
{
    check("save", hanse_mls_group_save(d->group, &d->store));
}

/* A new device, and what it will say of itself. */
static struct hanse_mls_leaf start(struct device *d)
{
    struct hanse_mls_store store = {sizeof store, &d->disk, disk_get, disk_put, disk_del};
    struct hanse_mls_leaf leaf = {.size = sizeof leaf, .identity = hanse_mls_text(d->name)};
    d->store = store;
    check("signer", hanse_mls_signer_generate(HANSE_MLS_X25519_CHACHA20POLY1305_SHA256_ED25519, &d->signer));
    leaf.signer = d->signer;
    leaf.not_before = (uint64_t)time(NULL) - 3600;
    leaf.not_after = leaf.not_before + 84 * 24 * 3600;
    return leaf;
}

/* The rules of this club, the same for hub and members: only its founder removes people. She is known by her
 * key; anybody can call themselves Anna. */
static struct hanse_mls_bytes founder;

static bool is_allowed(const struct hanse_mls_event *event)
{
    const struct hanse_mls_change *change = hanse_mls_staged_change(event->staged);
    return change->removed_count == 0 || hanse_mls_bytes_equal(change->committer.signature_key, founder);
}

/* The hub sees who comes and goes, and decides which commit counts. True: it goes out to everybody. */
static struct hanse_mls_public *hub;

static bool hub_takes(const struct hanse_mls_buf *commit)
{
    struct hanse_mls_event *event;
    check("hub", hanse_mls_public_process(hub, hanse_mls_view(commit), &event));
    bool allowed = event->kind == HANSE_MLS_EVENT_COMMIT && is_allowed(event);
    if (allowed)
        check("hub merges", hanse_mls_public_merge(hub, event->staged));
    hanse_mls_event_free(event);
    return allowed;
}

/* What a member does with whatever the hub sends. */
static void receive(struct device *d, const struct hanse_mls_buf *message)
{
    struct hanse_mls_event *event;
    check("receive", hanse_mls_group_process(d->group, hanse_mls_view(message), &event));
    if (event->kind == HANSE_MLS_EVENT_OWN_COMMIT)
        check("accept", hanse_mls_group_accept(d->group));
    if (event->kind == HANSE_MLS_EVENT_COMMIT && is_allowed(event))
        check("merge", hanse_mls_group_merge(d->group, event->staged));
    save(d);
    if (event->kind == HANSE_MLS_EVENT_APPLICATION)
        printf("%s reads: %.*s\n", d->name, (int)event->plaintext.len, (const char *)event->plaintext.data);
    hanse_mls_event_free(event);
}

static struct device anna = {.name = "Anna"}, ben = {.name = "Ben"}, cleo = {.name = "Cleo"};
static struct device *const all[] = {&anna, &ben, &cleo};

/* The hub sends it to all who are in, but back to its sender only where that has to know of it. */
static void deliver(const struct hanse_mls_buf *message, const struct device *but)
{
    for (size_t i = 0; i < 3; i++)
        if (all[i] != but && all[i]->group != NULL)
            receive(all[i], message);
}

static void say(struct device *d, const char *text)
{
    struct hanse_mls_buf post; /* nothing that the hub could read */
    check("protect", hanse_mls_group_protect(d->group, hanse_mls_text(text), hanse_mls_text(""), 64, &post));
    save(d);
    deliver(&post, d);
    hanse_mls_buf_free(&post);
}

/* Anna founds the group; the hub starts from what is public of it. */
static void found(void)
{
    struct hanse_mls_leaf leaf = start(&anna);
    struct hanse_mls_bytes id = hanse_mls_text("club");
    struct hanse_mls_create create = {.size = sizeof create, .leaf = &leaf, .group_id = id};
    struct hanse_mls_buf info;
    founder = hanse_mls_signer_public(anna.signer);
    check("create", hanse_mls_group_create(&create, &anna.group));
    check("info", hanse_mls_group_info(anna.group, true, &info));
    check("hub", hanse_mls_public_new(hanse_mls_view(&info), hanse_mls_text(""), &hub));
    hanse_mls_buf_free(&info);
}

/* Ben has published a KeyPackage. Anna adds him; her commit counts once the hub has taken it. */
static void add_ben(struct hanse_mls_buf *info)
{
    struct hanse_mls_leaf leaf = start(&ben);
    struct hanse_mls_buf package, private_half, commit, welcome;
    check("package", hanse_mls_key_package_new(&leaf, false, &package, &private_half));
    struct hanse_mls_key_package facts;
    check("Ben", hanse_mls_key_package_check(hanse_mls_view(&package), (uint64_t)time(NULL), &facts));
    struct hanse_mls_bytes adds = hanse_mls_view(&package);
    struct hanse_mls_commit add = {
        .size = sizeof add, .adds = &adds, .add_count = 1, .tree_in_welcome = true};
    check("add", hanse_mls_group_commit(anna.group, &add, &commit, &welcome, info));
    save(&anna);
    if (hub_takes(&commit))
        deliver(&commit, NULL);

    struct hanse_mls_join join = {.size = sizeof join, .signer = ben.signer};
    join.welcome = hanse_mls_view(&welcome);
    join.key_package = hanse_mls_view(&package);
    join.private_half = hanse_mls_view(&private_half);
    check("join", hanse_mls_group_join(&join, &ben.group));
    save(&ben);
    hanse_mls_buf_free(&package);
    hanse_mls_buf_free(&private_half);
    hanse_mls_buf_free(&commit);
    hanse_mls_buf_free(&welcome);
}

/* Cleo lets herself in with the GroupInfo that came with Anna's commit: the hub keeps it. */
static void cleo_enters(const struct hanse_mls_buf *info)
{
    struct hanse_mls_leaf leaf = start(&cleo);
    struct hanse_mls_external_join in = {
        .size = sizeof in, .leaf = &leaf, .group_info = hanse_mls_view(info)};
    struct hanse_mls_buf commit;
    check("enter", hanse_mls_group_join_external(&in, &commit, NULL, &cleo.group));
    save(&cleo);
    if (hub_takes(&commit))
        deliver(&commit, &cleo);
    hanse_mls_buf_free(&commit);
}

/* Ben wants to throw Anna out. The hub refuses it, and nobody else ever sees it. */
static void coup(void)
{
    uint32_t victim = hanse_mls_group_own_leaf(anna.group);
    struct hanse_mls_commit removal = {.size = sizeof removal, .removes = &victim, .remove_count = 1};
    struct hanse_mls_buf commit;
    check("coup", hanse_mls_group_commit(ben.group, &removal, &commit, NULL, NULL));
    save(&ben);
    if (!hub_takes(&commit)) {
        printf("The hub refuses: only Anna removes people\n");
        hanse_mls_group_drop(ben.group);
        save(&ben);
    }
    hanse_mls_buf_free(&commit);
}

int main(void)
{
    struct hanse_mls_buf info;
    found();
    add_ben(&info);
    say(&ben, "Have you finished chapter 3?");
    cleo_enters(&info);
    coup();
    /* Anna's device restarts: her group comes back from its records. */
    const struct hanse_mls_signer *own = anna.signer;
    hanse_mls_group_free(anna.group);
    check("load", hanse_mls_group_load(&anna.store, &own, 1, &anna.group));
    say(&cleo, "I have. It gets better.");
    printf("epoch %d, %d members\n", (int)hanse_mls_public_epoch(hub),
           (int)hanse_mls_public_member_count(hub));
    for (size_t i = 0; i < 3; i++) {
        hanse_mls_group_free(all[i]->group);
        hanse_mls_signer_free(all[i]->signer);
        disk_drop(&all[i]->disk, hanse_mls_text(""), false);
    }
    hanse_mls_public_free(hub);
    hanse_mls_buf_free(&info);
    return 0;
}
