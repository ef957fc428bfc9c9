/* MLS at several sizes of the group, with a full tree: every second member has committed, so that no parent
 * is blank and a commit costs what it must, O(log n). */
#include "bench/bench.h"

#include "crypto/sign.h"
#include "mls/group.h"

#include <stdlib.h>

enum { CAP = 64 << 20, MEMBERS_MAX = 512, POST = 1024, NOW = 1000 };

struct member {
    struct hs_signer signer;
    struct hs_writer key_package;
    struct hs_mls_key_package_private priv;
    struct hs_mls_group *group;
};

static struct member members[MEMBERS_MAX];

static struct hs_mls_leaf_params params_of(const struct member *m)
{
    static const uint8_t identity[400]; /* as long as a credential with its certificate */
    return (struct hs_mls_leaf_params){
        .signer = &m->signer, .identity = hs_bytes(identity, sizeof identity), .not_after = 2 * NOW};
}

static void member_init(struct member *m)
{
    *m = (struct member){.key_package = hs_writer(CAP)};
    hs_signer_random(&m->signer);
    struct hs_mls_leaf_params params = params_of(m);
    FUZZ_OK(hs_mls_key_package_new(&params, &m->key_package, &m->priv));
}

static void member_free(struct member *m)
{
    hs_mls_group_free_at(&m->group);
    hs_writer_free(&m->key_package);
}

static struct hs_mls_group *group_create(const struct member *m)
{
    struct hs_mls_create create = {
        .leaf = params_of(m), .group_id = hs_bytes_str("bench"), .settings = hs_mls_settings_default()};
    struct hs_mls_group *group;
    FUZZ_OK(hs_mls_group_create(&create, &group));
    return group;
}

static struct hs_mls_group *group_join(const struct member *m, struct hs_bytes welcome)
{
    struct hs_mls_join join = {.welcome = welcome,
                               .key_package = hs_writer_bytes(&m->key_package),
                               .priv = &m->priv,
                               .signer = &m->signer,
                               .settings = hs_mls_settings_default()};
    struct hs_mls_group *group;
    FUZZ_OK(hs_mls_group_join(&join, &group));
    return group;
}

/* by adds the members from first on, count of them. */
static void group_add(struct hs_mls_group *by, size_t first, size_t count, bool with_tree,
                      struct hs_writer *commit, struct hs_writer *welcome)
{
    static struct hs_bytes adds[MEMBERS_MAX];
    for (size_t i = 0; i < count; i++)
        adds[i] = hs_writer_bytes(&members[first + i].key_package);
    struct hs_mls_commit_request request = {.adds = adds, .add_count = count, .tree_in_welcome = with_tree};
    struct hs_mls_commit_result result = {.commit = commit, .welcome = welcome};
    hs_writer_reset(commit);
    hs_writer_reset(welcome);
    FUZZ_OK(hs_mls_group_commit(by, &request, &result));
    FUZZ_OK(hs_mls_group_accept(by));
}

static void group_turn(struct hs_mls_group *by, struct hs_writer *commit)
{
    struct hs_mls_commit_request request = {.force_path = true};
    struct hs_mls_commit_result result = {.commit = commit};
    hs_writer_reset(commit);
    FUZZ_OK(hs_mls_group_commit(by, &request, &result));
    FUZZ_OK(hs_mls_group_accept(by));
}

static void group_follow(struct hs_mls_group *group, const struct hs_writer *commit)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    FUZZ_OK(hs_mls_group_process(group, hs_writer_bytes(commit), &event));
    FUZZ_OK(hs_mls_group_merge(group, event->staged));
}

/* All in one commit; the Welcome is left behind. With the tree in it, its long ciphertext is hashed for each.
 */
static void time_create(struct bench_samples *samples, size_t n, bool with_tree, struct hs_writer *welcome)
{
    struct hs_writer HS_WRITER commit = hs_writer(CAP);
    samples->count = 0;
    double end = bench_now_ns() + 0.6e9;
    for (size_t round = 0; round < 200 && (round < 3 || bench_now_ns() < end); round++) {
        double start = bench_now_ns();
        struct hs_mls_group HS_MLS_GROUP *group = group_create(&members[0]);
        group_add(group, 1, n - 1, with_tree, &commit, welcome);
        bench_add(samples, bench_now_ns() - start);
    }
}

static void time_join(struct bench_samples *samples, size_t n, const struct hs_writer *welcome)
{
    samples->count = 0;
    double end = bench_now_ns() + 0.5e9;
    while (bench_now_ns() < end) {
        double start = bench_now_ns();
        struct hs_mls_group *joined = group_join(&members[n - 1], hs_writer_bytes(welcome));
        bench_add(samples, bench_now_ns() - start);
        hs_mls_group_free(joined);
    }
}

/* Floors: of each newcomer two signatures are verified and secrets encrypted to it; a joiner verifies every
 * leaf and the GroupInfo, and opens one ciphertext. */
static void report_create(size_t n)
{
    static struct bench_samples apart, create, join;
    const struct bench_floor *f = bench_floors();
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    time_create(&apart, n, false, &welcome);
    time_create(&create, n, true, &welcome);
    time_join(&join, n, &welcome);
    const char *each = "(n-1) (2 verify + dh + base)";
    double floor_ns = (double)(n - 1) * (2 * f->verify + f->dh + f->base);
    struct bench_result a = {"mls_create_apart", n, bench_median(&apart), 0, each, floor_ns};
    struct bench_result b = {"mls_create", n, bench_median(&create), 0, each, floor_ns};
    struct bench_result c = {
        "mls_join", n, bench_median(&join), 0, "(n+1) verify + dh", (double)(n + 1) * f->verify + f->dh};
    bench_report(&a);
    bench_report(&b);
    bench_report(&c);
}

