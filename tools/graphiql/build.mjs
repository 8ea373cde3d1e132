// Bundles the page into files whose names hold a digest, packed with gzip, and writes down whose
// code is in them. The same lock file gives the same bytes.
// Argument: the folder to write, which is emptied first.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

const LICENSES = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);

// Packages without a licence file of their own, and the one of the same repository that has it.
const SAME_REPOSITORY = {
  '@graphiql/plugin-doc-explorer': 'graphiql',
  '@graphiql/plugin-history': 'graphiql',
  'react-compiler-runtime': 'react',
};

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

async function bundle() {
  return build({
    entryPoints: { graphiql: 'main.js' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: 'out',
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none', // all licences are in one file, which the first line names
    plugins: [withoutFonts],
  });
}

/** The packages whose code is in the bundle: folder by name, in order. */
function packages(metafile) {
  const found = new Map();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const match = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input);
      if (match && bytesInOutput > 0) found.set(match[1], match[2]);
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

async function licenseFile(folder) {
  const names = (await readdir(folder)).filter((name) => /^(licen[cs]e|copying)/i.test(name));
  return names.length ? readFile(join(folder, names.sort()[0]), 'utf8') : null;
}

async function licenseOf([folder, name]) {
  const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  if (!LICENSES.has(about.license)) throw new Error(`${name}: is ${about.license} all right?`);
  const shared = SAME_REPOSITORY[name];
  let text = await licenseFile(folder);
  if (text === null && shared) text = await licenseFile(join('node_modules', shared));
  if (text === null) {
    if (about.license !== 'MIT') throw new Error(`${name}: where is its licence?`);
    const author = about.author?.name ?? about.author;
    if (!author) throw new Error(`${name}: who holds the copyright?`);
    // The terms are the same for all; the copyright line is the author's as the package has it.
    text = `Copyright (c) ${author}\n\n${mitTerms(await licenseFile('node_modules/react'))}`;
  }
  return `${name} ${about.version} (${about.license})\n\n${text.replaceAll('\r\n', '\n').trim()}\n`;
}

function mitTerms(text) {
  return text.slice(text.indexOf('Permission is hereby granted'));
}

function digest(data) {
  return createHash('sha256').update(data).digest('hex').slice(0, 10);
}

function packed(data) {
  const bytes = gzipSync(data, { level: 9 });
  bytes[9] = 255; // not the system it was made on
  return bytes;
}

const [target] = process.argv.slice(2);
const { outputFiles, metafile } = await bundle();
const licenses = (await Promise.all(packages(metafile).map(licenseOf))).join(`\n${'-'.repeat(79)}\n\n`);
const licensesName = `LICENSES-${digest(licenses)}.txt`;

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await writeFile(join(target, licensesName), licenses);
for (const { path, text } of outputFiles) {
  const kind = path.split('.').pop();
  const content = `/* GraphiQL; the licences of what is in here: ${licensesName} */\n${text}`;
  await writeFile(join(target, `graphiql-${digest(content)}.${kind}.gz`), packed(content));
}
