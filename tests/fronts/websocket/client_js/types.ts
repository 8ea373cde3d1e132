// What the types of client.js allow and refuse; `tsc --strict` checks it, nothing runs it.
import { Code, connect, fullJitter, RpcError } from "client.js";
import type { Pairs, Status, Stream } from "client.js";

interface Said {
  room?: string;
  text: string;
}

const controller = new AbortController();
const gateway = connect("/ws", {
  token: async () => "t",
  resume: true,
  signal: controller.signal,
  credit: 16,
  backoff: (attempt) => fullJitter(attempt) + 100,
  WebSocket,
});

export async function allowed(): Promise<number> {
  const { title } = await gateway.call<{ title: string }>("s.S/Get", { id: "1" }, { timeout: 5 });
  const chat: Stream<Said, Said> = gateway.stream<Said, Said>("s.S/Join", {
    body: { room: "lobby", text: "hello" },
    metadata: { "x-a": "1", "y-bin": new Uint8Array(1) },
  });
  gateway.stream("s.S/Join", { metadata: [["x-a", "1"]] });
  gateway.stream("s.S/Join", { metadata: new Map([["x-a", "1"]]) });
  connect("/ws", { token: null });
  await chat.send({ text: title });
  chat.end();
  const pairs: Pairs = await chat.headers;
  for await (const { text } of chat) text.toUpperCase();
  const { code, status }: Status = await chat.status;
  gateway.addEventListener("state", ({ detail }) => detail.delay?.toFixed());
  gateway.addEventListener("stream", ({ detail }) => detail.stream.credit.send.toFixed());
  try {
    await gateway.auth("t");
  } catch (error) {
    if (error instanceof RpcError && error.code === Code.UNAVAILABLE) throw error.details[0];
  }
  return pairs.length + code + status.length + gateway.streams.length;
}

export function refused(chat: Stream<Said, Said>): void {
  // @ts-expect-error: a message of another type
  chat.send({ words: "hello" });
  // @ts-expect-error: no option
  connect("/ws", { retries: 3 });
  // @ts-expect-error: a call has one message, and its end
  gateway.call("s.S/Get", {}, { end: true });
  // @ts-expect-error: no function for a number
  connect("/ws", { token: 5 });
  // @ts-expect-error: no token
  gateway.auth(undefined);
  // @ts-expect-error: the event of a state has no stream
  gateway.addEventListener("state", ({ detail }) => detail.stream);
  // @ts-expect-error: a state is told, not set
  gateway.state = "closed";
  // @ts-expect-error: no code of gRPC
  Code.TEAPOT.toFixed();
}
