/* A crew does every part of a job once. NODE-89 */
#include "net/crew.h"
#include "support/test.h"

#include <stdatomic.h>

enum { PARTS = 1000, JOBS = 300 };

struct job {
    atomic_uint done[PARTS];
    uint64_t sum[PARTS]; /* plain: seen when the job is over */
};

static void part(void *arg, size_t i)
{
    struct job *job = arg;
    atomic_fetch_add(&job->done[i], 1);
    job->sum[i] += i;
}

static void run(struct hs_crew *crew, size_t count)
{
    static struct job job;
    memset(&job, 0, sizeof job);
    hs_crew_run(crew, part, &job, count);
    for (size_t i = 0; i < PARTS; i++) {
        assert_int_equal(atomic_load(&job.done[i]), i < count);
        assert_int_equal(job.sum[i], i < count ? i : 0);
    }
}

static void every_part_is_done_once(void **state)
{
    (void)state;
    for (unsigned helpers = 0; helpers < 4; helpers++) {
        struct hs_crew *crew;
        assert_int_equal(hs_crew_new(helpers, &crew), HS_OK);
        for (size_t count = 0; count < 20; count++)
            run(crew, count);
        for (size_t i = 0; i < JOBS; i++)
            run(crew, PARTS - i);
        hs_crew_free(crew);
    }
}

static void an_idle_crew_goes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        struct hs_crew *crew;
        assert_int_equal(hs_crew_new(3, &crew), HS_OK);
        hs_crew_free(crew);
    }
    hs_crew_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_part_is_done_once),
                                       cmocka_unit_test(an_idle_crew_goes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
