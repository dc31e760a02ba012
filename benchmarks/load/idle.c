/* Connections that subscribe and then say nothing: what each of them costs the server. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>

#define BUFFER_BYTES (4 * 1024)

Outcome run_idle(const Options *options)
{
    Outcome outcome = {0};
    int64_t before = resident_bytes(options->server);
    Watch watch = watch_start(options);
    for (; outcome.connections < options->n_idle; outcome.connections++) {
        char subscription[64];
        snprintf(subscription, sizeof subscription, "SUB idle.%llu.x 1\r\n", (unsigned long long) outcome.connections);
        connection_open(options, options->port, BUFFER_BYTES, subscription);
    }
    watch_stop(&watch, options, &outcome);
    outcome.grown_bytes = resident_bytes(options->server) - before;
    return outcome;
}
