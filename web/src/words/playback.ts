import type { PlaybackState } from '../protocol';

/** What a state of the music means, and the one thing to do about it. */
export interface Condition {
  title: string;
  text: string;
  act: 'open_spotify' | 'play' | 'reconnect' | 'premium' | 'resume_room' | null;
}

const OPEN = 'Open Spotify on the device that should play.';

/** Whether the state ends by itself, with nothing for anyone to do. */
export function passes(state: PlaybackState): boolean {
  return state === 'spotify_busy' || state === 'spotify_unavailable';
}

/** Words for every state that is not `ok`; null where all is well. */
export function condition(state: PlaybackState, host: string, isHost: boolean): Condition | null {
  switch (state) {
    case 'ok':
      return null;
    case 'idle':
      return isHost
        ? {
            title: 'Nothing is playing',
            text: 'Start something in Spotify, or press play here.',
            act: 'play',
          }
        : { title: 'Nothing is playing', text: `${host} has not put a record on yet.`, act: null };
    case 'no_device':
      return isHost
        ? { title: 'No device to play on', text: OPEN, act: 'open_spotify' }
        : {
            title: 'No device to play on',
            text: `${host} has to open Spotify on the device that should play.`,
            act: null,
          };
    case 'needs_host':
      return isHost
        ? {
            title: 'Spotify is not connected',
            text: 'Connect your account again, and the room plays on.',
            act: 'reconnect',
          }
        : {
            title: 'The music waits for the host',
            text: `${host} is asked to connect Spotify again.`,
            act: null,
          };
    case 'premium_required':
      return isHost
        ? {
            title: 'Spotify Premium is needed',
            text: 'Spotify takes commands from Premium accounts alone.',
            act: 'premium',
          }
        : {
            title: 'Spotify Premium is needed',
            text: `Spotify takes no commands for ${host}’s account without it.`,
            act: null,
          };
    case 'spotify_busy':
      return {
        title: 'Spotify asks for a pause',
        text: 'The music may play on; this page follows again shortly.',
        act: null,
      };
    case 'spotify_unavailable':
      return {
        title: 'Spotify does not answer',
        text: 'The music may play on; Parlor keeps asking.',
        act: null,
      };
    case 'private':
      return {
        title: 'Spotify keeps this one to itself',
        text: 'An advert, or something it does not name. The next song shows again.',
        act: null,
      };
    case 'hands_off':
      return isHost
        ? {
            title: 'You took over in Spotify',
            text: 'The room follows what you play and hands nothing over.',
            act: 'resume_room',
          }
        : {
            title: `${host} has taken over`,
            text: 'What plays now was chosen in Spotify itself.',
            act: null,
          };
  }
}
