/* Time, memory, and the end of all runs that cannot go on. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void *must_allocate(void *memory)
{
    if (!memory)
        fail("out of memory");
    return memory;
}

static double read_clock(clockid_t clock)
{
    struct timespec at;
    if (clock_gettime(clock, &at))
        fail("cannot read a clock: %m");
    return (double) at.tv_sec + (double) at.tv_nsec * 1e-9;
}

double now_s(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double cpu_s(pid_t process)
{
    clockid_t clock;
    if ((errno = clock_getcpuclockid(process, &clock)))
        fail("cannot read the processor time of process %d: %m", (int) process);
    return read_clock(clock);
}

int64_t resident_bytes(pid_t process)
{
    char path[64];
    long long total, resident;
    snprintf(path, sizeof path, "/proc/%d/statm", (int) process);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%lld %lld", &total, &resident) != 2)
        fail("cannot read %s: %m", path);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static double servers_cpu_s(const Options *options)
{
    return cpu_s(options->server) + (options->far_server ? cpu_s(options->far_server) : 0);
}

Watch watch_start(const Options *options)
{
    return (Watch){.at_s = now_s(), .server_cpu_s = servers_cpu_s(options), .generator_cpu_s = cpu_s(0)};
}

void watch_stop(const Watch *watch, const Options *options, Outcome *outcome)
{
    outcome->elapsed_s = now_s() - watch->at_s;
    outcome->server_cpu_s = servers_cpu_s(options) - watch->server_cpu_s;
    outcome->generator_cpu_s = cpu_s(0) - watch->generator_cpu_s;
}
