import { codeFrom } from '../room/code';

/** Where the page is. */
export type Route =
  | { page: 'landing' }
  | { page: 'me' }
  | { page: 'new' }
  | { page: 'room'; code: string }
  | { page: 'lost' };

function read(pathname: string): Route {
  if (pathname === '/') return { page: 'landing' };
  if (pathname === '/me') return { page: 'me' };
  if (pathname === '/new') return { page: 'new' };
  const segment = /^\/([^/]+)\/?$/.exec(pathname)?.[1];
  const code = segment === undefined ? null : codeFrom(decoded(segment));
  return code === null ? { page: 'lost' } : { page: 'room', code };
}

/** The path may be anything that somebody typed. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Where the page is, and whether one has gone there from another page of this site. */
export const router = $state({ route: read(location.pathname), moved: false });

/** Goes to a page of this site without loading it anew. */
export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', path);
  else history.replaceState(null, '', path);
  router.route = read(location.pathname);
  router.moved = true;
  scrollTo(0, 0);
}

/** Links of this site are followed in place; the server's own pages are left to the browser. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    router.route = read(location.pathname);
  });
  addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (
      link === null ||
      link.origin !== location.origin ||
      link.target !== '' ||
      link.hasAttribute('download')
    )
      return;
    if (/^\/(?:api|auth|assets)\//.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
