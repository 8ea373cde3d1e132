// Runs operations with the client of graphql-sse; prints what each gave.
// Arguments: the URL, then each operation as JSON, `{"query": …, "take": n}`: `take` leaves after n.
import { createClient } from 'graphql-sse';

const [url, ...operations] = process.argv.slice(2);
const client = createClient({ url, retryAttempts: 0 });
const told = [];
for (const operation of operations) {
  const { take = Infinity, ...request } = JSON.parse(operation);
  const results = [];
  let end = 'complete';
  try {
    const stream = client.iterate(request);
    for await (const result of stream) {
      results.push(result);
      if (results.length === take) {
        end = 'left';
        break;
      }
    }
  } catch (error) {
    end = error.response ? `HTTP ${error.response.status}` : `${error}`;
  }
  told.push({ results, end });
}
client.dispose();
console.log(JSON.stringify(told));
