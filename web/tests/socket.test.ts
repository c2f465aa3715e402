import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Ending } from '../src/net/backoff';
import { type Link, LiveSocket } from '../src/net/socket';

/** A connection whose server is the test. */
class Wire {
  static all: Wire[] = [];
  static readonly OPEN = 1;
  readyState = 1;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: string[] = [];

  constructor(readonly url: string) {
    Wire.all.push(this);
  }

  send(text: string) {
    this.sent.push(text);
  }

  close() {
    this.readyState = 3;
  }

  greet() {
    const you = { member_id: 'm', name: 'Ana', role: 'guest' };
    const hello = { type: 'hello', protocol: 1, you, server_time: 0, heartbeat_ms: 15_000 };
    this.onmessage?.({ data: JSON.stringify(hello) });
  }

  hear(type: string) {
    this.onmessage?.({ data: JSON.stringify({ type }) });
  }

  end(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

let links: Link[] = [];
let found: Ending | null = null;

/** Opens one and returns what became of the link, with the connections in `Wire.all`. */
function open(): LiveSocket {
  return new LiveSocket({
    url: () => 'ws://parlor/live',
    frame: () => undefined,
    link: (link) => links.push(link),
    probe: () => Promise.resolve(found),
  });
}

const states = () => links.map((link) => (link.state === 'ended' ? link.why : link.state));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', Wire);
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('removeEventListener', () => undefined);
  const nothing = () => undefined;
  vi.stubGlobal('document', { addEventListener: nothing, removeEventListener: nothing });
  Wire.all = [];
  links = [];
  found = null;
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a session that a sign-in in another tab replaced is tried again, and goes on', async () => {
  open();
  Wire.all[0]?.greet();
  await vi.advanceTimersByTimeAsync(5000);
  Wire.all[0]?.end(4401);
  // Within the second in which the page does not say that it is away.
  await vi.advanceTimersByTimeAsync(900);
  expect(Wire.all).toHaveLength(2);
  Wire.all[1]?.greet();
  expect(states()).toEqual(['connecting', 'open', 'away', 'connecting', 'open']);
});

test('a session that is gone is tried once more and then given up', async () => {
  open();
  Wire.all[0]?.greet();
  await vi.advanceTimersByTimeAsync(5000);
  Wire.all[0]?.end(4401);
  await vi.advanceTimersByTimeAsync(900);
  // A browser hides the status of a refused upgrade; the question over HTTP tells.
  found = 'session';
  Wire.all[1]?.end(1006);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Wire.all).toHaveLength(2);
  expect(states().at(-1)).toBe('session');
});

test('a server that greets and refuses at once is not asked for ever', async () => {
  open();
  Wire.all[0]?.greet();
  Wire.all[0]?.end(4401);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Wire.all).toHaveLength(1);
  expect(states().at(-1)).toBe('session');
});

test('what ends for good is not tried again', async () => {
  for (const [code, why] of [
    [4403, 'removed'],
    [4404, 'gone'],
    [4410, 'closed'],
  ] as const) {
    Wire.all = [];
    open();
    Wire.all[0]?.greet();
    await vi.advanceTimersByTimeAsync(5000);
    Wire.all[0]?.end(code);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Wire.all).toHaveLength(1);
    expect(states().at(-1)).toBe(why);
  }
});

test('a connection that nobody greets is given up in time, and tried again', async () => {
  open();
  await vi.advanceTimersByTimeAsync(7900);
  expect(states()).toEqual(['connecting']);
  await vi.advanceTimersByTimeAsync(1000);
  expect(states()).toEqual(['connecting', 'away', 'connecting']);
  expect(Wire.all[0]?.readyState).toBe(3);
  // What the first one says now is nobody's.
  Wire.all[0]?.greet();
  expect(states().at(-1)).toBe('connecting');
});

test('whoever does not want to wait for a try begins a new one', () => {
  const socket = open();
  socket.retry();
  expect(Wire.all.map((wire) => wire.readyState)).toEqual([3, 1]);
  Wire.all[1]?.greet();
  socket.retry();
  expect(Wire.all).toHaveLength(2);
});

test('a touch that nothing answers shows within seconds that the connection is dead', async () => {
  const socket = open();
  Wire.all[0]?.greet();
  socket.send('one', { type: 'play' });
  await vi.advanceTimersByTimeAsync(3000);
  // Another touch is no answer.
  socket.send('two', { type: 'pause' });
  await vi.advanceTimersByTimeAsync(4900);
  expect(states()).toEqual(['connecting', 'open']);
  await vi.advanceTimersByTimeAsync(200);
  expect(states()[2]).toBe('away');
});

test('a touch that is answered is not doubted', async () => {
  const socket = open();
  Wire.all[0]?.greet();
  socket.send('one', { type: 'play' });
  await vi.advanceTimersByTimeAsync(3900);
  Wire.all[0]?.hear('ack');
  await vi.advanceTimersByTimeAsync(14_900);
  expect(Wire.all[0]?.sent).toHaveLength(1);
  // Then the heartbeat asks, and any answer will do.
  await vi.advanceTimersByTimeAsync(200);
  expect(Wire.all[0]?.sent).toHaveLength(2);
  Wire.all[0]?.hear('pong');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(states()).toEqual(['connecting', 'open']);
});

test('where the browser says that the network is away, the connection is asked at once', async () => {
  const heard = new Map<string, () => void>();
  vi.stubGlobal('addEventListener', (name: string, then: () => void) => heard.set(name, then));
  open();
  Wire.all[0]?.greet();
  heard.get('offline')?.();
  await vi.advanceTimersByTimeAsync(4100);
  expect(states()[2]).toBe('away');
});
