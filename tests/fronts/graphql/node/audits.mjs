// Runs the audits of graphql-http against the URL that is given; prints one object an audit.
import { serverAudits } from 'graphql-http';

const audits = serverAudits({ url: process.argv[2] });
const results = [];
for (const { id, name, fn } of audits) {
  const result = await fn();
  results.push({ id, name, status: result.status, reason: result.reason ?? null });
}
console.log(JSON.stringify(results));
