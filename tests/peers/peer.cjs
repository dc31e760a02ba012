// What an ordinary program does with @nats-io/transport-node: `peer.cjs SCENE URL [LOGIN…]`; says what it saw, line by line.
"use strict";
const { readFileSync } = require("node:fs");
const { connect, headers, nkeyAuthenticator } = require("@nats-io/transport-node");

const say = (...words) => console.log(words.join(" "));
const PATIENCE_MS = 5000;

async function take(subscription, count) {
  const taken = [];
  if (count) {
    for await (const msg of subscription) {
      if (taken.push(msg) === count) break;
    }
  }
  return taken;
}

const SCENES = {
  async publish(nc) {
    const inbox = nc.subscribe("greetings.*");
    nc.publish("greetings.en", "hello");
    nc.publish("greetings.en.us", "howdy");
    nc.publish("greetings.de", "hallo");
    for (const msg of await take(inbox, 2)) say(msg.subject, msg.string());
  },

  async queue(nc) {
    const members = [1, 2].map(() => nc.subscribe("tasks", { queue: "workers", callback() {} }));
    for (let n = 0; n < 100; n++) nc.publish("tasks");
    await nc.flush();
    const counts = members.map((member) => member.getReceived());
    say(counts[0] + counts[1], counts.every(Boolean) ? "shared" : counts);
  },

  async request(nc) {
    nc.subscribe("double", { callback: (_, msg) => msg.respond(msg.string() + msg.string()) });
    say((await nc.request("double", "tea", { timeout: PATIENCE_MS })).string());
    await nc.request("nobody", "", { timeout: PATIENCE_MS }).catch((error) => {
      say(/no responders/i.test(`${error.message} ${error.cause?.message}`) ? "no responders" : error);
    });
  },

  async headers(nc) {
    const inbox = nc.subscribe("orders");
    const labels = headers();
    labels.set("Priority", "high");
    nc.publish("orders", "tea", { headers: labels });
    const [msg] = await take(inbox, 1);
    say("Priority:", msg.headers.get("Priority"), msg.string());
  },

  async large(nc) {
    const inbox = nc.subscribe("large");
    nc.publish("large", new Uint8Array(nc.info.max_payload));
    say((await take(inbox, 1))[0].data.length);
  },

  async unsubscribe(nc) {
    const inbox = nc.subscribe("few", { max: 2, callback() {} });
    for (let n = 0; n < 5; n++) nc.publish("few");
    await nc.flush();
    say(inbox.getReceived());
  },

  async drain(nc) {
    let handled = 0;
    nc.subscribe("last", { callback: () => handled++ });
    for (let n = 0; n < 50; n++) nc.publish("last");
    await nc.drain();
    say(handled, nc.isClosed() ? "closed" : "open");
  },

  async reconnect(nc) {
    const inbox = nc.subscribe("after");
    await nc.flush();
    say("connected");
    for await (const status of nc.status()) {
      if (status.type === "reconnect") break;
    }
    say("reconnected");
    nc.publish("after", "still here");
    say((await take(inbox, 1))[0].string());
  },

  async login(nc) {
    await nc.flush();
    say("welcome");
  },
};

function credentials(kind, first, second, third) {
  if (kind === "user") return { user: first, pass: second };
  if (kind === "token") return { token: first };
  if (kind === "tls") return { tls: { caFile: first, certFile: second, keyFile: third } };
  return kind === "nkey" ? { authenticator: nkeyAuthenticator(readFileSync(first)) } : {};
}

async function main(scene, url, ...how) {
  let nc;
  try {
    const reconnect = scene === "reconnect";
    nc = await connect({ servers: url, reconnect, reconnectTimeWait: 50, maxReconnectAttempts: -1, ...credentials(...how) });
  } catch (error) {
    if (!/authorization violation/i.test(error.message) && how[0] !== "tls") throw error;
    return say("refused");
  }
  await SCENES[scene](nc);
  await nc.close();
}

main(...process.argv.slice(2));
