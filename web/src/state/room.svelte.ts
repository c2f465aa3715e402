import { api, Failure, isRoom } from '../net/api';
import type { Ending } from '../net/backoff';
import { type Link, LiveSocket } from '../net/socket';
import type { CommandBody, RoomView, ServerFrame, You } from '../protocol';
import { answered, type Intent, isLoaded, PATIENCE_MS, unanswered, unsettled, withIntents } from '../room/intents';
import { newId } from '../room/id';
import { may } from '../room/may';
import { fold, newer } from '../room/mirror';
import { positionAt } from '../room/playhead';
import { NOTHING_LOADED, skippedWords } from '../words/notices';
import { refusal } from '../words/refusals';
import { skipWords } from '../words/skip';
import { announce, spoken } from './announcer.svelte';
import { ServerClock } from './clock.svelte';
import { Reactions } from './reactions.svelte';
import { toast } from './toasts.svelte';

const GRACE_MS = 1000;
/** In a crowd nobody wants to read who came in. */
const CROWD = 30;
const ARRIVAL_MS = 5000;
const OUTCOME_MS = 8000;

/** A room as this browser lives in it: the mirror, the connection, and what was touched but not yet answered. */
export class RoomState {
  /** The room as the server last said it. */
  held: RoomView = $state.raw() as RoomView;
  link: Link = $state.raw({ state: 'connecting' });
  me: string | null = $state(null);
  /** Who has just come in, in words, for as long as that is news. */
  arrival: string | null = $state(null);
  /** How the last song came to be skipped, in words, for as long as that is news. */
  outcome: string | null = $state(null);
  #intents: Intent[] = $state.raw([]);
  readonly #stored = new Map<string, () => void>();
  readonly clock = new ServerClock((id, body) => this.#socket.send(id, body));
  readonly reactions = new Reactions();
  #socket: LiveSocket;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #arrived: ReturnType<typeof setTimeout> | undefined;
  #told: ReturnType<typeof setTimeout> | undefined;

  /** The room as it is shown: with what was touched already in it. */
  view = $derived(withIntents(this.held, this.me, this.#intents));
  role = $derived(
    this.me === this.held.host.member_id
      ? 'host'
      : (this.held.members.list.find((m) => m.member_id === this.me)?.role ?? 'guest'),
  );
  may = $derived(may(this.role, this.view.settings));
  /** Whether Spotify is asked to play and does not yet. */
  starting = $derived(!isLoaded(this.held.playback) && this.#intents.some(({ body }) => body.type === 'play'));
  /**
   * Whether touches are taken. A connection that is back within a second was never away: what is touched
   * meanwhile is sent when it is there.
   */
  live = $state(true);
  /** Whether the room was connected before, so that the words fit. */
  met = $state(false);
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor(room: RoomView, me: string | null) {
    this.held = room;
    this.me = me;
    this.#socket = new LiveSocket({
      url: () => liveUrl(this.held),
      frame: (frame) => this.#hear(frame),
      link: (link) => this.#linked(link),
      probe: () => probe(room.code),
    });
  }

  /**
   * Sends a command; the page shows its effect at once and takes it back where the server refuses. `stored` is called
   * when it is done for good. Says whether it was taken.
   */
  act(body: CommandBody, stored?: () => void): boolean {
    if (!this.live) return false;
    const intent: Intent = { id: newId(), body, at: this.clock.now(), version: null };
    this.#intents = [...this.#intents, intent];
    if (stored) this.#stored.set(intent.id, stored);
    this.#socket.send(intent.id, body);
    return true;
  }

  react(emoji: string): void {
    if (!this.live) return;
    this.reactions.mine(emoji);
    this.act({ type: 'react', emoji });
  }

  /** Takes a copy that came over HTTP, where it is news. */
  take(room: RoomView): void {
    this.held = newer(this.held, room);
  }

  /** The position now, in milliseconds. */
  position(): number {
    return positionAt(this.view.playback, this.clock.now());
  }

  /** The name of a member, as far as the list tells. */
  nameOf(id: string | null): string | null {
    if (id === null) return null;
    if (id === this.held.host.member_id) return this.held.host.name;
    return this.held.members.list.find((m) => m.member_id === id)?.name ?? null;
  }

  retry(): void {
    this.#socket.retry();
  }

  close(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#arrived);
    clearTimeout(this.#told);
    clearTimeout(this.#grace);
    this.clock.stop();
    spoken.list = [];
    this.#socket.close();
  }

  #linked(link: Link): void {
    this.link = link;
    if (link.state === 'open') {
      clearTimeout(this.#grace);
      this.#grace = undefined;
      this.live = true;
      this.met = true;
    } else {
      this.#grace ??= setTimeout(() => {
        this.live = false;
      }, GRACE_MS);
    }
  }

  #hear(frame: ServerFrame): void {
    const { playback, skip } = this.held;
    this.held = fold(this.held, frame) ?? this.held;
    if (frame.type === 'hello') this.#greeted(frame.you, frame.server_time);
    if (frame.type === 'pong') this.clock.heard(frame.id, frame.server_time);
    if (frame.type === 'notice') this.#noticed(frame);
    if (frame.type === 'refused') this.#refused(frame);
    this.#intents = answered(this.#intents, frame);
    if (frame.type === 'ack') this.#wait();
    if (frame.type === 'ack') this.#stored.get(frame.id)?.();
    if ('id' in frame && frame.id !== null) this.#stored.delete(frame.id);
    this.#settle();
    if (this.held.playback.epoch !== playback.epoch) this.#announceTrack();
    else if (this.held.skip !== null && skip !== null && this.held.skip.state !== skip.state)
      announce(skipWords(this.held.skip, false).title);
  }

  #greeted(you: You, server_time: number): void {
    this.me = you.member_id;
    this.clock.greeted(server_time);
    for (const { id, body } of unanswered(this.#intents)) this.#socket.send(id, body);
  }

  #refused({
    id,
    code,
    message,
    retry_ms,
  }: {
    id: string | null;
    code: string;
    message: string;
    retry_ms: number | null;
  }) {
    const intent = this.#intents.find((i) => i.id === id);
    // A vote that came too late for its song needs no words: the song is over.
    if (code === 'stale_epoch' && intent?.body.type !== 'skip') return;
    if (intent?.body.type === 'react') this.reactions.refused();
    if (intent !== undefined) toast(refusal(code, message, retry_ms, this.held.host.name));
  }

