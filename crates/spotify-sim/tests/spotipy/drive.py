"""Drives the simulator with spotipy, a published client, and checks its answers against the OpenAPI description.

Usage: drive.py BASE_URL OPENAPI_YAML
"""

import html
import re
import sys

import requests
import spotipy
import yaml
from openapi_schema_validator import OAS30Validator
from spotipy.cache_handler import MemoryCacheHandler

BASE, OPENAPI = sys.argv[1:3]
CLIENT = "0123456789abcdef0123456789abcdef"
REDIRECT = "http://127.0.0.1:9/callback"
SCOPES = (
    "user-read-playback-state user-read-currently-playing user-modify-playback-state user-read-recently-played "
    "user-library-read playlist-read-private playlist-modify-private user-read-private"
)


def sign_in(manager):
    """Agrees on the consent page, as a browser would."""
    manager.OAUTH_AUTHORIZE_URL = BASE + "/authorize"
    manager.OAUTH_TOKEN_URL = BASE + "/api/token"
    page = requests.get(manager.get_authorize_url(), timeout=10).text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    form = {name: html.unescape(value) for name, value in hidden}
    form |= {"user": "host-1", "decision": "agree"}
    answer = requests.post(BASE + "/authorize", data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return manager.parse_response_code(answer.headers["location"])


def inlined(node, root):
    """The description without references."""
    if isinstance(node, dict):
        if "$ref" in node:
            target = root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return inlined(target, root)
        return {key: inlined(value, root) for key, value in node.items() if key != "discriminator"}
    if isinstance(node, list):
        return [inlined(entry, root) for entry in node]
    return node


def check(description, template, path, token):
    answer = requests.get(f"{BASE}/v1{path}", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200, (path, answer.text)
    response = inlined(description["paths"][template]["get"]["responses"]["200"], description)
    schema = response["content"]["application/json"]["schema"]
    errors = [
        f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in OAS30Validator(schema).iter_errors(answer.json())
    ]
    return errors


def main():
    manager = spotipy.SpotifyPKCE(CLIENT, REDIRECT, scope=SCOPES, cache_handler=MemoryCacheHandler(), open_browser=False)
    manager.get_access_token(sign_in(manager), check_cache=False)
    confidential = spotipy.SpotifyOAuth(
        CLIENT, "secret-" + CLIENT, REDIRECT, scope=SCOPES, cache_handler=MemoryCacheHandler(), open_browser=False
    )
    tokens = confidential.get_access_token(sign_in(confidential), check_cache=False)
    refreshed = confidential.refresh_access_token(tokens["refresh_token"])
    assert refreshed["access_token"] != tokens["access_token"]

    spotify = spotipy.Spotify(auth_manager=manager, retries=0)
    spotify.prefix = BASE + "/v1/"
    assert spotify.me()["id"] == "host-1"
    playing = spotify.current_playback()
    assert playing["is_playing"] and playing["device"]["name"] == "Kitchen"
    found = spotify.search("love", limit=12, type="track")["tracks"]
    assert len(found["items"]) == 12
    wanted = next(track for track in found["items"] if track["is_playable"])
    spotify.add_to_queue(wanted["uri"])
    spotify.next_track()
    assert spotify.current_playback()["item"]["uri"] == wanted["uri"]
    spotify.pause_playback()
    try:
        spotify.pause_playback()
        raise AssertionError("a second pause went through")
    except spotipy.SpotifyException as refused:
        assert refused.http_status == 403
    spotify.start_playback(context_uri=wanted["album"]["uri"])
    spotify.volume(25)
    spotify.seek_track(1000)
    assert spotify.current_user_saved_tracks(limit=1)["total"] == 391
    assert spotify.current_user_playlists(limit=1)["total"] == 60

    token = manager.get_access_token()
    with open(OPENAPI, encoding="utf-8") as file:
        description = yaml.safe_load(file)
    own = spotify.current_user_playlists(limit=1)["items"][0]["id"]
    album, artist = wanted["album"]["id"], wanted["artists"][0]["id"]
    reads = [
        ("/me", "/me"),
        ("/me/player", "/me/player"),
        ("/me/player/currently-playing", "/me/player/currently-playing"),
        ("/me/player/devices", "/me/player/devices"),
        ("/me/player/queue", "/me/player/queue"),
        ("/me/player/recently-played", "/me/player/recently-played"),
        ("/me/tracks", "/me/tracks"),
        ("/me/playlists", "/me/playlists"),
        ("/playlists/{playlist_id}", f"/playlists/{own}"),
        ("/playlists/{playlist_id}/items", f"/playlists/{own}/items"),
        ("/tracks/{id}", f"/tracks/{wanted['id']}"),
        ("/albums/{id}", f"/albums/{album}"),
        ("/albums/{id}/tracks", f"/albums/{album}/tracks"),
        ("/artists/{id}", f"/artists/{artist}"),
        ("/artists/{id}/albums", f"/artists/{artist}/albums"),
        ("/search", "/search?q=love&type=track,album,artist"),
        ("/me/library/contains", f"/me/library/contains?uris={wanted['uri']}"),
    ]
    errors = [error for template, path in reads for error in check(description, template, path, token)]
    assert not errors, "\n".join(errors)
    print(f"{len(reads)} reads hold, spotipy {spotipy.__version__ if hasattr(spotipy, '__version__') else ''}")


main()
