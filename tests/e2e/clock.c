/* Preloaded into programs: the time of day is CLOCK_AHEAD seconds further on. What only measures how long
 * something takes goes on as it was. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static time_t ahead;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("CLOCK_AHEAD");
    ahead = text != NULL ? strtol(text, NULL, 10) : 0;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *out)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, out);
    if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += ahead;
    return failed;
}
