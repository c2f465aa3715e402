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

/** How long a connection may take to be greeted. */
const CONNECT_MS = 8000;
/** How long a ping of ours may stay unanswered before the connection counts as dead. */
const ANSWER_MS = 8000;
/** How soon something is heard where somebody waits for it, before we ask, and how soon the answer to that. */
const HURRY_MS = 4000;
const DEFAULT_HEARTBEAT_MS = 15_000;

/** One live connection that comes back by itself, until it is told that there is nothing to come back to. */
export class LiveSocket {
  #wiring: Wiring;
  #socket: WebSocket | null = null;
  #bye: Bye | null = null;
  #failures = 0;
  #heartbeat_ms = DEFAULT_HEARTBEAT_MS;
  /** When the connection there is was greeted. */
  #greeted_at: number | null = null;
  /** Whether what was sent waits to be answered by anything at all. */
  #hurried = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
    addEventListener('online', this.#hurry);
    addEventListener('offline', this.#doubt);
    document.addEventListener('visibilitychange', this.#hurry);
    this.#connect();
  }

  /** Sends where there is a connection; says whether it did. */
  send(id: string, body: CommandBody): boolean {
    if (!this.#say(id, body)) return false;
    if (!this.#hurried) this.#listen(HURRY_MS, HURRY_MS);
    this.#hurried = true;
    return true;
  }

  /** Tries now instead of later, and anew where a try is under way. */
  retry(): void {
    if (this.#over || this.#greeted_at !== null) return;
    this.#drop();
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Ends it from this side, for good. */
  close(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    removeEventListener('online', this.#hurry);
    removeEventListener('offline', this.#doubt);
    document.removeEventListener('visibilitychange', this.#hurry);
    this.#drop();
  }

  #hurry = () => {
    if (document.visibilityState !== 'visible') return;
    if (this.#socket === null) this.retry();
    // A phone that slept may hold a dead socket: ask, and do not wait for the heartbeat.
    this.#ask(ANSWER_MS);
  };

  #doubt = () => this.#ask(HURRY_MS);

  #say(id: string, body: CommandBody): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ id, ...body }));
    return true;
  }

  #connect(): void {
    this.#wiring.link({ state: 'connecting' });
    this.#bye = null;
    const socket = new WebSocket(this.#wiring.url(), 'parlor.v1');
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data !== 'string') return;
      const frame = JSON.parse(data) as ServerFrame;
      if (frame.type === 'bye') this.#bye = frame;
      if (frame.type === 'hello') {
        this.#greeted_at = Date.now();
        this.#failures = 0;
        this.#heartbeat_ms = frame.heartbeat_ms;
        this.#wiring.link({ state: 'open' });
      }
      this.#hurried = false;
      this.#listen(this.#heartbeat_ms, ANSWER_MS);
      this.#wiring.frame(frame);
    };
    socket.onclose = ({ code }) => void this.#closed(code);
    this.#silence = setTimeout(() => this.#lose(), CONNECT_MS);
  }

  async #closed(code: number): Promise<void> {
    const greeted_at = this.#greeted_at;
    this.#drop();
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

  /** A dead network delivers no close: lets go of the connection and counts it as closed now. */
  #lose(): void {
    void this.#closed(4408);
  }

  /** Hears nothing more from the connection there is, and ends it. */
  #drop(): void {
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    this.#greeted_at = null;
    this.#hurried = false;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  /** Browsers answer the server's pings unseen, so silence is broken by a ping of our own. */
  #listen(silence_ms: number, answer_ms: number): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#ask(answer_ms), silence_ms);
  }

  #ask(answer_ms: number): void {
    if (this.#greeted_at === null) return;
    this.#say(newId(), { type: 'ping' });
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lose(), answer_ms);
  }
}
