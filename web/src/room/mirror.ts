import type { RoomView, ServerFrame } from '../protocol';

/**
 * The room after a frame. Applied in the order received, the frames give exactly the room of the last
 * version. A section that is absent from an update stays; one that is null becomes null. Pure: the frame
 * and the room given are left as they are.
 */
export function fold(room: RoomView | null, frame: ServerFrame): RoomView | null {
  switch (frame.type) {
    case 'snapshot':
      return { ...frame.room, version: frame.version };
    case 'update': {
      if (room === null) return null;
      const { type: _, ...sections } = frame;
      // The document lets every section be null; but for the vote, none ever is.
      return { ...room, ...(sections as Partial<RoomView>) };
    }
    case 'hello':
    case 'ack':
    case 'refused':
    case 'notice':
    case 'pong':
    case 'bye':
      return room;
    default:
      // A frame of a later protocol: what is not understood changes nothing.
      return room;
  }
}

/** The newer of two copies: an answer over HTTP may be older than what the live connection has brought. */
export function newer(held: RoomView | null, came: RoomView): RoomView {
  return held !== null && held.code === came.code && held.version > came.version ? held : came;
}
