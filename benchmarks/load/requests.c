/* Requesters with one request outstanding each, and one responder that sends back what it gets. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define BUFFER_BYTES (64 * 1024)
#define MAX_CONTROL_LINE 128
#define N_EVENTS 256

typedef struct {
    Connection *connection;
    size_t index;
    uint64_t n_requests;
    double sent_at_s;
    double answered_after_s; /* negative: not yet */
} Requester;

typedef struct {
    const Options *options;
    int epoll;
    char *payload;
    Connection *responder;
    char *answers; /* to everything of one read, written at once */
    size_t n_answers;
    Requester *requesters;
    double *latencies_s;
    size_t n_latencies, capacity;
    uint64_t n_requests, n_waiting;
} Exchange;

static void on_request(Connection *connection, const Message *message)
{
    Exchange *exchange = connection->owner;
    char *at = exchange->answers + exchange->n_answers;
    at += sprintf(at, "PUB %.*s %zu\r\n", (int) message->reply.n, message->reply.text, message->n_body);
    at = mempcpy(at, message->body, message->n_body);
    at = mempcpy(at, "\r\n", 2);
    exchange->n_answers = (size_t) (at - exchange->answers);
}

static void on_reply(Connection *connection, const Message *message)
{
    Requester *requester = connection->owner;
    (void) message;
    requester->answered_after_s = now_s() - requester->sent_at_s;
}

static void ask(Exchange *exchange, Requester *requester)
{
    size_t n = exchange->options->payload_bytes;
    char request[MAX_CONTROL_LINE + n + 2];
    int n_line = snprintf(request, MAX_CONTROL_LINE, "PUB service _INBOX.load%zu.%llu %zu\r\n", requester->index,
                          (unsigned long long) requester->n_requests++, n);
    memcpy(request + n_line, exchange->payload, n);
    memcpy(request + n_line + n, "\r\n", 2);
    requester->answered_after_s = -1;
    requester->sent_at_s = now_s();
    exchange->n_requests++;
    exchange->n_waiting++;
    connection_send(requester->connection, request, (size_t) n_line + n + 2);
}

static void keep_latency(Exchange *exchange, double latency_s)
{
    if (exchange->n_latencies == exchange->capacity) {
        exchange->capacity = exchange->capacity ? 2 * exchange->capacity : 1 << 16;
        exchange->latencies_s =
            must_allocate(realloc(exchange->latencies_s, exchange->capacity * sizeof(double)));
    }
    exchange->latencies_s[exchange->n_latencies++] = latency_s;
}

static void watch_connection(const Exchange *exchange, Connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(exchange->epoll, EPOLL_CTL_ADD, connection->fd, &event))
        fail("epoll_ctl: %m");
}

static void open_connections(Exchange *exchange)
{
    const Options *options = exchange->options;
    exchange->responder = connection_open(options, options->port, BUFFER_BYTES, "SUB service 1\r\n");
    exchange->responder->on_message = on_request;
    exchange->responder->owner = exchange;
    watch_connection(exchange, exchange->responder);
    for (size_t i = 0; i < options->n_requesters; i++) {
        char inbox[64];
        Requester *requester = &exchange->requesters[i];
        snprintf(inbox, sizeof inbox, "SUB _INBOX.load%zu.* 1\r\n", i);
        *requester = (Requester){.index = i, .connection = connection_open(options, options->port, BUFFER_BYTES, inbox)};
        requester->connection->on_message = on_reply;
        requester->connection->owner = requester;
        watch_connection(exchange, requester->connection);
    }
}

static void serve(Exchange *exchange)
{
    connection_receive(exchange->responder);
    connection_answer_pings(exchange->responder);
    connection_send(exchange->responder, exchange->answers, exchange->n_answers);
    exchange->n_answers = 0;
}

static void hear(Exchange *exchange, Requester *requester, double deadline_s)
{
    connection_receive(requester->connection);
    connection_answer_pings(requester->connection);
    if (requester->answered_after_s < 0)
        return;
    keep_latency(exchange, requester->answered_after_s);
    requester->answered_after_s = -1;
    exchange->n_waiting--;
    if (now_s() < deadline_s)
        ask(exchange, requester);
}

/* Read what came; false when nothing came for too long. */
static bool turn(Exchange *exchange, double deadline_s)
{
    struct epoll_event events[N_EVENTS];
    int n = epoll_wait(exchange->epoll, events, N_EVENTS, STALL_MS);
    if (n < 0 && errno != EINTR)
        fail("epoll_wait: %m");
    for (int i = 0; i < n; i++) {
        Connection *connection = events[i].data.ptr;
        if (connection == exchange->responder)
            serve(exchange);
        else
            hear(exchange, connection->owner, deadline_s);
    }
    return n != 0;
}

static uint64_t count_replies(const Exchange *exchange)
{
    uint64_t n = 0;
    for (size_t i = 0; i < exchange->options->n_requesters; i++)
        n += exchange->requesters[i].connection->n_msgs;
    return n;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *) left, b = *(const double *) right;
    return (a > b) - (a < b);
}

static double percentile_us(const Exchange *exchange, double share)
{
    size_t at = (size_t) ((double) exchange->n_latencies * share);
    return exchange->n_latencies ? exchange->latencies_s[at] * 1e6 : 0;
}

static Outcome run_phase(Exchange *exchange, double seconds)
{
    Outcome outcome = {0};
    uint64_t n_before = count_replies(exchange);
    Watch watch = watch_start(exchange->options);
    double deadline_s = watch.at_s + seconds;
    exchange->n_latencies = exchange->n_requests = 0;
    for (size_t i = 0; i < exchange->options->n_requesters; i++)
        ask(exchange, &exchange->requesters[i]);
    while (exchange->n_waiting && turn(exchange, deadline_s))
        ;
    watch_stop(&watch, exchange->options, &outcome);
    for (size_t i = 0; i < exchange->options->n_requesters; i++) { /* a reply too many comes before the pong */
        connection_ping(exchange->requesters[i].connection);
        connection_await_pong(exchange->requesters[i].connection);
    }
    qsort(exchange->latencies_s, exchange->n_latencies, sizeof(double), compare);
    outcome.published = outcome.expected = exchange->n_requests;
    outcome.delivered = count_replies(exchange) - n_before;
    outcome.expected_bytes = outcome.expected * exchange->options->payload_bytes;
    outcome.delivered_bytes = outcome.delivered * exchange->options->payload_bytes;
    outcome.p50_us = percentile_us(exchange, 0.5);
    outcome.p99_us = percentile_us(exchange, 0.99);
    return outcome;
}

Outcome run_requests(const Options *options)
{
    Exchange exchange = {.options = options, .payload = render_payload(options->payload_bytes)};
    exchange.answers = must_allocate(malloc(2 * BUFFER_BYTES)); /* the control line of an answer is the shorter one */
    exchange.requesters = must_allocate(calloc(options->n_requesters, sizeof(Requester)));
    if ((exchange.epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1: %m");
    open_connections(&exchange);
    Outcome outcome = run_phase(&exchange, options->warm_up_s);
    return outcome.delivered == outcome.expected ? run_phase(&exchange, options->seconds) : outcome;
}
