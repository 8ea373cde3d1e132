// Runs operations over one WebSocket with the client of graphql-ws; prints what each gave.
// Arguments: the URL, then each operation as JSON, `{"query": …, "take": n}`: `take` leaves after n.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, ...operations] = process.argv.slice(2);
const client = createClient({ url, webSocketImpl: WebSocket, lazy: false, retryAttempts: 0 });

async function told(operation) {
  const { take = Infinity, ...request } = JSON.parse(operation);
  const results = [];
  try {
    for await (const result of client.iterate(request)) {
      results.push(result);
      if (results.length === take) return { results, end: 'left' };
    }
  } catch (error) {
    // Errors of a request come as a list, the end of a socket as a close event.
    return { results, end: Array.isArray(error) ? error : { closed: error.code } };
  }
  return { results, end: 'complete' };
}

const all = await Promise.all(operations.map(told));
await client.dispose();
console.log(JSON.stringify(all));
