// GraphiQL on the page's own path: queries and mutations by POST, subscriptions by server-sent
// events, which (unlike a browser's WebSocket) carry the headers that are typed into the page.
import 'graphiql/style.css';
import './page.css';

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-sse';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';

const url = window.location.pathname;
const fetchOnce = createGraphiQLFetcher({ url });

function kindOf({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation;
  } catch {
    return undefined; // no document: the gateway says what is wrong with it
  }
}

// The editor's own idea of the document lags behind what is typed, so the text is read anew.
function fetcher(request, options) {
  if (kindOf(request) !== 'subscription') return fetchOnce(request, options);
  return createClient({ url, headers: options?.headers }).iterate(request);
}

createRoot(window.document.getElementById('graphiql')).render(createElement(GraphiQL, { fetcher }));
