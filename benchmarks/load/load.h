/* What the parts of the load generator share. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BATCH_BYTES (64 * 1024)          /* what one write takes */
#define WINDOW_BYTES (16 * 1024 * 1024)  /* outstanding deliveries: a quarter of what makes a slow consumer */
#define STALL_MS 10000                   /* without any progress a run is over; the counts say what was lost */

enum subjects { ONE_SUBJECT, MIXED_SUBJECTS, DEVICE_SUBJECTS, UNMATCHED_SUBJECTS };

typedef struct {
    int port, subscriber_port; /* of another server, if subscribers are to be there; else 0 */
    pid_t server, far_server;  /* the far one is 0 when there is only one */
    double warm_up_s, seconds;
    enum subjects subjects;
    size_t payload_bytes;
    bool has_headers, is_queue, is_tls;
    size_t n_subscribers, n_requesters, n_idle;
} Options;

/* What a run did; printed as JSON. A field that does not apply stays 0. */
typedef struct {
    uint64_t published, expected, delivered;
    uint64_t expected_bytes, delivered_bytes; /* payload, headers included */
    double elapsed_s, server_cpu_s, generator_cpu_s;
    double p50_us, p99_us;
    uint64_t connections;
    int64_t grown_bytes; /* resident memory of the server */
} Outcome;

Outcome run_flood(const Options *options);
Outcome run_requests(const Options *options);
Outcome run_idle(const Options *options);

/* process.c */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *must_allocate(void *memory);
double now_s(void);
double cpu_s(pid_t process); /* user and system time; 0 is this process */
int64_t resident_bytes(pid_t process);

/* A stop watch over the run and the processor time of the servers and the generator. */
typedef struct {
    double at_s, server_cpu_s, generator_cpu_s;
} Watch;

Watch watch_start(const Options *options);
void watch_stop(const Watch *watch, const Options *options, Outcome *outcome);

/* connection.c */
typedef struct {
    const char *text;
    size_t n;
} Field;

typedef struct {
    Field subject, reply;
    const char *body; /* headers and payload */
    size_t n_body;
} Message;

typedef struct Connection Connection;
typedef void (*OnMessage)(Connection *connection, const Message *message);

struct Connection {
    int fd;
    char *buffer;
    size_t filled, capacity;
    ssize_t (*send)(Connection *connection, const char *bytes, size_t n); /* as send(2), never waiting */
    ssize_t (*receive)(Connection *connection, char *buffer, size_t n);   /* as recv(2), never waiting */
    void *tls;
    OnMessage on_message; /* may be NULL: messages are counted in any case */
    void *owner;
    uint64_t n_msgs, n_body_bytes;
    unsigned n_pings, n_pongs; /* sent and received: equal when the server has done all it was told */
    unsigned n_owed;           /* pings of the server to be answered */
    bool has_info;
};

Connection *connection_open(const Options *options, int port, size_t buffer_bytes, const char *subscriptions);
bool connection_receive(Connection *connection);       /* parse what is there, never wait; false: nothing was there */
void connection_send(Connection *connection, const char *bytes, size_t n); /* waits where it must */
size_t connection_offer(Connection *connection, const char *bytes, size_t n); /* never waits; how much was taken */
void connection_ping(Connection *connection);
void connection_answer_pings(Connection *connection);
void connection_await_pong(Connection *connection);

/* tls.c */
void connection_start_tls(Connection *connection);

/* batches.c */
typedef struct {
    char *bytes;
    size_t n_bytes, n_msgs, n_body_bytes;
} Batch;

/* A cycle of batches of whole messages, written again and again. */
typedef struct {
    Batch *batches;
    size_t n_batches;
    size_t mean_frame_bytes;
} Cycle;

Cycle render_cycle(const Options *options);
char *render_payload(size_t n);
char *render_subscriptions(const Options *options); /* of each subscriber */

#endif
