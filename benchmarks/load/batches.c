/* What is published, rendered before the clock starts: batches of whole messages. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS "NATS/1.0\r\nX-Hdr: value1\r\n\r\n"
#define N_HEADERS (sizeof HEADERS - 1)
#define MAX_CONTROL_LINE 128
#define N_MIXED 20000
#define MIXED_MIN_BYTES 16
#define MIXED_MAX_BYTES 512
#define N_GROUPS 100 /* of devices; each group has as many devices, and two devices share a pattern of each kind */
#define N_DEVICES (N_GROUPS * N_GROUPS)
#define N_SENSORS 10
#define MAX_SUBSCRIPTION_BYTES 64

/* xorshift64: every run draws the same. */
static uint64_t draw(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

char *render_payload(size_t n)
{
    char *payload = must_allocate(malloc(n + 1));
    for (size_t i = 0; i < n; i++)
        payload[i] = (char) ('a' + draw() % 26);
    payload[n] = 0;
    return payload;
}

static Batch *open_batch(Cycle *cycle)
{
    cycle->batches = must_allocate(realloc(cycle->batches, (cycle->n_batches + 1) * sizeof(Batch)));
    Batch *batch = &cycle->batches[cycle->n_batches++];
    *batch = (Batch){.bytes = must_allocate(malloc(BATCH_BYTES))};
    return batch;
}

static void add_message(Cycle *cycle, const char *subject, bool has_headers, const char *payload, size_t n_payload)
{
    char line[MAX_CONTROL_LINE];
    size_t n_headers = has_headers ? N_HEADERS : 0, n_body = n_headers + n_payload;
    int n_line = has_headers ? snprintf(line, sizeof line, "HPUB %s %zu %zu\r\n", subject, n_headers, n_body)
                             : snprintf(line, sizeof line, "PUB %s %zu\r\n", subject, n_body);
    size_t n_frame = (size_t) n_line + n_body + 2;
    if (n_frame > BATCH_BYTES)
        fail("a message of %zu bytes exceeds a batch of %d bytes", n_frame, BATCH_BYTES);

    Batch *batch = cycle->n_batches ? &cycle->batches[cycle->n_batches - 1] : open_batch(cycle);
    if (batch->n_bytes + n_frame > BATCH_BYTES)
        batch = open_batch(cycle);
    char *at = batch->bytes + batch->n_bytes;
    at = mempcpy(at, line, (size_t) n_line);
    at = mempcpy(at, HEADERS, n_headers);
    at = mempcpy(at, payload, n_payload);
    memcpy(at, "\r\n", 2);
    batch->n_bytes += n_frame;
    batch->n_msgs++;
    batch->n_body_bytes += n_body;
}

/* The same message again and again, as many as one batch takes. */
static void render_one_subject(Cycle *cycle, const Options *options)
{
    char *payload = render_payload(options->payload_bytes);
    do
        add_message(cycle, "foo", options->has_headers, payload, options->payload_bytes);
    while (cycle->n_batches == 1);
    cycle->n_batches = 1;
    free(payload);
}

/* A hundred subjects and sizes of every kind: no message is like the one before. */
static void render_mixed(Cycle *cycle)
{
    char *payload = render_payload(MIXED_MAX_BYTES), subject[32];
    for (int i = 0; i < N_MIXED; i++) {
        snprintf(subject, sizeof subject, "m.%d.x%d", (int) (draw() % 10), (int) (draw() % 10));
        size_t size = MIXED_MIN_BYTES + draw() % (MIXED_MAX_BYTES - MIXED_MIN_BYTES + 1);
        add_message(cycle, subject, false, payload, size);
    }
    free(payload);
}

/* Every sensor of every device once, in random order. Unmatched ones differ from what is subscribed to
 * in the third token. */
static void render_devices(Cycle *cycle, const Options *options)
{
    static int order[N_DEVICES * N_SENSORS];
    char *payload = render_payload(options->payload_bytes), subject[48];
    int shift = options->subjects == UNMATCHED_SUBJECTS ? N_GROUPS : 0, n = N_DEVICES * N_SENSORS;
    for (int i = 0; i < n; i++) {
        int j = (int) (draw() % (uint64_t) (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    for (int i = 0; i < n; i++) {
        int device = order[i] / N_SENSORS, sensor = order[i] % N_SENSORS;
        snprintf(subject, sizeof subject, "dev.%d.%d.%d", device / N_GROUPS, device % N_GROUPS + shift, sensor);
        add_message(cycle, subject, false, payload, options->payload_bytes);
    }
    free(payload);
}

Cycle render_cycle(const Options *options)
{
    Cycle cycle = {0};
    if (options->subjects == ONE_SUBJECT)
        render_one_subject(&cycle, options);
    else if (options->subjects == MIXED_SUBJECTS)
        render_mixed(&cycle);
    else
        render_devices(&cycle, options);
    size_t n_bytes = 0, n_msgs = 0;
    for (size_t i = 0; i < cycle.n_batches; i++) {
        n_bytes += cycle.batches[i].n_bytes;
        n_msgs += cycle.batches[i].n_msgs;
    }
    cycle.mean_frame_bytes = n_bytes / n_msgs;
    return cycle;
}

/* One pattern for each device, of two kinds in turn; no subject matches two of them. */
static void render_patterns(char *at)
{
    for (int device = 0; device < N_DEVICES; device++) {
        const char *pattern = device % 2 ? "SUB *.%d.%d.> %d\r\n" : "SUB dev.%d.%d.* %d\r\n";
        at += sprintf(at, pattern, device / N_GROUPS, device % N_GROUPS, device + 1);
    }
}

char *render_subscriptions(const Options *options)
{
    char *text = must_allocate(malloc(N_DEVICES * MAX_SUBSCRIPTION_BYTES));
    if (options->subjects == ONE_SUBJECT)
        strcpy(text, options->is_queue ? "SUB foo workers 1\r\n" : "SUB foo 1\r\n");
    else if (options->subjects == MIXED_SUBJECTS)
        strcpy(text, "SUB m.> 1\r\n");
    else
        render_patterns(text);
    return text;
}
