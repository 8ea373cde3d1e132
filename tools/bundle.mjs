// Bundles a page into files whose names hold a digest, packed with gzip, and writes down whose code
// is in them. The same lock file gives the same bytes. What is particular to a page is in its own
// build.mjs, beside its lock file.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LICENSES = new Set([
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Unlicense'],
  '(MPL-2.0 OR Apache-2.0)', // taken under the second
]);

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
  const files = (await readdir(folder, { withFileTypes: true })).filter((each) => each.isFile());
  const names = files.map(({ name }) => name).filter((name) => /^(licen[cs]e|copying)/i.test(name));
  return names.length ? readFile(join(folder, names.sort()[0]), 'utf8') : null;
}

async function licenseOf([folder, name], sameRepository, terms) {
  const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  about.license ??= about.licenses?.[0].type; // as packages had it long ago
  if (!LICENSES.has(about.license)) throw new Error(`${name}: is ${about.license} all right?`);
  const shared = sameRepository[name];
  let text = await licenseFile(folder);
  if (text === null && shared) text = await licenseFile(join('node_modules', shared));
  if (text === null && terms[about.license]) {
    text = await licenseFile(join('node_modules', terms[about.license]));
  }
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

/**
 * Writes the files of a page.
 *
 * @param build esbuild's.
 * @param page `name` of its files, `title` in their first line, esbuild's `options`, and
 *   `sameRepository`: packages without a licence file of their own, and the one of the same
 *   repository that has it; `terms`: packages with the whole text of a licence, by its name.
 * @param target The folder to write, which is emptied first.
 */
export async function bundle(build, page, target) {
  const { name, title, options = {}, sameRepository = {}, terms = {} } = page;
  const { outputFiles, metafile } = await build({
    entryPoints: { [name]: 'main.js' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: 'out',
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none', // all licences are in one file, which the first line names
    ...options,
  });
  const used = packages(metafile);
  const texts = await Promise.all(used.map((each) => licenseOf(each, sameRepository, terms)));
  const licenses = texts.join(`\n${'-'.repeat(79)}\n\n`);
  const licensesName = `LICENSES-${digest(licenses)}.txt`;
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await writeFile(join(target, licensesName), licenses);
  for (const { path, text } of outputFiles) {
    const kind = path.split('.').pop();
    const content = `/* ${title}; the licences of what is in here: ${licensesName} */\n${text}`;
    await writeFile(join(target, `${name}-${digest(content)}.${kind}.gz`), packed(content));
  }
}
