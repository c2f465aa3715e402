import type { PlaybackView, Role, SettingsView } from '../protocol';

/** What a member is offered. The server decides; this only spares touches that it would refuse. */
export interface May {
  pause: boolean;
  seek: boolean;
  volume: boolean;
  /** Skip at once, go back, admit, remove, ban. */
  moderate: boolean;
  /** Roles, devices, settings. */
  host: boolean;
}

/** What a role may do under the room's settings. */
export function may(role: Role, settings: SettingsView): May {
  const host = role === 'host';
  const moderate = host || role === 'moderator';
  return {
    // The contract gives play and pause to the host, and to everyone else by this one setting.
    pause: host || settings.guests_can_pause,
    seek: moderate || settings.guests_can_seek,
    volume: moderate || settings.guests_can_set_volume,
    moderate,
    host,
  };
}

/** What Spotify itself forbids now: such controls are shown, and disabled. */
export function forbidden(
  playback: PlaybackView,
  act: 'pausing' | 'resuming' | 'seeking' | 'skipping_next' | 'skipping_prev',
): boolean {
  return playback.disallows?.includes(act) ?? false;
}
