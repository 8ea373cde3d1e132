// Uses the client against a gateway with the example's backends; prints what came of each scene.
// Arguments: the URL of client.js, that of the gateway's `websocket.path`, then names of scenes.
import { once } from "node:events";
import { createServer } from "node:net";

import WebSocket from "ws";

const [module, url, ...names] = process.argv.slice(2);
const { connect } = await import(module);

const CATALOG = "shop.catalog.v1.CatalogService";
const CHAT = "shop.chat.v1.ChatService";
const MEDIA = "shop.media.v1.MediaService";
const STOCK = "shop.inventory.v1.InventoryService";

/** A class whose sockets can be cut as a network does it: without a word. */
function cuttable() {
  const open = new Set();
  class Cuttable extends WebSocket {
    constructor(...args) {
      super(...args);
      open.add(this);
      this.on("close", () => open.delete(this));
    }
  }
  return { Cuttable, cut: () => open.forEach((socket) => socket.terminate()) };
}

const gateway = connect(url, { WebSocket });

async function outcome(promise) {
  try {
    return await promise;
  } catch ({ status, message, details }) {
    return { status, message, details };
  }
}

async function all(stream) {
  const messages = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

const scenes = {
  async unary() {
    const product = await gateway.call(`${CATALOG}/GetProduct`, { id: "p1" });
    return product.id;
  },

  refused: () => outcome(gateway.call(`${CATALOG}/GetProduct`, { id: "none" })),

  unknown: () => outcome(gateway.call("shop.none.v1.None/Get")),

  async server() {
    const body = { productIds: ["p1"], interval: "0.001s", count: 300 };
    const stream = gateway.stream(`${STOCK}/WatchStock`, { body, end: true, credit: 8 });
    const ticks = await all(stream);
    return { ticks: ticks.map(({ sequence }) => Number(sequence)), end: await stream.status };
  },

  async client() {
    const stream = gateway.stream(`${STOCK}/CountStock`);
    const count = (productId) => stream.send({ warehouseId: "w1", count: { productId, pieces: "1" } });
    for (let i = 0; i < 50; i++) await count("p1");
    stream.end();
    const [{ counted }] = await all(stream);
    return counted;
  },

  async both() {
    const stream = gateway.stream(`${CHAT}/Join`, { body: { room: "lobby", userId: "ann" } });
    const heard = [];
    for await (const event of stream) {
      if (event.joined === "ann") await stream.send({ message: { text: "hello" } });
      else if (event.message) stream.end();
      heard.push(Object.keys(event).find((each) => each !== "room"));
    }
    return heard;
  },

  async left() {
    for await (const _ of gateway.stream(`${STOCK}/WatchStock`, { body: {}, end: true })) break;
    return true;
  },

  async late() {
    const body = { interval: "1s" };
    const stream = gateway.stream(`${STOCK}/WatchStock`, { body, end: true, timeout: 300 });
    return outcome(all(stream));
  },

  // Handshakes that are answered with a status of HTTP, and one that nobody answers.
  async nowhere() {
    class Foreign extends WebSocket {
      constructor(address, protocols) {
        super(address, protocols, { origin: "https://elsewhere.example" });
      }
    }
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address();
    free.close();
    await once(free, "close");
    const told = [];
    for (const [address, Class] of [
      [`${url}/none`, WebSocket],
      [url, Foreign],
      [`ws://127.0.0.1:${port}/ws`, WebSocket],
    ]) {
      const mine = connect(address, { WebSocket: Class });
      const { status, cause } = await mine
        .call(`${CATALOG}/GetProduct`, { id: "p1" }, { timeout: 1000 })
        .catch((error) => error);
      told.push([mine.state === "closed", status, cause.message]);
      mine.close();
    }
    return told;
  },

  // More calls than may be opened in a second, all at once.
  async many() {
    const ends = {};
    const call = async () => {
      const { status = "OK" } = (await outcome(gateway.call(`${CATALOG}/GetProduct`, { id: "p1" }))) ?? {};
      ends[status] = (ends[status] ?? 0) + 1;
    };
    await Promise.all(Array.from({ length: 60 }, call));
    return ends;
  },

  // Forty streams with ten times what all may have on the way, to a backend that takes nothing
  // until it is called: when 60 messages are sent.
  async uploads() {
    const data = btoa("x".repeat(150 * 1024));
    let sent = 0;
    const upload = async () => {
      const stream = gateway.stream(`${MEDIA}/DigestMedia`);
      for (let i = 0; i < 5; i++) {
        await stream.send({ data });
        sent += 1;
        if (sent === 60) opening = open();
      }
      stream.end();
      const [{ pieceCount }] = await all(stream);
      return Number(pieceCount);
    };
    let opening;
    const open = async () => {
      await outcome(gateway.call(`${MEDIA}/GetMedia`, {})); // a round trip, in which nothing goes on
      const before = sent;
      await gateway.call(`${MEDIA}/FingerprintMedia`, { data: "" });
      return before;
    };
    const counted = await Promise.all(Array.from({ length: 40 }, () => outcome(upload())));
    return { counted, before: await opening };
  },

  // Thousands of messages in both directions, over sockets that are cut again and again.
  async cuts() {
    const { Cuttable, cut } = cuttable();
    const mine = connect(url, { WebSocket: Cuttable, resume: true, backoff: () => 5 });
    let resumed = 0;
    mine.addEventListener("state", ({ detail }) => {
      if (detail.resumed) resumed += 1;
    });
    const most = 2000;
    const body = { productIds: ["p1"], interval: "0.001s", count: most };
    const ticker = all(mine.stream(`${STOCK}/WatchStock`, { body, end: true, credit: 32 }));
    const chat = mine.stream(`${CHAT}/Join`, { body: { room: "support", userId: "bob" } });
    const saying = (async () => {
      for (let i = 1; i <= most; i++) await chat.send({ ping: String(i) });
      chat.end();
    })();
    const listening = all(chat);
    const cutting = setInterval(cut, 50);
    const [ticks, events] = await Promise.all([ticker, listening, saying]);
    clearInterval(cutting);
    mine.close();
    return {
      resumed,
      ticks: ticks.map(({ sequence }) => Number(sequence)),
      pongs: events.filter(({ pong }) => pong).map(({ pong }) => Number(pong)),
    };
  },
};

const results = {};
for (const name of names) results[name] = await scenes[name]();
gateway.close();
console.log(JSON.stringify(results));
