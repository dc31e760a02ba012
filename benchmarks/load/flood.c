/* One publisher as fast as the server takes it, any number of subscribers, one epoll loop. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BUFFER_BYTES (256 * 1024)
#define N_EVENTS 64

/* Publish until the deadline, then the publisher's ping: when it is answered, everything was delivered
 * to the subscribers' connections; then their pings: when those are answered, everything has come that will. */
enum phase { PUBLISHING, FLUSHING, DRAINING, DONE };

typedef struct {
    const Options *options;
    Cycle cycle;
    Connection *publisher, **subscribers;
    int epoll;
    enum phase phase;
    double deadline_s;
    const char *rest; /* of what is being written */
    size_t n_rest, next_batch;
    bool is_writable;
    uint64_t n_per_msg; /* deliveries of each message */
    uint64_t published, published_bytes, delivered, delivered_bytes;
} Flood;

static void watch_connection(const Flood *flood, Connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(flood->epoll, EPOLL_CTL_ADD, connection->fd, &event))
        fail("epoll_ctl: %m");
}

static void open_connections(Flood *flood)
{
    const Options *options = flood->options;
    char *subscriptions = render_subscriptions(options);
    int port = options->subscriber_port ? options->subscriber_port : options->port;
    flood->subscribers = must_allocate(calloc(options->n_subscribers + 1, sizeof(Connection *)));
    for (size_t i = 0; i < options->n_subscribers; i++) {
        flood->subscribers[i] = connection_open(options, port, BUFFER_BYTES, subscriptions);
        watch_connection(flood, flood->subscribers[i], EPOLLIN);
    }
    free(subscriptions);
    flood->publisher = connection_open(options, options->port, BUFFER_BYTES, "");
    watch_connection(flood, flood->publisher, EPOLLIN | EPOLLOUT | EPOLLET);
}

/* Wait until the publisher's server knows what is wanted at the other one: interest travels in order. */
static void await_interest(const Flood *flood)
{
    static const char SUBSCRIBE[] = "SUB load.probe probe\r\n", PROBE[] = "PUB load.probe 0\r\n\r\n",
                      LAST[] = "PUB load.probe 1\r\n.\r\nPING\r\n";
    Connection *subscriber = flood->subscribers[flood->options->n_subscribers - 1];
    double deadline_s = now_s() + STALL_MS * 1e-3;
    connection_send(subscriber, SUBSCRIBE, sizeof SUBSCRIBE - 1);
    while (!subscriber->n_body_bytes) {
        if (now_s() > deadline_s)
            fail("the servers do not hear of each other within %d ms", STALL_MS);
        if (subscriber->n_msgs) {
            flood->publisher->n_pings++;
            connection_send(flood->publisher, LAST, sizeof LAST - 1);
            connection_await_pong(flood->publisher);
        } else {
            connection_send(flood->publisher, PROBE, sizeof PROBE - 1);
        }
        usleep(5000);
        while (connection_receive(subscriber))
            ;
    }
    usleep(100000); /* more than one last probe may be on its way */
    while (connection_receive(subscriber))
        ;
}

static bool is_window_full(const Flood *flood)
{
    uint64_t expected = flood->published * flood->n_per_msg;
    return expected > flood->delivered && (expected - flood->delivered) * flood->cycle.mean_frame_bytes > WINDOW_BYTES;
}

static void begin_write(Flood *flood, const char *bytes, size_t n)
{
    flood->rest = bytes;
    flood->n_rest = n;
}

/* Choose what to write next; false when there is nothing for now. */
static bool choose(Flood *flood)
{
    Connection *publisher = flood->publisher;
    if (publisher->n_owed) {
        publisher->n_owed--;
        begin_write(flood, "PONG\r\n", 6);
    } else if (flood->phase != PUBLISHING) {
        return false;
    } else if (now_s() >= flood->deadline_s) {
        flood->phase = FLUSHING;
        publisher->n_pings++;
        begin_write(flood, "PING\r\n", 6);
    } else if (is_window_full(flood)) {
        return false;
    } else {
        const Batch *batch = &flood->cycle.batches[flood->next_batch];
        flood->next_batch = (flood->next_batch + 1) % flood->cycle.n_batches;
        flood->published += batch->n_msgs;
        flood->published_bytes += batch->n_body_bytes;
        begin_write(flood, batch->bytes, batch->n_bytes);
    }
    return true;
}

