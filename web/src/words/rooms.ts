import type { Me } from '../protocol';

/** How long a room's name may be. */
const NAME_MAX = 32;

/** What a new room is called at first: after its host, and told apart from the rooms that they have. */
export function roomName({ name, rooms }: Pick<Me, 'name' | 'rooms'>, now: Date): string {
  const day = new Intl.DateTimeFormat('en', { weekday: 'long' }).format(now);
  const names = [...(name ? [`${name}’s room`, `${name}’s ${day} room`] : []), 'A new room'];
  const free = names.find((one) => one.length <= NAME_MAX && !rooms.some((room) => room.name === one));
  return free ?? `A room on ${day}`;
}