/* Pairs come in; the first of each pair commits, which fills its way to the root. The first and the last two
 * members stay. */
static void tree_fill(size_t n)
{
    struct hs_writer HS_WRITER commit = hs_writer(CAP);
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    struct hs_mls_group *first = members[0].group = group_create(&members[0]);
    for (size_t i = n % 2 == 0 ? 1 : 2, count; i < n; i += count) {
        count = i == 1 ? 1 : 2;
        group_add(first, i, count, true, &commit, &welcome);
        struct member *by = &members[i], *beside = count == 2 && i + 2 == n ? &members[i + 1] : NULL;
        by->group = group_join(by, hs_writer_bytes(&welcome));
        if (beside != NULL)
            beside->group = group_join(beside, hs_writer_bytes(&welcome));
        group_turn(by->group, &commit);
        group_follow(first, &commit);
        if (beside != NULL)
            group_follow(beside->group, &commit);
        else if (i + 1 != n)
            hs_mls_group_free_at(&by->group);
    }
    group_turn(first, &commit);
    for (size_t i = 1; i < n; i++)
        if (members[i].group != NULL)
            group_follow(members[i].group, &commit);
}

/* Levels over that leaf at which somebody is on the other side: the nodes of its filtered direct path. */
static size_t depth_of(size_t n, size_t leaf)
{
    size_t depth = 0;
    for (size_t level = 0; (size_t)1 << level < n; level++)
        depth += ((leaf >> level ^ 1) << level) < n;
    return depth;
}

/* The last but one commits again and again; the last, who shares its whole way up, and the first, who shares
 * the root alone, follow. Floors: for each level a new key and one encryption, two signatures; two
 * verifications, one decryption and the keys above it. */
static void report_commit(size_t n)
{
    static struct bench_samples make, near, far;
    const struct bench_floor *f = bench_floors();
    const size_t committer = n == 2 ? 0 : n - 2;
    struct hs_mls_group *by = members[committer].group, *beside = members[n - 1].group;
    struct hs_writer HS_WRITER commit = hs_writer(CAP);
    make.count = near.count = far.count = 0;
    double end = bench_now_ns() + 1e9;
    while (bench_now_ns() < end) {
        double t0 = bench_now_ns();
        group_turn(by, &commit);
        double t1 = bench_now_ns();
        group_follow(beside, &commit);
        double t2 = bench_now_ns();
        bench_add(&make, t1 - t0);
        bench_add(&near, t2 - t1);
        if (n == 2)
            continue;
        group_follow(members[0].group, &commit);
        bench_add(&far, bench_now_ns() - t2);
    }
    double d = (double)depth_of(n, committer), pair = 2 * f->verify + f->dh;
    struct bench_result a = {"mls_commit",
                             n,
                             bench_median(&make),
                             0,
                             "d (2 base + dh) + base + 2 sign",
                             d * (2 * f->base + f->dh) + f->base + 2 * f->sign};
    struct bench_result b = {"mls_process_near", n, bench_median(&near), 0, "2 verify + dh + d base",
                             pair + d * f->base};
    bench_report(&a);
    bench_report(&b);
    if (n == 2)
        return;
    struct bench_result c = {"mls_process_far", n, bench_median(&far), 0, "2 verify + dh + base",
                             pair + f->base};
    bench_report(&c);
}

static void report_posts(size_t n)
{
    static const uint8_t text[POST];
    static struct bench_samples protect, unprotect;
    const struct bench_floor *f = bench_floors();
    struct hs_mls_group *from = members[0].group, *to = members[n - 1].group;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    protect.count = unprotect.count = 0;
    double end = bench_now_ns() + 0.4e9;
    while (bench_now_ns() < end) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        hs_writer_reset(&w);
        double t0 = bench_now_ns();
        FUZZ_OK(hs_mls_group_protect(from, hs_bytes(text, sizeof text), (struct hs_bytes){0}, 0, &w));
        double t1 = bench_now_ns();
        FUZZ_OK(hs_mls_group_process(to, hs_writer_bytes(&w), &event));
        bench_add(&protect, t1 - t0);
        bench_add(&unprotect, bench_now_ns() - t1);
    }
    struct bench_result a = {"mls_protect_1k",    n, bench_median(&protect), POST, "sign + seal",
                             f->sign + f->aead_1k};
    struct bench_result b = {"mls_unprotect_1k",         n, bench_median(&unprotect), POST, "verify + open",
                             f->verify + f->aead_open_1k};
    bench_report(&a);
    bench_report(&b);
}

static void step_save(void *group)
{
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    FUZZ_OK(hs_mls_group_save(group, &w));
}

void bench_mls(void)
{
    static const size_t sizes[] = {2, 10, 100, 500};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i];
        for (size_t m = 0; m < n; m++)
            member_init(&members[m]);
        bench_floors_refresh();
        report_create(n);
        tree_fill(n);
        bench_floors_refresh();
        report_commit(n);
        report_posts(n);
        struct bench_result save = {"mls_save", n, bench_time(step_save, members[0].group, 100), 0, NULL, 0};
        bench_report(&save);
        for (size_t m = 0; m < n; m++)
            member_free(&members[m]);
    }
}