/* One write at most, so that reading gets its turn; whether anything was written. */
static bool write_some(Flood *flood)
{
    if (!flood->is_writable || (!flood->n_rest && !choose(flood)))
        return false;
    size_t taken = connection_offer(flood->publisher, flood->rest, flood->n_rest);
    flood->is_writable = taken == flood->n_rest;
    begin_write(flood, flood->rest + taken, flood->n_rest - taken);
    return taken > 0;
}

static void read_some(Flood *flood, Connection *connection)
{
    if (connection == flood->publisher) { /* edge-triggered: all there is */
        while (connection_receive(connection))
            ;
        return;
    }
    uint64_t n_msgs = connection->n_msgs, n_bytes = connection->n_body_bytes;
    connection_receive(connection);
    connection_answer_pings(connection);
    flood->delivered += connection->n_msgs - n_msgs;
    flood->delivered_bytes += connection->n_body_bytes - n_bytes;
}

static bool is_answered(const Connection *connection)
{
    return connection->n_pongs == connection->n_pings;
}

static void advance(Flood *flood)
{
    size_t n = flood->options->n_subscribers;
    if (flood->phase == FLUSHING && is_answered(flood->publisher)) {
        flood->phase = DRAINING;
        for (size_t i = 0; i < n; i++)
            connection_ping(flood->subscribers[i]);
    }
    if (flood->phase == DRAINING) {
        flood->phase = DONE;
        for (size_t i = 0; i < n; i++)
            if (!is_answered(flood->subscribers[i]))
                flood->phase = DRAINING;
        /* Between two servers messages may be behind the pings. */
        if (flood->options->subscriber_port && flood->delivered < flood->published * flood->n_per_msg)
            flood->phase = DRAINING;
    }
}

/* Read what came. False when nothing came for too long: the counts will tell what is missing. */
static bool turn(Flood *flood, int timeout_ms)
{
    struct epoll_event events[N_EVENTS];
    int n = epoll_wait(flood->epoll, events, N_EVENTS, timeout_ms);
    if (n < 0 && errno != EINTR)
        fail("epoll_wait: %m");
    for (int i = 0; i < n; i++) {
        Connection *connection = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            flood->is_writable = true;
        if (events[i].events & ~(uint32_t) EPOLLOUT)
            read_some(flood, connection);
    }
    return n != 0 || timeout_ms == 0;
}

static Outcome run_phase(Flood *flood, double seconds)
{
    Outcome outcome = {0};
    Watch watch = watch_start(flood->options);
    flood->phase = PUBLISHING;
    flood->deadline_s = watch.at_s + seconds;
    flood->published = flood->published_bytes = flood->delivered = flood->delivered_bytes = 0;
    while (flood->phase != DONE) {
        bool has_written = write_some(flood);
        if (!turn(flood, has_written ? 0 : STALL_MS))
            break;
        advance(flood);
    }
    watch_stop(&watch, flood->options, &outcome);
    outcome.published = flood->published;
    outcome.expected = flood->published * flood->n_per_msg;
    outcome.expected_bytes = flood->published_bytes * flood->n_per_msg;
    outcome.delivered = flood->delivered;
    outcome.delivered_bytes = flood->delivered_bytes;
    return outcome;
}

static uint64_t deliveries_of_each(const Options *options)
{
    if (options->subjects == UNMATCHED_SUBJECTS)
        return 0;
    return options->is_queue ? 1 : options->n_subscribers;
}

Outcome run_flood(const Options *options)
{
    Flood flood = {.options = options, .cycle = render_cycle(options), .n_per_msg = deliveries_of_each(options)};
    if ((flood.epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1: %m");
    open_connections(&flood);
    if (options->subscriber_port)
        await_interest(&flood);
    Outcome outcome = run_phase(&flood, options->warm_up_s);
    bool is_exact = outcome.delivered == outcome.expected && outcome.delivered_bytes == outcome.expected_bytes;
    return is_exact ? run_phase(&flood, options->seconds) : outcome;
}
