/* Preloaded into a service: its wall clock is off by CLOCK_OFFSET_S seconds. Monotonic time is left alone, and so is
 * how long is waited: librdkafka waits until a moment of the wall clock, which is handed on as what it really is.
 * (libfaketime moves waiting too; librdkafka then spins, or waits for minutes.) */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static long offset_s(void) {
    static long offset, known;
    if (!known) {
        const char *text = getenv("CLOCK_OFFSET_S");
        offset = text ? atol(text) : 0;
        known = 1;
    }
    return offset;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset_s();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now)
        *now = exact.tv_sec;
    return exact.tv_sec;
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex, const struct timespec *restrict until) {
    static int (*wait)(cnd_t *, mtx_t *, const struct timespec *);
    struct timespec really = *until;
    if (!wait)
        *(void **)&wait = dlsym(RTLD_NEXT, "cnd_timedwait");
    really.tv_sec -= offset_s();
    return wait(cond, mutex, &really);
}
