// The page of the example: a chat and a ticker on one socket. It shows how the client is used, and
// what goes on beneath: states, credits, reconnections. The page is the demo's own: it finds the
// gateway's `websocket.path` where the demo has it, at `/ws`.
import { Code, connect, fullJitter } from "../ws/client.js";

const CHAT = "shop.chat.v1.ChatService/Join";
const TICKER = "shop.inventory.v1.InventoryService/WatchStock";
const PRODUCT = "shop.catalog.v1.CatalogService/GetProduct";
const PRODUCTS = ["p1", "p2", "p3", "p4", "p5", "p6"];
const LINES = 200; // of the chat that are kept

const at = (id) => document.getElementById(id);

const gateway = connect(new URL("../ws", import.meta.url), {
  resume: true,
  // Longer than is needed, for eyes that want to see it.
  backoff: (attempt) => 700 + fullJitter(attempt),
});

/** Runs a stream for as long as the page lives: one that was lost is opened again. */
async function keep(name, open, read, over = () => {}) {
  for (let attempt = 0, lost = false; gateway.state !== "closed"; attempt++) {
    const stream = open();
    if (lost) note(`the ${name} was opened again, as stream ${stream.id}`);
    try {
      for await (const message of stream) {
        attempt = 0;
        await read(message);
      }
    } catch (error) {
      lost = error.code !== Code.CANCELLED;
      if (!lost) continue; // the page's own wish: open it anew
      note(`the ${name} ended (stream ${stream.id}): ${error.status}, ${error.message}`);
      if (error.code !== Code.UNAVAILABLE) return;
    } finally {
      over();
    }
    const wait = fullJitter(attempt);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

// Chat

let chat;
const unheard = []; // lines of one's own that the room has not said back
// Of this tab, and no other: a page that is loaded again is the same guest.
at("name").value = sessionStorage.getItem("name") ?? `guest-${Math.ceil(Math.random() * 999)}`;
sessionStorage.setItem("name", at("name").value);

function join() {
  chat = gateway.stream(CHAT, { body: { room: "lobby", userId: at("name").value } });
  return chat;
}

function heard({ message, joined, left }) {
  count += 1;
  if (message) told(message);
  else if (joined) line(`${joined} came`);
  else if (left) line(`${left} left`);
}

function told({ text = "(a picture)", userId }) {
  const mine = unheard.findIndex((item) => userId === item.dataset.from && text === item.lastChild.data);
  if (mine >= 0) unheard.splice(mine, 1)[0].classList.remove("unheard");
  else line(text, userId);
}

/** Adds a line; a list that is read further up stays where it is. */
function line(text, from) {
  const list = at("said");
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const item = document.createElement("li");
  if (from === undefined) item.className = "news";
  else {
    if (from === at("name").value) item.className = "mine";
    const name = document.createElement("b");
    name.textContent = from;
    name.hidden = list.lastChild?.dataset.from === from;
    item.dataset.from = from;
    item.append(name);
  }
  item.append(text);
  list.append(item);
  while (list.children.length > LINES) list.firstChild.remove();
  list.firstChild.querySelector("b")?.removeAttribute("hidden");
  if (isAtEnd) list.scrollTop = list.scrollHeight;
  return item;
}

at("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  at("text").value = "";
  at("text").focus();
  if (text === "") return;
  const item = line(text, at("name").value);
  item.classList.add("unheard");
  unheard.push(item);
  at("said").scrollTop = at("said").scrollHeight;
  try {
    await chat.send({ message: { text } });
    count += 1;
  } catch (error) {
    note(`a message was not sent: ${error.message}`);
    parted();
  }
});

/** What the room has not said back when its stream ends may not have come there. */
function parted() {
  for (const item of unheard.splice(0)) item.classList.replace("unheard", "lost");
}

at("name").addEventListener("change", () => {
  if (!at("name").reportValidity()) return;
  sessionStorage.setItem("name", at("name").value);
  chat.cancel();
});

// Ticker

const rows = new Map(PRODUCTS.map((id) => [id, row(at("stock"), [id, "–", "–"])]));
let pause = null; // a promise of the end of the pause

function row(body, texts) {
  const made = body.insertRow();
  for (const text of texts) made.insertCell().textContent = text;
  return made;
}

/** Titles come by unary calls, on the same socket. */
async function title(id) {
  try {
    const { title: text } = await gateway.call(PRODUCT, { id }, { timeout: 10_000 });
    rows.get(id).cells[0].textContent = text;
  } catch (error) {
    note(`no title of ${id}: ${error.status}`);
  }
}

function watch() {
  const body = { productIds: PRODUCTS, interval: "0.2s" };
  return gateway.stream(TICKER, { body, end: true, credit: 8 });
}

async function ticked({ productId, available, change = 0 }) {
  const [, changed, pieces] = rows.get(productId).cells;
  changed.textContent = change > 0 ? `▲ ${change}` : change < 0 ? `▼ ${-change}` : "–";
  changed.className = change > 0 ? "rising" : change < 0 ? "falling" : "";
  pieces.textContent = available ?? 0;
  count += 1;
  await pause?.promise;
}

at("pause").addEventListener("click", ({ target }) => {
  if (pause === null) {
    pause = {};
    pause.promise = new Promise((resolve) => {
      pause.end = resolve;
    });
  } else {
    pause.end();
    pause = null;
  }
  target.classList.toggle("on", pause !== null);
  target.textContent = pause === null ? "Pause the reader" : "Read on";
});

// The socket

const WORDS = { open: "connected", waiting: "reconnecting", closed: "closed" };

let count = 0; // messages since the last look
let sockets = 0;
const cells = new Map(); // by stream: what its row shows
const most = new Map(); // by stream: the most credit that was seen

at("cut").addEventListener("click", () => gateway.reconnect());

gateway.addEventListener("state", ({ detail }) => {
  const { state, delay, code, reason, resumed } = detail;
  const word = WORDS[state] ?? (sockets > 0 ? WORDS.waiting : state);
  // A word that is written again would be read aloud again.
  if (at("state").textContent !== word) at("state").textContent = word;
  at("state").parentElement.dataset.state = state;
  at("events").querySelector("button")?.remove();
  if (state === "open") {
    sockets += 1;
    at("reconnections").textContent = sockets - 1;
    if (resumed) at("resumed").textContent = Number(at("resumed").textContent) + 1;
    note(resumed ? "connected: the streams go on" : "connected");
  } else if (state === "waiting") {
    const why = [code, reason].filter(Boolean).join(" ");
    note(`next attempt in ${(delay / 1000).toFixed(1)} s (${why})`).append(nowButton());
  } else if (state === "closed") note(`closed: ${code} ${reason}`);
});

gateway.addEventListener("stream", ({ detail: { stream, ended } }) => {
  if (!ended) {
    at("opened").textContent = stream.id;
    return;
  }
  cells.get(stream)?.remove();
  cells.delete(stream);
  most.delete(stream);
});

function note(text) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString();
  item.append(time, text);
  at("events").prepend(item);
  while (at("events").children.length > 50) at("events").lastChild.remove();
  return item;
}

