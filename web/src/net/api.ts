import type { DeviceView, JoinWaiting, Me, Problem, RoomCard, RoomView, SettingsPatch } from '../protocol';

/** An answer that is no success. `code` is one of the stable words, or `unreachable` where there was no answer. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly status: number,
    /** How long the server asks to wait, where it does. */
    readonly retryMs: number | null = null,
  ) {
    super(detail);
  }
}

/** Calls that change something carry the header that the server wants of them. */
const JSON_BODY = { 'Content-Type': 'application/json', 'Parlor-Client': 'web' };

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store' };
  if (method !== 'GET') init.headers = JSON_BODY;
  if (body !== undefined) init.body = JSON.stringify(body);
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Failure('unreachable', 'Parlor cannot be reached. Check the connection and try again.', 0);
  }
  if (!answer.ok) throw await failure(answer);
  return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
}

async function failure(answer: Response): Promise<Failure> {
  const seconds = Number(answer.headers.get('Retry-After'));
  const retryMs = seconds > 0 ? seconds * 1000 : null;
  try {
    const problem = (await answer.json()) as Partial<Problem>;
    return new Failure(
      problem.code ?? 'internal',
      problem.detail ?? answer.statusText,
      answer.status,
      retryMs,
    );
  } catch {
    return new Failure('internal', `The server answered ${answer.status}.`, answer.status, retryMs);
  }
}

const roomPath = (code: string) => `/api/rooms/${encodeURIComponent(code)}`;

/** A member gets the whole room, everyone else its card. */
export function isRoom(answer: RoomView | RoomCard): answer is RoomView {
  return 'settings' in answer;
}

export const api = {
  me: () => call<Me>('GET', '/api/me'),
  rename: (name: string) => call<Me>('PATCH', '/api/me', { name }),
  forget: () => call<void>('DELETE', '/api/me'),
  disconnect: () => call<void>('POST', '/auth/disconnect', {}),

  room: (code: string) => call<RoomView | RoomCard>('GET', roomPath(code)),
  open: (name: string) => call<RoomView>('POST', '/api/rooms', { name }),
  join: (code: string, name?: string) =>
    call<RoomView | JoinWaiting>('POST', `${roomPath(code)}/join`, name === undefined ? {} : { name }),
  leave: (code: string) => call<void>('POST', `${roomPath(code)}/leave`, {}),
  close: (code: string) => call<void>('DELETE', roomPath(code)),
  change: (code: string, patch: { name?: string; settings?: SettingsPatch }) =>
    call<RoomView>('PATCH', roomPath(code), patch),
  devices: (code: string) => call<{ items: DeviceView[] }>('GET', `${roomPath(code)}/devices`),

  /** Where the QR code of the join link is. */
  qr: (code: string) => `${roomPath(code)}/qr.svg`,
  /** Where Spotify is asked for its consent; the browser goes there and comes back to `path`. */
  login: (path: string) => `/auth/login?return_to=${encodeURIComponent(path)}`,
};
