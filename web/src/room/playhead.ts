import type { PlaybackView } from '../protocol';

/** The position in milliseconds at a server time: it runs by itself while the track plays, and ends with it. */
export function positionAt(playback: PlaybackView, serverNow: number): number {
  const run = playback.is_playing ? serverNow - playback.as_of : 0;
  const end = playback.track?.duration_ms ?? Number.POSITIVE_INFINITY;
  return Math.min(Math.max(0, playback.progress_ms + run), end);
}

/** A position as people read it: 1:23, or 1:02:03. */
export function clock(ms: number): string {
  const total = Math.floor(ms / 1000);
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** A position as it is spoken: "1 minute 23 seconds". */
export function spoken(ms: number): string {
  const total = Math.floor(ms / 1000);
  const minutes = Math.floor(total / 60);
  const seconds = total % 60;
  const parts = [];
  if (minutes > 0) parts.push(`${minutes} minute${minutes === 1 ? '' : 's'}`);
  if (seconds > 0 || minutes === 0) parts.push(`${seconds} second${seconds === 1 ? '' : 's'}`);
  return parts.join(' ');
}