/** For those who won't wait for the next attempt. */
function nowButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "now";
  button.addEventListener("click", () => gateway.reconnect());
  return button;
}

function show() {
  for (const stream of gateway.streams) {
    if (!cells.has(stream)) {
      const made = row(at("streams"), [stream.id, "", "", "", "", ""]);
      const service = document.createElement("span");
      service.textContent = stream.method.slice(0, stream.method.indexOf("/") + 1);
      made.cells[1].append(service, stream.method.slice(service.textContent.length));
      for (const index of [3, 5]) made.cells[index].append("", document.createElement("meter"));
      made.dataset.method = stream.method;
      cells.set(stream, made);
    }
    const { sent, received, credit } = stream;
    const made = cells.get(stream).cells;
    const top = most.get(stream) ?? { send: 0, receive: 0 };
    most.set(stream, top);
    made[2].textContent = sent;
    made[4].textContent = received;
    for (const [index, way] of [[3, "send"], [5, "receive"]]) {
      top[way] = Math.max(top[way], credit[way]);
      const [text, meter] = made[index].childNodes;
      text.data = credit[way];
      meter.max = Math.max(top[way], 1);
      meter.value = credit[way];
      meter.ariaLabel = `credit to ${way}`;
    }
  }
}

setInterval(show, 100);
setInterval(() => {
  at("rate").textContent = count;
  count = 0;
}, 1000);

keep("chat", join, heard, parted);
keep("ticker", watch, ticked);
PRODUCTS.forEach(title);
