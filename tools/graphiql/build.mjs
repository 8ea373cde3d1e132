// Bundles GraphiQL. Argument: the folder to write, which is emptied first.
import { readFile } from 'node:fs/promises';

import { build } from 'esbuild';

import { bundle } from '../bundle.mjs';

// The fonts are most of the style sheet, and the browser's own do as well.
const withoutFonts = {
  name: 'without-fonts',
  setup(steps) {
    steps.onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replaceAll(/@font-face\s*\{[^}]*\}/g, ''), loader: 'css' };
    });
  },
};

const page = {
  name: 'graphiql',
  title: 'GraphiQL',
  options: { plugins: [withoutFonts] },
  sameRepository: {
    '@graphiql/plugin-doc-explorer': 'graphiql',
    '@graphiql/plugin-history': 'graphiql',
    'react-compiler-runtime': 'react',
  },
};

await bundle(build, page, process.argv[2]);
