import type { CommandBody, ServerFrame } from '../protocol';
import { afterClose, type Bye, type Ending } from './backoff';
import { newId } from '../room/id';

/** How the connection is. */
export type Link =
  | { state: 'connecting' }
  | { state: 'open' }
  /** Away; the next try is at `retry_at`, in this clock. */
  | { state: 'away'; retry_at: number }
  | { state: 'ended'; why: Ending };

export interface Wiring {
  /** The address, asked anew for each connection: it names the version held. */
  url: () => string;
  frame: (frame: ServerFrame) => void;
  link: (link: Link) => void;
  /**
   * Asked when a connection could not be opened, since a browser hides the status of a refused upgrade:
   * why there is nothing to come back to, or null to go on trying.
   */
  probe: () => Promise<Ending | null>;
}

/** How long a ping of ours may stay unanswered before the connection counts as dead. */
const ANSWER_MS = 8000;
const DEFAULT_HEARTBEAT_MS = 15_000;

/** One live connection that comes back by itself, until it is told that there is nothing to come back to. */
export class LiveSocket {
  #wiring: Wiring;
  #socket: WebSocket | null = null;
  #bye: Bye | null = null;
  #failures = 0;
  #heartbeat_ms = DEFAULT_HEARTBEAT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
    addEventListener('online', this.#hurry);
    document.addEventListener('visibilitychange', this.#hurry);
    this.#connect();
  }

  /** Sends where there is a connection; says whether it did. */
  send(id: string, body: CommandBody): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ id, ...body }));
    return true;
  }

  /** Tries now instead of later. */
  retry(): void {
    if (this.#over || this.#socket !== null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Ends it from this side, for good. */
  close(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    removeEventListener('online', this.#hurry);
    document.removeEventListener('visibilitychange', this.#hurry);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #hurry = () => {
    if (document.visibilityState !== 'visible') return;
    this.retry();
    // A phone that slept may hold a dead socket: ask, and do not wait for the heartbeat.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#ask();
  };

  #connect(): void {
    this.#wiring.link({ state: 'connecting' });
    this.#bye = null;
    const socket = new WebSocket(this.#wiring.url(), 'parlor.v1');
    this.#socket = socket;
    let greeted_at: number | null = null;
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket || typeof data !== 'string') return;
      const frame = JSON.parse(data) as ServerFrame;
      this.#heard();
      if (frame.type === 'bye') this.#bye = frame;
      if (frame.type === 'hello') {
        greeted_at = Date.now();
        this.#failures = 0;
        this.#heartbeat_ms = frame.heartbeat_ms;
        this.#wiring.link({ state: 'open' });
      }
      this.#wiring.frame(frame);
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) void this.#closed(code, greeted_at);
    };
    this.#heard();
  }

  async #closed(code: number, greeted_at: number | null): Promise<void> {
    this.#socket = null;
    clearTimeout(this.#silence);
    const lived_ms = greeted_at === null ? 0 : Date.now() - greeted_at;
    const verdict = afterClose(code, this.#bye, this.#failures++, Math.random(), lived_ms);
    if ('end' in verdict) return this.#end(verdict.end);
    const retry_at = Date.now() + verdict.retry_in;
    this.#wiring.link({ state: 'away', retry_at });
    this.#timer = setTimeout(() => this.retry(), verdict.retry_in);
    if (greeted_at !== null) return;
    const why = await this.#wiring.probe();
    if (why !== null && this.#socket === null && !this.#over) this.#end(why);
  }

  #end(why: Ending): void {
    this.close();
    this.#wiring.link({ state: 'ended', why });
  }

  /** Browsers answer the server's pings unseen, so silence is broken by a ping of our own. */
  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#ask(), this.#heartbeat_ms);
  }

  #ask(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.send(newId(), { type: 'ping' });
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (socket !== this.#socket) return;
      // A dead network delivers no close: let go of the socket and count it as closed now.
      socket.onclose = null;
      socket.close();
      void this.#closed(4408, Date.now());
    }, ANSWER_MS);
  }
}
