/** Where Spotify shows the thing of a URI; null for what has no page, such as a local file. */
export function pageOf(uri: string | null): string | null {
  const [, kind, id] =
    /^spotify:(track|album|artist|playlist|episode|show):([0-9A-Za-z]+)$/.exec(uri ?? '') ?? [];
  return kind === undefined ? null : `https://open.spotify.com/${kind}/${id}`;
}

/** The URI of a playlist from a link or a URI that a person pasted; null where it is none. */
export function playlistUri(text: string): string | null {
  const id = /(?:spotify:playlist:|open\.spotify\.com\/(?:intl-[a-z-]+\/)?playlist\/)([0-9A-Za-z]+)/.exec(
    text,
  )?.[1];
  return id === undefined ? null : `spotify:playlist:${id}`;
}
