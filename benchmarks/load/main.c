/* The load generator of the benchmarks: load flood|requests|idle --port N --server PID [OPTION...]; JSON on stdout. */
#define _GNU_SOURCE
#include "load.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option OPTIONS[] = {
    {"port", required_argument, NULL, 'p'},
    {"subscriber-port", required_argument, NULL, 'P'},
    {"server", required_argument, NULL, 's'},
    {"far-server", required_argument, NULL, 'S'},
    {"warm-up", required_argument, NULL, 'w'},
    {"seconds", required_argument, NULL, 't'},
    {"size", required_argument, NULL, 'b'},
    {"subjects", required_argument, NULL, 'j'},
    {"subscribers", required_argument, NULL, 'n'},
    {"requesters", required_argument, NULL, 'r'},
    {"connections", required_argument, NULL, 'i'},
    {"headers", no_argument, NULL, 'h'},
    {"tls", no_argument, NULL, 'l'},
    {"queue", no_argument, NULL, 'q'},
    {NULL, 0, NULL, 0},
};

static enum subjects read_subjects(const char *name)
{
    static const char *const NAMES[] = {"one", "mixed", "devices", "unmatched"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (!strcmp(name, NAMES[i]))
            return (enum subjects) i;
    fail("no subjects are called \"%s\"", name);
}

static Options read_options(int n_arguments, char **arguments)
{
    Options options = {.seconds = 1, .payload_bytes = 16, .n_requesters = 50, .n_idle = 5000};
    for (int name; (name = getopt_long(n_arguments, arguments, "", OPTIONS, NULL)) != -1;) {
        switch (name) {
        case 'p': options.port = atoi(optarg); break;
        case 'P': options.subscriber_port = atoi(optarg); break;
        case 'S': options.far_server = (pid_t) atoi(optarg); break;
        case 's': options.server = (pid_t) atoi(optarg); break;
        case 'w': options.warm_up_s = atof(optarg); break;
        case 't': options.seconds = atof(optarg); break;
        case 'b': options.payload_bytes = strtoul(optarg, NULL, 10); break;
        case 'j': options.subjects = read_subjects(optarg); break;
        case 'n': options.n_subscribers = strtoul(optarg, NULL, 10); break;
        case 'r': options.n_requesters = strtoul(optarg, NULL, 10); break;
        case 'i': options.n_idle = strtoul(optarg, NULL, 10); break;
        case 'h': options.has_headers = true; break;
        case 'l': options.is_tls = true; break;
        case 'q': options.is_queue = true; break;
        default: exit(2);
        }
    }
    if (!options.port || !options.server)
        fail("--port and --server say which server is measured");
    return options;
}

static void print(const Outcome *outcome)
{
    printf("{\"published\":%" PRIu64 ",\"expected\":%" PRIu64 ",\"delivered\":%" PRIu64, outcome->published,
           outcome->expected, outcome->delivered);
    printf(",\"expected_bytes\":%" PRIu64 ",\"delivered_bytes\":%" PRIu64, outcome->expected_bytes,
           outcome->delivered_bytes);
    printf(",\"elapsed_s\":%.6f,\"server_cpu_s\":%.6f,\"generator_cpu_s\":%.6f", outcome->elapsed_s,
           outcome->server_cpu_s, outcome->generator_cpu_s);
    printf(",\"p50_us\":%.1f,\"p99_us\":%.1f", outcome->p50_us, outcome->p99_us);
    printf(",\"connections\":%" PRIu64 ",\"grown_bytes\":%" PRId64 "}\n", outcome->connections, outcome->grown_bytes);
}

int main(int n_arguments, char **arguments)
{
    Options options = read_options(n_arguments, arguments);
    const char *load = optind < n_arguments ? arguments[optind] : "";
    Outcome outcome;
    if (!strcmp(load, "flood"))
        outcome = run_flood(&options);
    else if (!strcmp(load, "requests"))
        outcome = run_requests(&options);
    else if (!strcmp(load, "idle"))
        outcome = run_idle(&options);
    else
        fail("there is no load \"%s\": flood, requests or idle", load);
    print(&outcome);
    return 0;
}
