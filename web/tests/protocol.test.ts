import { expect, test } from 'vitest';
import { fresh } from '../scripts/types.mjs';

test('the types are those of the OpenAPI document; if not: npm run types', async () => {
  expect(await fresh()).toBe(true);
}, 60_000);
