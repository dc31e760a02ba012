/* What an ordinary program does with the C client: `peer SCENE URL [LOGIN...]`; says what it saw, line by line. */
#include <nats/nats.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define MUST(call) must((call), #call)

static atomic_int handled, closed, reconnected;

static void must(natsStatus status, const char *call)
{
    if (status != NATS_OK) {
        fprintf(stderr, "%s: %s\n", call, natsStatus_GetText(status));
        exit(1);
    }
}

static void wait_for(atomic_int *flag)
{
    for (int waited_ms = 0; !*flag && waited_ms < 4 * PATIENCE_MS; waited_ms += 5)
        nats_Sleep(5);
    if (!*flag) {
        fprintf(stderr, "waited in vain\n");
        exit(1);
    }
}

static natsMsg *next(natsSubscription *inbox)
{
    natsMsg *msg = NULL;
    MUST(natsSubscription_NextMsg(&msg, inbox, PATIENCE_MS));
    return msg;
}

static int pending(natsSubscription *inbox)
{
    int msgs = 0;
    MUST(natsSubscription_GetPending(inbox, &msgs, NULL));
    return msgs;
}

static void publish(natsConnection *nc)
{
    natsSubscription *inbox = NULL;
    MUST(natsConnection_SubscribeSync(&inbox, nc, "greetings.*"));
    MUST(natsConnection_PublishString(nc, "greetings.en", "hello"));
    MUST(natsConnection_PublishString(nc, "greetings.en.us", "howdy"));
    MUST(natsConnection_PublishString(nc, "greetings.de", "hallo"));
    for (int n = 0; n < 2; n++) {
        natsMsg *msg = next(inbox);
        printf("%s %.*s\n", natsMsg_GetSubject(msg), natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
        natsMsg_Destroy(msg);
    }
    natsSubscription_Destroy(inbox);
}

static void queue(natsConnection *nc)
{
    natsSubscription *one = NULL, *two = NULL;
    MUST(natsConnection_QueueSubscribeSync(&one, nc, "tasks", "workers"));
    MUST(natsConnection_QueueSubscribeSync(&two, nc, "tasks", "workers"));
    for (int n = 0; n < 100; n++)
        MUST(natsConnection_Publish(nc, "tasks", NULL, 0));
    MUST(natsConnection_Flush(nc));
    printf("%d %s\n", pending(one) + pending(two), pending(one) && pending(two) ? "shared" : "alone");
    natsSubscription_Destroy(one);
    natsSubscription_Destroy(two);
}

static void twice(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    char answer[64];
    const char *data = natsMsg_GetData(msg);
    (void) sub, (void) closure;
    snprintf(answer, sizeof answer, "%s%s", data, data);
    MUST(natsConnection_PublishString(nc, natsMsg_GetReply(msg), answer));
    natsMsg_Destroy(msg);
}

static void request(natsConnection *nc)
{
    natsSubscription *service = NULL;
    natsMsg *reply = NULL;
    MUST(natsConnection_Subscribe(&service, nc, "double", twice, NULL));
    MUST(natsConnection_RequestString(&reply, nc, "double", "tea", PATIENCE_MS));
    printf("%.*s\n", natsMsg_GetDataLength(reply), natsMsg_GetData(reply));
    natsMsg_Destroy(reply);
    reply = NULL;
    if (natsConnection_Request(&reply, nc, "nobody", NULL, 0, PATIENCE_MS) == NATS_NO_RESPONDERS)
        printf("no responders\n");
    natsSubscription_Destroy(service);
}

static void headers(natsConnection *nc)
{
    natsSubscription *inbox = NULL;
    natsMsg *order = NULL, *msg;
    const char *priority = NULL;
    MUST(natsConnection_SubscribeSync(&inbox, nc, "orders"));
    MUST(natsMsg_Create(&order, "orders", NULL, "tea", 3));
    MUST(natsMsgHeader_Set(order, "Priority", "high"));
    MUST(natsConnection_PublishMsg(nc, order));
    msg = next(inbox);
    MUST(natsMsgHeader_Get(msg, "Priority", &priority));
    printf("Priority: %s %.*s\n", priority, natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
    natsMsg_Destroy(msg);
    natsMsg_Destroy(order);
    natsSubscription_Destroy(inbox);
}

static void large(natsConnection *nc)
{
    natsSubscription *inbox = NULL;
    int size = (int) natsConnection_GetMaxPayload(nc);
    char *body = calloc(1, size);
    natsMsg *msg;
    MUST(natsConnection_SubscribeSync(&inbox, nc, "large"));
    MUST(natsConnection_Publish(nc, "large", body, size));
    msg = next(inbox);
    printf("%d\n", natsMsg_GetDataLength(msg));
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(inbox);
    free(body);
}

static void unsubscribe(natsConnection *nc)
{
    natsSubscription *inbox = NULL;
    MUST(natsConnection_SubscribeSync(&inbox, nc, "few"));
    MUST(natsSubscription_AutoUnsubscribe(inbox, 2));
    for (int n = 0; n < 5; n++)
        MUST(natsConnection_Publish(nc, "few", NULL, 0));
    MUST(natsConnection_Flush(nc));
    printf("%d\n", pending(inbox));
    natsSubscription_Destroy(inbox);
}

static void count(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void) nc, (void) sub, (void) closure;
    handled++;
    natsMsg_Destroy(msg);
}

static void drain(natsConnection *nc)
{
    natsSubscription *inbox = NULL;
    MUST(natsConnection_Subscribe(&inbox, nc, "last", count, NULL));
    for (int n = 0; n < 50; n++)
        MUST(natsConnection_Publish(nc, "last", NULL, 0));
    MUST(natsConnection_Drain(nc));
    wait_for(&closed);
    printf("%d closed\n", handled);
    natsSubscription_Destroy(inbox);
}

static void reconnect(natsConnection *nc)
{
    natsSubscription *inbox = NULL;
    natsMsg *msg;
    MUST(natsConnection_SubscribeSync(&inbox, nc, "after"));
    MUST(natsConnection_Flush(nc));
    printf("connected\n");
    wait_for(&reconnected);
    printf("reconnected\n");
    MUST(natsConnection_PublishString(nc, "after", "still here"));
    msg = next(inbox);
    printf("%.*s\n", natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(inbox);
}

static void login(natsConnection *nc)
{
    MUST(natsConnection_Flush(nc));
    printf("welcome\n");
}

static void raise_flag(natsConnection *nc, void *flag)
{
    (void) nc;
    *(atomic_int *) flag = 1;
}

static void ignore(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure)
{
    (void) nc, (void) sub, (void) status, (void) closure;
}

static const struct {
    const char *name;
    void (*play)(natsConnection *);
} SCENES[] = {
    {"publish", publish}, {"queue", queue},             {"request", request}, {"headers", headers},     {"large", large},
    {"drain", drain},     {"unsubscribe", unsubscribe}, {"login", login},     {"reconnect", reconnect}, {NULL, NULL},
};

int main(int argc, char **argv)
{
    natsOptions *opts = NULL;
    natsConnection *nc = NULL;
    natsStatus status;
    const char *kind = argc > 3 ? argv[3] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    MUST(natsOptions_Create(&opts));
    MUST(natsOptions_SetURL(opts, argv[2]));
    MUST(natsOptions_SetReconnectWait(opts, 50));
    MUST(natsOptions_SetMaxReconnect(opts, -1));
    MUST(natsOptions_SetErrorHandler(opts, ignore, NULL));
    MUST(natsOptions_SetReconnectedCB(opts, raise_flag, &reconnected));
    MUST(natsOptions_SetClosedCB(opts, raise_flag, &closed));
    if (!strcmp(kind, "user"))
        MUST(natsOptions_SetUserInfo(opts, argv[4], argv[5]));
    else if (!strcmp(kind, "token"))
        MUST(natsOptions_SetToken(opts, argv[4]));
    else if (!strcmp(kind, "nkey"))
        MUST(natsOptions_SetNKeyFromSeed(opts, argv[5], argv[4]));
    else if (!strcmp(kind, "tls")) {
        MUST(natsOptions_SetSecure(opts, true));
        MUST(natsOptions_LoadCATrustedCertificates(opts, argv[4]));
        if (argc > 6)
            MUST(natsOptions_LoadCertificatesChain(opts, argv[5], argv[6]));
    }

    status = natsConnection_Connect(&nc, opts);
    if (status == NATS_CONNECTION_AUTH_FAILED || (status != NATS_OK && !strcmp(kind, "tls"))) {
        printf("refused\n");
    } else {
        must(status, "connect");
        for (int n = 0; SCENES[n].name != NULL; n++)
            if (!strcmp(SCENES[n].name, argv[1]))
                SCENES[n].play(nc);
    }
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    nats_Close();
    return 0;
}
