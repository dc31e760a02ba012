"""Examples of the man pages: for each command, what is wanted and what to type.

A test reads every line with the command it belongs to, so an option that goes away cannot stay here.
"""

from __future__ import annotations

__all__ = ["EXAMPLES"]

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "natsctl": (
        ("See everything at work:", "natsctl demo"),
        (
            "Start a broker, and talk to it from other terminals:",
            "natsctl server\nnatsctl sub '>'\nnatsctl pub greetings hello",
        ),
    ),
    "natsctl server": (
        ("Listen on one address and port:", "natsctl server -a 127.0.0.1 -p 4333"),
        ("Start with a configuration file, and show the protocol:", "natsctl server -c nats.conf -DV"),
        ("Check a configuration file:", "natsctl server -t -c nats.conf"),
        (
            "Demand certificates of clients:",
            "natsctl server --tlsverify --tlscert server.pem --tlskey server-key.pem --tlscacert ca.pem",
        ),
        ("Have a running server open its log file anew:", "natsctl server --signal reopen=/run/natsctl.pid"),
        ("Have it read its configuration again, once that is found to be good:", "natsctl server reload nats.conf"),
        ("Let its clients move to others before it stops:", "natsctl server --signal ldm=/run/natsctl.pid"),
    ),
    "natsctl pub": (
        ("Publish one message:", "natsctl pub greetings hello"),
        ("Publish a file with a header:", "natsctl pub orders.new -H Priority:high @order.json"),
    ),
    "natsctl sub": (
        ("Show everything below orders:", "natsctl sub 'orders.>'"),
        (
            "Take ten messages as a member of a queue group, for a script:",
            "natsctl sub --queue workers --count 10 --json tasks",
        ),
    ),
    "natsctl request": (
        ("Ask one service:", "natsctl request time.now"),
        ("Collect what three services answer:", "natsctl request --gather --expect 3 who.is.there"),
    ),
    "natsctl reply": (
        ("Answer with the request itself:", "natsctl reply --echo echo"),
        ("Answer with the output of a program:", "natsctl reply time.now --command date"),
    ),
    "natsctl rtt": (("Measure every address of two servers:", "natsctl rtt -s nats://one:4222,nats://two:4222"),),
    "natsctl bench": (
        (
            "See how fast a server takes messages of a byte from 20 connections:",
            "natsctl bench -np 20 -n 1000000 -ms 1 hi",
        ),
        (
            "Measure latencies at a steady rate, and see what users feel while a node of a cluster is restarted:",
            "natsctl bench -np 4 -ns 4 --rate 20000 --duration 60s -s nats://one:4222,nats://two:4222 hi",
        ),
        (
            "Hold a run against what an earlier one wrote with --json:",
            "natsctl bench -np 1 -ns 1 --compare before.json hi",
        ),
        (
            "Measure requests to a service of yours, 50 at once:",
            "natsctl bench --request --inflight 50 -n 10000 time.now",
        ),
    ),
    "natsctl top": (
        (
            "Watch a server, with the connections first that receive most:",
            "natsctl top -s 10.0.0.5 -m 8222 -sort bytes_to",
        ),
        ("Watch all servers of a cluster, twice a second:", "natsctl top -s one:8222 --cluster -d 0.5"),
        (
            "Write a table of nats-top into a file, and one with a delimiter:",
            "natsctl top -o top.txt\nnatsctl top -o - -l ';'",
        ),
        ("Feed ten readings to a program:", "natsctl top -r 10 --format json -o readings.ndjson"),
        (
            "Keep the last day, and look at it at ten times the speed:",
            "natsctl top --record day.ndjson.gz --keep 24h --headless\nnatsctl top --replay day.ndjson.gz --speed 10",
        ),
    ),
    "natsctl varz": (
        ("See a server at a glance, again every 2 seconds:", "natsctl varz --watch 2"),
        ("Give a script every figure, as the server has it:", "natsctl varz --json"),
    ),
    "natsctl connz": (
        ("See who has most bytes waiting:", "natsctl connz --sort pending --limit 10"),
        ("See who left, and why:", "natsctl connz --state closed --sort stop"),
    ),
    "natsctl routez": (("See whether all servers of the cluster are linked:", "natsctl routez -s one:8222 --cluster"),),
    "natsctl leafz": (("See the leafnodes of a server on HTTPS:", "natsctl leafz -s hub.example.net -ms 8443"),),
    "natsctl subsz": (
        ("See who would receive a message, on any server of the cluster:", "natsctl subsz --test orders.new --cluster"),
    ),
    "natsctl accountz": (("See one account:", "natsctl accountz --account APP"),),
    "natsctl healthz": (("Ask two servers; exits with 0 when both are healthy:", "natsctl healthz -s one,two"),),
    "natsctl cluster": (
        (
            "Run three nodes until Ctrl-C, and see from another terminal how they are:",
            "natsctl cluster up\nnatsctl cluster status",
        ),
    ),
    "natsctl cluster up": (
        (
            "Run five nodes of the official server with TLS, on other ports:",
            "natsctl cluster up --nodes 5 --engine nats-server --tls --port 5222",
        ),
        ("Keep the files, change them, and run them again:", "natsctl cluster up --dir cluster"),
        ("Have free ports found, and told as JSON:", "natsctl cluster up --port -1 --json"),
    ),
    "natsctl cluster status": (
        ("See who is there, and what is wrong; exits with 1 then:", "natsctl cluster status -s one.example.net"),
        ("Watch a node go and come back:", "natsctl cluster status --watch 1"),
    ),
    "natsctl check": (
        (
            "Let a monitoring system ask whether clients get in, and whether the cluster is whole:",
            "natsctl check connection -s nats://one:4222\nnatsctl check cluster -s one,two,three --expect 3",
        ),
    ),
    "natsctl check connection": (
        (
            "Warn when messages take longer than 50 ms, with the login of a context:",
            "natsctl check connection --context test --req-warn 50ms --req-critical 200ms",
        ),
    ),
    "natsctl check server": (
        (
            "Look at all servers of a cluster, and notice restarts:",
            "natsctl check server -s one --cluster --mem-warn 1G --uptime-warn 10m",
        ),
    ),
    "natsctl check slow-consumers": (
        (
            "Warn of clients cut off in the last hour, or about to be:",
            "natsctl check slow-consumers -s one --cluster --within 1h --pending-warn 30",
        ),
    ),
    "natsctl check cluster": (
        (
            "Leave metrics for the textfile collector of node_exporter, from cron:",
            "natsctl check cluster -s one,two,three --expect 3 --outfile /var/lib/node_exporter/nats_cluster.prom",
        ),
    ),
    "natsctl check cert": (
        (
            "Look at files, and at what a server shows to clients that trust a CA:",
            "natsctl check cert /etc/nats/certs\nnatsctl check cert -s nats.example.net:4222 --tlsca ca.pem",
        ),
    ),
    "natsctl certs": (
        (
            "Make everything a server with TLS needs, start it, and look at the certificates:",
            "natsctl certs init --san nats.example.net\nnatsctl server -c nats.conf\nnatsctl certs ls",
        ),
    ),
    "natsctl certs init": (
        ("Make a CA, certificates and nats.conf here:", "natsctl certs init"),
        (
            "Make them elsewhere, for a server of two names:",
            "natsctl certs init tls --san nats.example.net --san 10.0.0.7",
        ),
    ),
    "natsctl certs cluster": (
        ("Try a cluster on this machine:", "natsctl certs cluster --nodes 3 cluster"),
        (
            "Prepare three machines behind a load balancer:",
            "natsctl certs cluster --hosts a.example.net,b.example.net,c.example.net --san nats.example.net cluster",
        ),
    ),
    "natsctl certs ls": (("List what a configuration uses:", "natsctl certs ls nats.conf"),),
    "natsctl certs info": (("See the fingerprint for pinned_certs:", "natsctl certs info client.pem"),),
    "natsctl certs verify": (
        (
            "Ask whether clients will accept a server under this name:",
            "natsctl certs verify --host nats.example.net server.pem",
        ),
        ("Check everything a configuration uses:", "natsctl certs verify nats.conf"),
    ),
    "natsctl certs expiry": (
        ("Let cron tell of what ends within two weeks:", "natsctl certs expiry --within 14d /etc/nats/certs"),
        ("The same for what a server shows:", "natsctl certs expiry --within 14d nats.example.net:4222"),
    ),
    "natsctl certs probe": (
        ("See what a running server shows:", "natsctl certs probe nats.example.net:4222"),
        (
            "Look at a route or a leafnode port, with the CA that peers trust:",
            "natsctl certs probe --tlsca ca.pem host:6222",
        ),
    ),
    "natsctl certs renew": (
        ("Renew what ends within a month:", "natsctl certs renew --within 30d /etc/nats/certs"),
        ("Renew the CA, and keep its key:", "natsctl certs renew ca.pem"),
    ),
    "natsctl certs gencert": (
        ("Make a CA:", "natsctl certs gencert -initca ca-csr.json"),
        (
            "Make a server's certificate with a profile of a configuration:",
            "natsctl certs gencert -ca ca.pem -ca-key ca-key.pem -config ca-config.json -profile server server.json",
        ),
    ),
    "natsctl certs genkey": (("Make a key and a request for somebody else's CA:", "natsctl certs genkey server.json"),),
    "natsctl certs sign": (("Sign a request:", "natsctl certs sign -ca ca.pem -ca-key ca-key.pem server.csr"),),
    "natsctl certs selfsign": (("Try TLS without a CA:", "natsctl certs selfsign localhost server.json"),),
    "natsctl certs json": (
        ("Make ca.pem, ca-key.pem and ca.csr of what gencert wrote:", "natsctl certs json -bare ca"),
    ),
    "natsctl certs certinfo": (("Tell of a certificate in cfssl's words:", "natsctl certs certinfo -cert server.pem"),),
    "natsctl certs print-defaults": (("Begin a configuration:", "natsctl certs print-defaults config"),),
    "natsctl certs version": (("See what signs:", "natsctl certs version"),),
    "natsctl context": (
        (
            "Say where the test cluster is, and use it from now on:",
            "natsctl context add test -s nats://test.example.net:4222\nnatsctl context select test",
        ),
    ),
    "natsctl context ls": (("List the contexts for a script:", "natsctl context ls --json"),),
    "natsctl context show": (("See what a context says, without its secrets:", "natsctl context show test"),),
    "natsctl context add": (
        ("Keep a server and a login:", "natsctl context add test -s nats://test.example.net:4222 --creds ~/test.creds"),
    ),
    "natsctl context select": (("Use a context from now on:", "natsctl context select test"),),
    "natsctl context unselect": (("Use no context from now on:", "natsctl context unselect"),),
    "natsctl context rm": (("Forget a context without being asked:", "natsctl context rm --force test"),),
    "natsctl demo": (("Take the tour:", "natsctl demo"),),
    "natsctl version": (("Attach the versions to a problem report:", "natsctl version --json"),),
}
"""Command to pairs of a purpose and the lines to type."""
