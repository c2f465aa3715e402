import type { CommandBody, PlaybackView, RoomView, ServerFrame } from '../protocol';
import { positionAt } from './playhead';

/** A command on its way. It keeps its id when it is sent again, so the server carries it out once. */
export interface Intent {
  id: string;
  body: CommandBody;
  /** The server's time when it was touched. */
  at: number;
  /** The version that holds its effect, once the server has stored it. */
  version: number | null;
}

/** How long the effect of a stored command is awaited from Spotify before the page shows what is. */
export const PATIENCE_MS = 6000;
/** The server remembers an id for ten minutes; long before that nobody expects the old touch to count. */
export const STALE_MS = 60_000;

/** The intents after a frame: a refusal ends one, an acknowledgement marks it as stored. */
export function answered(intents: readonly Intent[], frame: ServerFrame): Intent[] {
  if (frame.type === 'refused') return intents.filter((i) => i.id !== frame.id);
  if (frame.type === 'ack')
    return intents.map((i) => (i.id === frame.id ? { ...i, version: frame.version } : i));
  return [...intents];
}

/** Those that still have something to say beside the room as it is. */
export function unsettled(intents: readonly Intent[], room: RoomView, serverNow: number): Intent[] {
  return intents.filter((i) => {
    if (i.version === null) return serverNow - i.at < STALE_MS;
    return !(room.version >= i.version && (hasHappened(i, room) || serverNow - i.at > PATIENCE_MS));
  });
}

/** What is sent again on a new connection: what was never answered and still matters. */
export function unanswered(intents: readonly Intent[]): Intent[] {
  return intents.filter((i) => i.version === null && i.body.type !== 'react' && i.body.type !== 'ping');
}

/** Whether the room shows the effect. Votes are in the version itself; the music follows Spotify. */
function hasHappened({ body, at }: Intent, { playback }: RoomView): boolean {
  switch (body.type) {
    case 'play':
      return playback.is_playing && isLoaded(playback);
    case 'pause':
      return !playback.is_playing;
    case 'seek':
      return playback.as_of >= at;
    case 'set_volume':
      return playback.device?.volume_percent === body.percent;
    default:
      return true;
  }
}

/** Whether there is something to play or pause, named or not. */
export function isLoaded({ state, track }: PlaybackView): boolean {
  return track !== null || state === 'private';
}

/** The room as it will be when the intents carry: what the page shows, so that it answers the touch at once. */
export function withIntents(room: RoomView, me: string | null, intents: readonly Intent[]): RoomView {
  return intents.reduce((seen, intent) => withIntent(seen, me, intent), room);
}

function withIntent(room: RoomView, me: string | null, { body, at }: Intent): RoomView {
  const { playback, skip } = room;
  switch (body.type) {
    case 'vote_skip':
    case 'unvote_skip': {
      if (skip === null || me === null || skip.epoch !== body.epoch) return room;
      const others = skip.votes.filter((id) => id !== me);
      return { ...room, skip: { ...skip, votes: body.type === 'vote_skip' ? [...others, me] : others } };
    }
    case 'play':
    case 'pause': {
      const is_playing = body.type === 'play';
      if (playback.is_playing === is_playing) return room;
      return {
        ...room,
        playback: { ...playback, is_playing, progress_ms: positionAt(playback, at), as_of: at },
      };
    }
    case 'seek':
      return { ...room, playback: { ...playback, progress_ms: body.position_ms, as_of: at } };
    case 'set_volume': {
      const { device } = playback;
      if (device === null) return room;
      return { ...room, playback: { ...playback, device: { ...device, volume_percent: body.percent } } };
    }
    default:
      return room;
  }
}
