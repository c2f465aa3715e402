import { describe, expect, test } from 'vitest';
import type { ServerFrame } from '../src/protocol';
import { fold, newer } from '../src/room/mirror';
import { room } from './room';

describe('the mirror', () => {
  test('a snapshot replaces the whole room, whatever was held', () => {
    const other = room({ name: 'Monday' });
    expect(fold(room(), { type: 'snapshot', version: 9, room: other })).toEqual({ ...other, version: 9 });
    expect(fold(null, { type: 'snapshot', version: 9, room: other })).toEqual({ ...other, version: 9 });
  });

  test('a section that is absent stays', () => {
    const after = fold(room(), { type: 'update', version: 8, name: 'Saturday' });
    expect(after).toEqual(room({ version: 8, name: 'Saturday' }));
  });

  test('a section that is null becomes null', () => {
    expect(fold(room(), { type: 'update', version: 8, skip: null })?.skip).toBeNull();
  });

  test('a section replaces the whole of the one held', () => {
    const members = { online: 1, total: 1, list: [], waiting: [] };
    expect(fold(room(), { type: 'update', version: 8, members })?.members).toEqual(members);
  });

  test('an update before any snapshot has nothing to change', () => {
    expect(fold(null, { type: 'update', version: 8, name: 'Saturday' })).toBeNull();
  });

  test('frames that carry no state leave the room as it is, those of a later protocol too', () => {
    const held = room();
    const frames: ServerFrame[] = [
      { type: 'ack', id: 'a', version: 12 },
      { type: 'pong', id: 'a', server_time: 5 },
      { type: 'notice', kind: 'reaction', member_id: 'ben', emoji: '🔥' },
      { type: 'bye', code: 1001, message: '', retry_ms: 500 },
      { type: 'surprise', version: 99 } as unknown as ServerFrame,
    ];
    for (const frame of frames) expect(fold(held, frame)).toBe(held);
  });

  test('an answer over HTTP does not bring back what the live connection has already replaced', () => {
    const held = room({ version: 9 });
    expect(newer(held, room({ version: 8 }))).toBe(held);
    expect(newer(held, room({ version: 10 })).version).toBe(10);
    expect(newer(held, room({ version: 1, code: 'ANTHER' })).code).toBe('ANTHER');
  });
});
