/* TLS below a connection. Needs OpenSSL; without it every load runs but those over TLS. */
#define _GNU_SOURCE
#include "load.h"

#ifdef WITH_TLS

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* Both servers encrypt alike: which cipher they like best is not what is compared. */
#define CIPHER "TLS_AES_128_GCM_SHA256"
#define READ_AHEAD_BYTES (256 * 1024)

static SSL_CTX *shared_context(void)
{
    static SSL_CTX *context;
    if (context)
        return context;
    context = must_allocate(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, CIPHER);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_BYTES);
    return context;
}

/* Tell as send(2) and recv(2) do why nothing was moved. */
static ssize_t explain(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL: return -1;
    default: fail("TLS: %s", ERR_error_string(ERR_get_error(), NULL));
    }
}

/* As much as one call of send(2) would take: a record carries a quarter of a batch. */
static ssize_t tls_send(Connection *connection, const char *bytes, size_t n)
{
    size_t sent = 0, taken;
    while (sent < n) {
        ERR_clear_error();
        int result = SSL_write_ex(connection->tls, bytes + sent, n - sent, &taken);
        if (!result)
            return sent ? (ssize_t) sent : explain(connection->tls, result);
        sent += taken;
    }
    return (ssize_t) sent;
}

/* All that fits: what OpenSSL has read ahead, no event will tell of. */
static ssize_t tls_receive(Connection *connection, char *buffer, size_t n)
{
    size_t filled = 0, came;
    while (filled < n) {
        ERR_clear_error();
        int result = SSL_read_ex(connection->tls, buffer + filled, n - filled, &came);
        if (!result)
            return filled ? (ssize_t) filled : explain(connection->tls, result);
        filled += came;
    }
    return (ssize_t) filled;
}

void connection_start_tls(Connection *connection)
{
    SSL *ssl = must_allocate(SSL_new(shared_context()));
    SSL_set_fd(ssl, connection->fd);
    if (SSL_connect(ssl) != 1)
        fail("TLS handshake: %s", ERR_error_string(ERR_get_error(), NULL));
    if (fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK))
        fail("fcntl: %m");
    connection->tls = ssl;
    connection->send = tls_send;
    connection->receive = tls_receive;
}

#else

void connection_start_tls(Connection *connection)
{
    (void) connection;
    fail("this load generator was built without TLS");
}

#endif
