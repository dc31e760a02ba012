/* malloc, calloc and realloc that fail at the wanted call; to be preloaded.
 *
 * allocations_fail_at(n, times) lets so many calls fail, from the nth from now on; only calls between
 * allocations_count(1) and allocations_count(0) count. allocations_failed() tells how many did. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

static long until, still, failed;
static int counting;

void allocations_fail_at(long n, long times) { until = n; still = times; failed = 0; }
void allocations_count(int on) { counting = on; }
long allocations_failed(void) { return failed; }

static int fails(void) {
    if (!counting || !still || --until > 0) return 0;
    still--;
    failed++;
    return 1;
}

void *malloc(size_t size) {
    static void *(*real)(size_t);
    if (!real) real = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    return fails() ? NULL : real(size);
}

void *realloc(void *old, size_t size) {
    static void *(*real)(void *, size_t);
    if (!real) real = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    return fails() ? NULL : real(old, size);
}

void *calloc(size_t n, size_t size) {
    static void *(*real)(size_t, size_t);
    static int looking;
    static char reserve[4096]; /* dlsym may ask for memory itself */
    static size_t used;
    if (!real) {
        if (looking) {
            void *given = reserve + used;
            used += (n * size + 15) & ~(size_t)15;
            return used <= sizeof reserve ? given : NULL;
        }
        looking = 1;
        real = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    }
    return fails() ? NULL : real(n, size);
}
