// Uses the clients that were made for the shop. Each scene's result is printed as JSON, by its name.
import {
  GatewayError,
  graphqlClient,
  restClient,
  socketClient,
  type ClientOptions,
  type SocketOptions,
} from "./api/index.js";
import type { Product, ProductInput, SearchProductsRequest } from "./api/types/shop/catalog/v1.js";

declare const process: { argv: string[] };

const [, , url = "", ws = "", nowhere = ""] = process.argv;
const { default: WebSocket } = (await import(ws)) as { default: SocketOptions["WebSocket"] & {} };

const { catalogService, inventoryService, mediaService, orderService, chatService } = restClient(url);
const graph = graphqlClient(url);
const socket = socketClient(url, { WebSocket });

/** What is thrown, as far as a test looks at it. */
async function failure(what: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await what };
  } catch (error) {
    if (!(error instanceof GatewayError)) return { strange: String(error) };
    const { kind, status, code, httpStatus, message, reason, path, data, retryAfter } = error;
    const found = error.detail("google.rpc.ResourceInfo");
    const fields = error.detail("google.rpc.BadRequest")?.fieldViolations?.map(({ field }) => field);
    const known = error.requestId !== undefined;
    return { kind, status, code, httpStatus, message, reason, path, data, retryAfter, found, fields, known };
  }
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const price = { currencyCode: "EUR", units: "3" };

const everything: SearchProductsRequest = {
  query: "a&b=c +ü",
  pageSize: 7,
  sellerNumber: "9007199254740993",
  minReviews: 1,
  gtin: "18446744073709551615",
  minCelsius: -5,
  minSalesTrend: "-6",
  color: 255,
  pictureFingerprint: "17",
  floor: -2,
  afterRevision: "-9",
  minRating: 1.5,
  maxWeightKg: "Infinity",
  onSale: true,
  sha256Prefix: "+/8=",
  state: "PRODUCT_STATE_ACTIVE",
  tags: ["x y", "z"],
  states: ["PRODUCT_STATE_ACTIVE", "PRODUCT_STATE_DRAFT"],
  shelfNumbers: ["1", "2"],
  price: { minUnits: "1", currencyCode: "EUR" },
  createdAfter: "2020-01-01T00:00:00Z",
  maxHandlingTime: "86400s",
  readMask: "title,price.units",
  attributes: { a: { b: [1, "c", null, true] } },
  anyAttribute: ["x", { y: 2 }],
  labels: { "a.b": "c d", "e[f": "g" },
  maxVolumePrices: { "10": "5" },
  inStock: false,
  minDiscountPercent: 0,
  region: { countryCode: "DE", partOf: { countryCode: "EU" } },
  brand: "",
  giftWrap: false,
  minWarrantyMonths: 0,
  maxWeightGrams: "0",
  minPages: 3,
  serialNumber: "4",
  minDiscount: 0.5,
  maxLengthM: 2,
  barcode: "AAE=",
};

