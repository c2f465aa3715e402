/**
 * Writes src/protocol.gen.ts: the types of the wire, from the OpenAPI document of crates/protocol. Only the shapes are
 * taken; the page has its paths in src/net/api.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const SOURCE = new URL('../../crates/protocol/openapi.json', import.meta.url);
const GENERATED = new URL('../src/protocol.gen.ts', import.meta.url);

const HEAD = '// Made by `npm run types` from crates/protocol/openapi.json. Do not edit.\n\n';

/** The text of the file as it should be. */
async function types() {
  const document = JSON.parse(await readFile(SOURCE, 'utf8'));
  const shapes = { openapi: document.openapi, info: document.info, paths: {}, components: document.components };
  // A key with a default may be left out by whoever sends it.
  return HEAD + astToString(await openapiTS(shapes, { defaultNonNullable: false }));
}

/** Whether the file is what it should be. */
export async function fresh() {
  return (await readFile(GENERATED, 'utf8')) === (await types());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(GENERATED, await types());
