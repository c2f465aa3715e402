import type { CommandBody } from '../protocol';
import { type Bound, boundOf, learn, offsetOf } from '../room/offset';
import { newId } from '../room/id';

/** At once after a greeting, then seldom: the clocks of phones drift by less than a frame a minute. */
const FIRST_AT_MS = [0, 300, 900, 2000];
const AGAIN_MS = 60_000;

/** The server's clock, estimated from the live connection's round trips. */
export class ServerClock {
  /** How far the server's clock is ahead, in milliseconds. */
  offset = $state(0);
  #bounds: Bound[] = [];
  #asked = new Map<string, number>();
  #timers: ReturnType<typeof setTimeout>[] = [];
  #send: (id: string, body: CommandBody) => boolean;

  constructor(send: (id: string, body: CommandBody) => boolean) {
    this.#send = send;
  }

  now(): number {
    return Date.now() + this.offset;
  }

  /** A new connection: its greeting is a rough first reading, and pings make it a fine one. */
  greeted(server_time: number): void {
    this.stop();
    if (this.#bounds.length === 0) this.#learn({ value: server_time - Date.now(), error: 2000 });
    this.#timers = FIRST_AT_MS.map((wait) => setTimeout(() => this.#ping(), wait));
    this.#timers.push(setInterval(() => this.#ping(), AGAIN_MS));
  }

  heard(id: string, server: number): void {
    const sent = this.#asked.get(id);
    if (sent === undefined) return;
    this.#asked.delete(id);
    this.#learn(boundOf({ sent, received: Date.now(), server }));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#asked.clear();
  }

  #ping(): void {
    const id = newId();
    this.#asked.set(id, Date.now());
    if (!this.#send(id, { type: 'ping' })) this.#asked.delete(id);
  }

  #learn(bound: Bound): void {
    this.#bounds = learn(this.#bounds, bound);
    this.offset = offsetOf(this.#bounds);
  }
}