const scenes: { [name: string]: () => Promise<unknown> } = {
  get: () => catalogService.getProduct({ id: "p1" }),

  byName: async () => {
    const { title } = await catalogService.getProductByName({ name: "shelves/summer/products/p1" });
    return title;
  },

  // The server repeats the criteria: so they are the same by either way.
  search: async () => {
    const got = await catalogService.searchProducts(everything);
    const posted = await catalogService.searchProductsPost(everything);
    return { sent: everything, got: got.applied, posted: posted.applied };
  },

  life: async () => {
    const product: ProductInput = { title: "A kite", price, tags: ["toys"], labels: { a: "b" }, giftCardText: "x" };
    const { id = "" } = await catalogService.createProduct({ product });
    const patched = await catalogService.updateProduct({ product: { id, title: "A red kite" } });
    const whole: Product = await catalogService.getProduct({ id });
    const replaced = await catalogService.replaceProduct({ product: { ...whole, id, title: "B", price } });
    const renamed = await catalogService.renameProduct({ id, title: "C" });
    const tags = await catalogService.setProductTags({ id, tags: ["t"] });
    const labels = await catalogService.setProductLabels({ id, labels: { x: "y" } });
    const total = await catalogService.quoteProduct({ id, quantity: 2 });
    const gone = await catalogService.deleteProduct({ id });
    return [patched.title, patched.tags, replaced.title, renamed.title, tags, labels, total, gone];
  },

  list: async () => (await catalogService.listFeaturedProducts({ limit: 2 })).length,

  stream: async () => (await all(inventoryService.watchStock({ count: 3, interval: "0.01s" }))).map((each) => each.sequence),

  left: async () => {
    for await (const { sequence } of inventoryService.watchStock({ interval: "0.01s" })) return sequence;
    return undefined;
  },

  broken: async () => {
    const found: unknown[] = [];
    const headers = { "x-fault-after": "2" };
    try {
      for await (const each of inventoryService.watchStock({ interval: "0.01s" }, { headers })) found.push(each.sequence);
    } catch (error) {
      return [found, error instanceof GatewayError && [error.kind, error.status]];
    }
    return found;
  },

  files: async () => {
    const path = "a b/ü?#%2F/c:d.txt";
    const content = new Blob(["hello"], { type: "text/plain" });
    const stored = await mediaService.uploadMedia({ path, content });
    const streamed = await mediaService.uploadMediaStream({ path: "streamed", content: new Blob(["hi"]).stream() });
    const known = await mediaService.getMedia({ path });
    const response = await mediaService.downloadMedia({ path });
    const digest = await mediaService.digestMedia("hello");
    const print = await (await mediaService.fingerprintMedia(new TextEncoder().encode("hello"))).text();
    const converted = await (await mediaService.convertMedia(content)).text();
    return {
      path: [stored.path, known.path],
      type: response.headers.get("content-type"),
      text: await response.text(),
      sizes: [known.sizeBytes, streamed.sizeBytes, digest.sizeBytes],
      print,
      converted,
    };
  },

  // JSON has these two as they are; lines of JavaScript end with them, those of an event stream don't.
  separators: async () => {
    const said = await chatService.postMessage({ room: "support", message: { text: "a\u2028b: \u2029c" } });
    const asked = { room: "support", fromSequence: said.sequence ?? "" };
    const heard: unknown[] = [];
    for await (const { message } of chatService.watchRoom(asked)) {
      heard.push(message?.text);
      break;
    }
    for await (const { watchRoom } of graph.roomEvents(asked)) {
      heard.push(watchRoom?.message?.text);
      break;
    }
    return heard;
  },

  // In bytes, so that lines, their ends and letters are cut anywhere.
  pieces: async () => {
    const text = ': a comment\r\ndata:{"sequence":\ndata: "1"}\r\nid\n\ndata: {"sequence":"ü:\u2028"}\r\n\r\nevent: end\ndata: {}\n\n';
    const bytes = new TextEncoder().encode(text);
    const fetch: typeof globalThis.fetch = async () => {
      const body = new ReadableStream({
        start(control) {
          for (const byte of bytes) control.enqueue(new Uint8Array([byte]));
          control.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    const ticks = await all(restClient("", { fetch }).inventoryService.watchStock());
    return ticks.map((each) => each.sequence);
  },

  refused: () => failure(catalogService.getProduct({ id: "none" })),
  invalid: () => failure(catalogService.listProducts({ pageSize: 1.5 })),
  late: () => failure(catalogService.getProduct({ id: "p1" }, { headers: { "x-fault-delay": "10s" }, timeout: 100 })),
  nowhere: () => failure(restClient(nowhere).catalogService.getProduct({ id: "p1" })),
  aborted: () => failure(catalogService.getProduct({ id: "p1" }, { signal: AbortSignal.abort() })),
  cut: async () => {
    const stop = new AbortController();
    const ticks = inventoryService.watchStock({ interval: "0.01s" }, { signal: stop.signal });
    const following = (async () => {
      for await (const _ of ticks) stop.abort();
    })();
    return failure(following);
  },
  page: () => {
    const fetch: typeof globalThis.fetch = async () => new Response("<html>", { status: 502 });
    return failure(restClient("", { fetch }).catalogService.getProduct({ id: "p1" }));
  },
  foreign: () => {
    const fetch: typeof globalThis.fetch = async () => Response.json({ oops: true }, { status: 500 });
    return failure(restClient("", { fetch }).catalogService.getProduct({ id: "p1" }));
  },
  heard: async () => {
    let heard: string | null = null;
    const onHeaders = (headers: Headers) => (heard = headers.get("content-type"));
    await catalogService.getProduct({ id: "p1" }, { onHeaders });
    return heard;
  },
  overheard: () => {
    const onHeaders = () => {
      throw new RangeError("mine");
    };
    return catalogService.getProduct({ id: "p1" }, { onHeaders }).catch((error: unknown) => String(error));
  },
  bodies: async () => {
    const signals: AbortSignal[] = [];
    const mediaOf = (body: UnderlyingDefaultSource) => {
      const fetch: typeof globalThis.fetch = async (_, init) => {
        if (init?.signal) signals.push(init.signal);
        return new Response(new ReadableStream(body));
      };
      return restClient("", { fetch, timeout: 3_600_000 }).mediaService.downloadMedia({ path: "x" });
    };
    const left = await mediaOf({ pull: (control) => control.enqueue(new Uint8Array(1)) });
    await left.body?.cancel();
    const broken = await mediaOf({ pull: (control) => control.error(new Error("reset")) });
    return { broken: await failure(broken.text()), over: signals.map((each) => each.aborted) };
  },
  paths: () =>
    Promise.all(
      ["", "..", "a/b"].map((id) =>
        failure(catalogService.getProduct({ id }).then(() => "sent")),
      ).concat(
        ["p1", "shelves/x", "shelves//products/p1", "shelves/../products/p1"].map((name) => failure(catalogService.getProductByName({ name }))),
      ),
    ),

  // Nobody checks tokens here: what is sent is looked at.
  tokens: async () => {
    const sent: (string | null)[] = [];
    const given = ["old", "new", "newest"];
    const options: ClientOptions = {
      token: () => given.shift(),
      fetch: async (_url, init) => {
        const said = new Headers(init?.headers).get("authorization");
        sent.push(said);
        return said === "Bearer new"
          ? Response.json({ id: "p1" })
          : Response.json({ error: { code: 401, status: "UNAUTHENTICATED", message: "no" } }, { status: 401 });
      },
    };
    await restClient("", options).catalogService.getProduct({ id: "p1" });
    const fixed = await failure(restClient("", { ...options, token: "old" }).catalogService.getProduct({ id: "p1" }));
    return { sent, fixed };
  },

  home: () => graph.home({ userId: "u1", orders: 1, featured: 2 }),
  partly: async () => {
    const seen: (string | undefined)[] = [];
    const answer = await graph.home(
      { userId: "none" },
      { onErrors: (errors) => seen.push(...errors.map((each) => each.status)) },
    );
    return { user: answer.user, featured: answer.featured?.products.length, seen };
  },
  fieldFailed: () => failure(graph.home({ userId: "none", featured: 1 })),
  follow: async () => {
    const changes = graph.orderChanges({ id: "o1" });
    for await (const { watchOrder } of changes) return watchOrder?.status;
    return undefined;
  },

  socketUnary: async () => (await socket.catalogService.getProduct({ id: "p1" })).title,
  socketRefused: () => failure(socket.catalogService.getProduct({ id: "none" })),
  socketLate: async () => {
    await socket.catalogService.getProduct({ id: "p1" }); // there is a connection from then on
    const options = { metadata: { "x-fault-delay": "10s" }, timeout: 500 };
    return failure(socket.catalogService.getProduct({ id: "p1" }, options));
  },
  socketStream: async () => (await all(socket.inventoryService.watchStock({ count: 3, interval: "0.01s" }))).length,
  socketCollect: () =>
    socket.catalogService.importProducts(
      (function* () {
        for (const title of ["one", "two"]) yield { product: { title, price } };
      })(),
    ),
  socketCollectRefused: () =>
    failure(socket.mediaService.uploadMediaStream([{ path: "", content: {} }])),
  socketBoth: async () => {
    const chat = socket.chatService.join();
    await chat.send({ room: "lobby", userId: "tess", message: { text: "hello" } });
    chat.end();
    return (await all(chat)).map((event) => event.message?.text ?? event.joined);
  },
  socketAborted: async () => {
    const stop = new AbortController();
    const room = socket.chatService.watchRoom({ room: "lobby" }, { signal: stop.signal });
    setTimeout(() => stop.abort(), 20);
    return failure(all(room));
  },
};

/** Never called: what the compiler must refuse. */
export function refused(): void {
  // @ts-expect-error it must have an id
  void catalogService.getProduct({});
  // @ts-expect-error a name that no value has
  void catalogService.searchProducts({ state: "PRODUCT_STATE_ACTIV" });
  // @ts-expect-error two of a oneof
  void catalogService.searchProducts({ sellerId: "s", ownBrand: true });
  // @ts-expect-error a number for an int64
  void catalogService.searchProducts({ sellerNumber: 1 });
  // @ts-expect-error only the server gives it
  void catalogService.createProduct({ product: { title: "", price, createTime: "" } });
  // @ts-expect-error it must have a title
  void catalogService.createProduct({ product: { price } });
  // @ts-expect-error calls with a stream of requests have no method here
  void chatService.join;
  // @ts-expect-error there is no such field
  void orderService.listOrders({ nope: 1 });
  // @ts-expect-error a variable that must be given
  void graph.home({});
}

/** A call that nobody answers; played alone, with a clock that goes at once. */
async function unanswered(): Promise<unknown> {
  const { setTimeout } = globalThis;
  const at: number[] = [];
  globalThis.setTimeout = ((act: () => void, after: number) => {
    at.push(after);
    return setTimeout(act, 0);
  }) as typeof setTimeout;
  const fetch: typeof globalThis.fetch = (_url, init) =>
    new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
  const client = restClient("", { fetch, timeout: 1000 });
  const error = await failure(client.catalogService.getProduct({ id: "p1" }));
  globalThis.setTimeout = setTimeout;
  return { error, at };
}

const results: { [name: string]: unknown } = {};
try {
  await Promise.all(
    Object.entries(scenes).map(async ([name, play]) => {
      try {
        results[name] = await play();
      } catch (error) {
        results[name] = { broke: error instanceof Error ? error.stack : String(error) };
      }
    }),
  );
  results["unanswered"] = await unanswered();
} finally {
  socket.connection.close();
}
console.log(JSON.stringify(results));
