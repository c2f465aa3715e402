// Writes a .br sibling for every text asset, and holds the first visit to its budget.
//
//   node scripts/compress.mjs dist

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

/** 60 kB are promised for the first visit of a room; 8 kB are left for headers, the API and the first frames. */
const BUDGET = 52_000;
const TEXT = /\.(html|js|css|svg|json|webmanifest)$/;

const dist = process.argv[2] ?? 'dist';
const sizes = new Map();

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !TEXT.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const plain = readFileSync(path);
  const packed = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  writeFileSync(`${path}.br`, packed);
  sizes.set(path, packed.length);
}

// What the page names in its head is what a first visit loads: vite lists the static imports there.
const page = readFileSync(join(dist, 'index.html'), 'utf8');
const first = ['index.html', ...[...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((m) => m[1])];
const total = first.reduce((sum, name) => sum + (sizes.get(join(dist, name)) ?? 0), 0);

for (const [path, size] of sizes) console.log(`${String(size).padStart(7)} B  ${path}`);
console.log(`${String(total).padStart(7)} B  first visit, of ${BUDGET} B`);
if (total > BUDGET) {
  console.error('The first visit is over its budget: load something later, or leave it out.');
  process.exit(1);
}
