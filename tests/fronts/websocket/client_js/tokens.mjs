// Uses the client with tokens that do not last; prints what came of each scene.
// Arguments: the URL of client.js, that of the gateway's `websocket.path`, tokens as JSON, then
// names of scenes.
import WebSocket from "ws";

const [module, url, given, ...names] = process.argv.slice(2);
const { connect } = await import(module);

const WATCH = "shop.inventory.v1.InventoryService/WatchStock";
const WHO = "shop.users.v1.UserService/WhoAmI";

const scenes = {
  async renews() {
    const tokens = JSON.parse(given);
    const all = tokens.length;
    const states = [];
    const gateway = connect(url, { WebSocket, token: async () => tokens.shift() });
    gateway.addEventListener("state", ({ detail }) => states.push(detail.state));
    const body = { interval: "0.1s", count: 70 };
    const ticks = [];
    for await (const { sequence } of gateway.stream(WATCH, { body, end: true })) {
      ticks.push(Number(sequence));
    }
    const heard = { ticks, asked: all - tokens.length, states: [...states] };
    gateway.close();
    return heard;
  },

  async expires() {
    const tokens = JSON.parse(given);
    const gateway = connect(url, { WebSocket, token: () => tokens.shift() });
    const closed = new Promise((resolve) => {
      gateway.addEventListener("state", ({ detail }) => detail.code && resolve(detail.code));
    });
    const stream = gateway.stream(WATCH, { body: { interval: "0.1s" }, end: true });
    const { status } = await stream.status;
    const code = await closed;
    const { metadata } = await gateway.call(WHO);
    gateway.close();
    const subject = metadata.find(({ key }) => key === "x-subject").text;
    return { status, code, subject };
  },
};

const heard = {};
for (const name of names) heard[name] = await scenes[name]();
console.log(JSON.stringify(heard));