  #noticed(notice: Extract<ServerFrame, { type: 'notice' }>): void {
    if (notice.kind === 'skipped') this.#skipped(skippedWords(notice, this.me, this.nameOf(notice.member_id)));
    if (notice.kind === 'reaction') this.reactions.heard(notice.emoji, notice.member_id === this.me);
    if (notice.kind === 'joined' && notice.member_id !== this.me && this.held.members.online <= CROWD)
      this.#welcome(notice.name);
    if (notice.kind === 'votes_voided') toast('Votes may have been lost just now. Please vote again.');
    if (notice.kind === 'action_failed') {
      this.#intents = this.#intents.filter((i) => i.version === null || i.body.type !== notice.action);
      toast(refusal(notice.code, notice.message, null, this.held.host.name));
    }
  }

  /** Said where one looks for who is here, and not over what one is about to touch. */
  #welcome(name: string): void {
    this.arrival = `${name} came in`;
    announce(`${this.arrival}.`);
    clearTimeout(this.#arrived);
    this.#arrived = setTimeout(() => (this.arrival = null), ARRIVAL_MS);
  }

  /** Said where one voted. */
  #skipped(words: string): void {
    if (this.held.skip === null) return toast(words);
    this.outcome = words;
    announce(words);
    clearTimeout(this.#told);
    this.#told = setTimeout(() => (this.outcome = null), OUTCOME_MS);
  }

  #settle(): void {
    const left = unsettled(this.#intents, this.held, this.clock.now());
    if (left.length === this.#intents.length) return;
    const gaveUp = this.#intents.some((intent) => intent.body.type === 'play' && !left.includes(intent));
    if (gaveUp && !isLoaded(this.held.playback)) toast(NOTHING_LOADED);
    this.#intents = left;
  }

  /** What Spotify does not bring about in time is no longer shown as if it had. */
  #wait(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#settle(), PATIENCE_MS + 100);
  }

  #announceTrack(): void {
    const { track } = this.held.playback;
    if (track !== null)
      announce(`Now playing: ${track.name} by ${track.artists.map((a) => a.name).join(', ')}`);
  }
}

function liveUrl(room: RoomView): string {
  const url = new URL(`/api/rooms/${room.code}/live?since=${room.version}`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Why a room cannot be opened, asked over HTTP; null where only the way there is broken. */
async function probe(code: string): Promise<Ending | null> {
  try {
    return isRoom(await api.room(code)) ? null : 'removed';
  } catch (error) {
    if (!(error instanceof Failure)) return null;
    if (error.code === 'no_such_room') return 'gone';
    if (error.code === 'room_closed') return 'closed';
    return error.code === 'no_session' ? 'session' : null;
  }
}
