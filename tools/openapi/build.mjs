// Bundles Swagger UI. Argument: the folder to write, which is emptied first.
import { build } from 'esbuild';

import { bundle } from '../bundle.mjs';

const page = {
  name: 'swagger-ui',
  title: 'Swagger UI',
  terms: { 'Apache-2.0': 'swagger-ui' },
  options: { define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' } },
};

await bundle(build, page, process.argv[2]);
