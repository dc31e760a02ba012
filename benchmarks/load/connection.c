/* A client connection: the handshake, and every byte the server sends, parsed. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FIELDS 6

static const char HELLO[] =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"name\":\"load\",\"lang\":\"c\","
    "\"version\":\"1\",\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\n";

static int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address))
        fail("cannot connect to port %d: %m", port);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void await(const Connection *connection, short events)
{
    struct pollfd one = {.fd = connection->fd, .events = events};
    int n = poll(&one, 1, STALL_MS);
    if (n < 0 && errno != EINTR)
        fail("poll: %m");
    if (n == 0)
        fail("no answer from the server within %d ms", STALL_MS);
}

static ssize_t plain_send(Connection *connection, const char *bytes, size_t n)
{
    return send(connection->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t plain_receive(Connection *connection, char *buffer, size_t n)
{
    return recv(connection->fd, buffer, n, MSG_DONTWAIT);
}

size_t connection_offer(Connection *connection, const char *bytes, size_t n)
{
    ssize_t taken = connection->send(connection, bytes, n);
    if (taken < 0 && errno != EAGAIN && errno != EINTR)
        fail("send: %m");
    return taken < 0 ? 0 : (size_t) taken;
}

void connection_send(Connection *connection, const char *bytes, size_t n)
{
    while (n > 0) {
        size_t taken = connection_offer(connection, bytes, n);
        if (!taken)
            await(connection, POLLOUT);
        bytes += taken;
        n -= taken;
    }
}

void connection_ping(Connection *connection)
{
    connection->n_pings++;
    connection_send(connection, "PING\r\n", 6);
}

void connection_answer_pings(Connection *connection)
{
    for (; connection->n_owed; connection->n_owed--)
        connection_send(connection, "PONG\r\n", 6);
}

/* Split at blanks up to the LF; the caller has seen to it that there is one. */
static const char *split(const char *at, Field *fields, unsigned *n_fields)
{
    for (*n_fields = 0; *n_fields < MAX_FIELDS; at++) {
        const char *text = at;
        while (*at > ' ')
            at++;
        fields[(*n_fields)++] = (Field){text, (size_t) (at - text)};
        if (*at != ' ')
            break;
    }
    return at;
}

static bool read_size(Field field, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < field.n; i++) {
        unsigned digit = (unsigned) (field.text[i] - '0');
        if (digit > 9)
            return false;
        *size = *size * 10 + digit;
    }
    return field.n > 0 && field.n < 10;
}

/* MSG <subject> <sid> [reply] <#bytes>, HMSG <subject> <sid> [reply] <#header bytes> <#total bytes>.
 * Returns what follows the message, or NULL when it has not come whole. */
static const char *take_message(Connection *connection, const char *line, const char *end)
{
    bool has_headers = *line == 'H';
    const char *verb = has_headers ? "HMSG " : "MSG ";
    Field fields[MAX_FIELDS];
    unsigned n_fields, n_fixed = has_headers ? 4 : 3;
    size_t n_verb = has_headers ? 5 : 4, n_headers = 0;
    Message message = {0};

    if ((size_t) (end - line) < n_verb)
        return NULL;
    if (memcmp(line, verb, n_verb))
        fail("not a message: %.40s", line);
    const char *at = split(line + n_verb, fields, &n_fields);
    if (at + 1 >= end)
        return NULL;
    if (at[0] != '\r' || at[1] != '\n' || n_fields < n_fixed || n_fields > n_fixed + 1 ||
        !read_size(fields[n_fields - 1], &message.n_body) ||
        (has_headers && (!read_size(fields[n_fields - 2], &n_headers) || n_headers > message.n_body)))
        fail("not a control line: %.40s", line);
    message.subject = fields[0];
    if (n_fields > n_fixed)
        message.reply = fields[2];
    message.body = at + 2;
    if ((size_t) (end - message.body) < message.n_body + 2)
        return NULL;
    if (memcmp(message.body + message.n_body, "\r\n", 2))
        fail("a payload of %zu bytes does not end where it should", message.n_body);
    connection->n_msgs++;
    connection->n_body_bytes += message.n_body;
    if (connection->on_message)
        connection->on_message(connection, &message);
    return message.body + message.n_body + 2;
}

static const char *take_line(Connection *connection, const char *line, const char *end)
{
    const char *lf = memchr(line, '\n', (size_t) (end - line));
    if (!lf)
        return NULL;
    if (!strncmp(line, "PING\r", 5))
        connection->n_owed++;
    else if (!strncmp(line, "PONG\r", 5))
        connection->n_pongs++;
    else if (!strncmp(line, "INFO ", 5))
        connection->has_info = true;
    else
        fail("the server said: %.*s", (int) (lf - line), line);
    return lf + 1;
}

static void parse(Connection *connection)
{
    const char *at = connection->buffer, *end = at + connection->filled;
    connection->buffer[connection->filled] = '\n'; /* where a control line is cut off, scanning ends here */
    while (at < end) {
        bool is_message = *at == 'M' || *at == 'H';
        const char *next = is_message ? take_message(connection, at, end) : take_line(connection, at, end);
        if (!next)
            break;
        at = next;
    }
    connection->filled = (size_t) (end - at);
    if (connection->filled == connection->capacity)
        fail("more than %zu bytes and no end of the message: %.40s", connection->capacity, at);
    memmove(connection->buffer, at, connection->filled);
}

bool connection_receive(Connection *connection)
{
    bool has_come = false, may_be_more = true;
    while (may_be_more) {
        size_t space = connection->capacity - connection->filled;
        ssize_t n = connection->receive(connection, connection->buffer + connection->filled, space);
        if (n == 0)
            fail("the server closed the connection");
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            fail("recv: %m");
        if (n < 0)
            break;
        connection->filled += (size_t) n;
        parse(connection);
        has_come = true;
        may_be_more = (size_t) n == space;
    }
    return has_come;
}

void connection_await_pong(Connection *connection)
{
    while (connection->n_pongs < connection->n_pings) {
        if (!connection_receive(connection))
            await(connection, POLLIN);
        connection_answer_pings(connection);
    }
}

Connection *connection_open(const Options *options, int port, size_t buffer_bytes, const char *subscriptions)
{
    Connection *connection = must_allocate(calloc(1, sizeof *connection));
    connection->capacity = buffer_bytes;
    connection->buffer = must_allocate(malloc(buffer_bytes + 1));
    connection->fd = dial(port);
    connection->send = plain_send;
    connection->receive = plain_receive;
    while (!connection->has_info)
        if (!connection_receive(connection))
            await(connection, POLLIN);
    if (options->is_tls)
        connection_start_tls(connection);
    connection_send(connection, HELLO, sizeof HELLO - 1);
    connection_send(connection, subscriptions, strlen(subscriptions));
    connection_ping(connection);
    connection_await_pong(connection);
    return connection;
}
