"""Drives the simulator with spotipy, a client that its authors never heard of, and judges every answer.

Usage: drive.py BASE_URL OPENAPI_YAML
"""

import html
import re
import sys
from urllib.parse import urlsplit

import requests
import spotipy
from description import Description
from spotipy.cache_handler import MemoryCacheHandler

BASE, OPENAPI = sys.argv[1:3]
CLIENT = "0123456789abcdef0123456789abcdef"
REDIRECT = "http://127.0.0.1:9/callback"
SCOPES = (
    "user-read-playback-state user-read-currently-playing user-modify-playback-state user-read-recently-played "
    "user-library-read user-library-modify playlist-read-private playlist-modify-private playlist-modify-public "
    "user-read-private user-read-email user-read-playback-position"
)
DESCRIPTION = Description(OPENAPI)


def control(path, body):
    answer = requests.post(f"{BASE}/_sim/{path}", json=body, timeout=10)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def judged(answer, *_, **__):
    path = urlsplit(answer.url).path
    if path.startswith("/v1"):
        DESCRIPTION.check(answer.request.method, path.removeprefix("/v1"), answer)


def agree(manager, user):
    """Agrees on the consent page, as a browser would; returns the code."""
    manager.OAUTH_AUTHORIZE_URL = BASE + "/authorize"
    manager.OAUTH_TOKEN_URL = BASE + "/api/token"
    page = requests.get(manager.get_authorize_url(state="a state"), timeout=10)
    assert page.status_code == 200, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    form = {name: html.unescape(value) for name, value in hidden} | {"user": user, "decision": "agree"}
    answer = requests.post(BASE + "/authorize", data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    state, code = manager.parse_auth_response_url(answer.headers["location"])
    assert state == "a state", state
    return code


def sign_in_with_secret():
    manager = spotipy.SpotifyOAuth(
        CLIENT, "secret-" + CLIENT, REDIRECT, scope=SCOPES, cache_handler=MemoryCacheHandler(), open_browser=False
    )
    manager.get_access_token(agree(manager, "free-1"), as_dict=False, check_cache=False)
    tokens = manager.cache_handler.get_cached_token()
    assert tokens["expires_in"] == 3600 and set(tokens["scope"].split()) == set(SCOPES.split()), tokens
    refreshed = manager.refresh_access_token(tokens["refresh_token"])
    assert refreshed["access_token"] != tokens["access_token"]
    assert refreshed["refresh_token"] == tokens["refresh_token"], "none came back, so the old one stays"
    return manager


def sign_in_with_pkce():
    manager = spotipy.SpotifyPKCE(
        CLIENT, REDIRECT, scope=SCOPES, cache_handler=MemoryCacheHandler(), open_browser=False
    )
    manager.get_access_token(agree(manager, "host-1"), check_cache=False)
    before = manager.cache_handler.get_cached_token()
    manager.refresh_access_token(before["refresh_token"])
    assert manager.get_access_token() != before["access_token"]
    return manager


def client(manager):
    session = requests.Session()
    session.hooks["response"].append(judged)
    spotify = spotipy.Spotify(auth_manager=manager, requests_session=session, requests_timeout=10)
    spotify.prefix = BASE + "/v1/"
    return spotify


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except spotipy.SpotifyException as error:
        assert error.http_status == status, error
        return error.reason
    raise AssertionError(f"{call.__name__} went through")


def pages(spotify, page):
    while page:
        yield from page["items"]
        page = spotify.next(page)


def read(spotify):
    me = spotify.me()
    assert (me["id"], me["product"]) == ("host-1", "premium"), me
    saved = [line["track"]["uri"] for line in pages(spotify, spotify.current_user_saved_tracks(limit=50))]
    assert len(set(saved)) == 391, len(saved)
    assert spotify.current_user_saved_tracks_contains(saved[:2]) == [True, True]
    spotify.current_user_saved_tracks_delete(saved[:1])
    assert spotify.current_user_saved_tracks_contains(saved[:2]) == [False, True]
    spotify.current_user_saved_tracks_add(saved[:1])
    lists = list(pages(spotify, spotify.current_user_playlists(limit=50)))
    assert len(lists) == 60, len(lists)
    foreign = [one for one in lists if one["owner"]["id"] != "host-1"]
    for one in [*lists[:5], *foreign]:
        whole = spotify.playlist(one["id"])
        if one not in foreign:
            lines = list(pages(spotify, spotify.playlist_items(one["id"], limit=50)))
            assert len(lines) == whole["items"]["total"], one["name"]
        else:
            assert "items" not in whole, one["name"]
            refused(403, spotify.playlist_items, one["id"], limit=50)
    found = spotify.search("love", limit=12, type="track,album,artist,playlist")
    assert len(found["tracks"]["items"]) == 12
    track = next(track for track in found["tracks"]["items"] if track["is_playable"])
    assert spotify.track(track["id"])["uri"] == track["uri"]
    album = spotify.album(track["album"]["id"])
    assert track["uri"] in [one["uri"] for one in pages(spotify, album["tracks"])]
    assert spotify.album_tracks(album["id"], limit=1)["total"] == album["total_tracks"]
    artist = spotify.artist(track["artists"][0]["id"])
    assert album["id"] in [one["id"] for one in pages(spotify, spotify.artist_albums(artist["id"], limit=10))]
    refused(400, spotify.search, "love", limit=51)
    refused(400, spotify.track, "short")


def write_playlist(spotify, uris):
    made = spotify.current_user_playlist_create("Evening", public=False)
    spotify.playlist_add_items(made["id"], uris)
    spotify.playlist_reorder_items(made["id"], range_start=0, insert_before=len(uris))
    spotify.playlist_change_details(made["id"], name="Late evening")
    spotify.playlist_remove_all_occurrences_of_items(made["id"], uris[1:2])
    now = spotify.playlist(made["id"])
    assert now["name"] == "Late evening"
    assert [line["item"]["uri"] for line in now["items"]["items"]] == [*uris[2:], uris[0]]


def drive(spotify):
    kitchen, phone = spotify.devices()["devices"]
    before = spotify.current_playback()
    assert before["is_playing"] and before["device"]["name"] == kitchen["name"] == "Kitchen"
    found = spotify.search("the", limit=5, type="track")["tracks"]["items"]
    first, second = [track["uri"] for track in found if track["is_playable"]][:2]

    spotify.add_to_queue(first)
    assert spotify.queue()["queue"][0]["uri"] == first
    spotify.next_track()
    assert spotify.current_playback()["item"]["uri"] == first
    spotify.previous_track()
    assert spotify.current_playback()["item"]["uri"] == before["item"]["uri"]

    spotify.pause_playback()
    assert not spotify.current_playback()["is_playing"]
    assert refused(403, spotify.pause_playback) == "UNKNOWN"
    spotify.start_playback()
    assert spotify.current_playback()["is_playing"]

    spotify.start_playback(uris=[first, second], offset={"uri": second})
    assert spotify.current_playback()["item"]["uri"] == second
    spotify.start_playback(context_uri=before["context"]["uri"], offset={"position": 2}, position_ms=40_000)
    now = spotify.currently_playing()
    assert now["item"]["track_number"] == 3 and now["progress_ms"] >= 40_000, now
    spotify.seek_track(90_000)
    assert spotify.current_playback()["progress_ms"] >= 90_000
    spotify.volume(25)
    spotify.shuffle(True)
    spotify.repeat("context")
    now = spotify.current_playback()
    assert (now["device"]["volume_percent"], now["shuffle_state"], now["repeat_state"]) == (25, True, "context")

    spotify.transfer_playback(phone["id"], force_play=True)
    assert spotify.current_playback()["device"]["name"] == "Phone"
    assert refused(403, spotify.volume, 10) == "VOLUME_CONTROL_DISALLOW"
    refused(404, spotify.pause_playback, device_id="nobody")

    control("clock", {"advance_ms": 600_000})
    heard = spotify.current_user_recently_played(limit=1)
    assert heard["items"] and spotify.next(heard)["items"], "two tracks and more end in ten minutes"


def meet_the_unusual(spotify):
    """What a client meets now and then, and what only some apps get."""
    for kind, shown in [("ad", "ad"), ("unknown", "unknown"), ("episode", "episode"), ("local", "track")]:
        control("users/host-1", {"playing": {"kind": kind}})
        now = spotify.current_playback(additional_types="track,episode")
        assert now["currently_playing_type"] == shown and (now["item"] is None) == (kind in ("ad", "unknown")), now
    control("users/host-1", {"playing": None})
    assert spotify.currently_playing() is None
    control("users/host-1", {"devices": []})
    assert spotify.current_playback() is None
    assert refused(404, spotify.next_track) == "NO_ACTIVE_DEVICE"

    app = f"apps/{CLIENT}"
    control(app, {"command_status": 200})
    control("users/host-1", {"devices": [{"id": "d", "name": "Desk", "type": "Computer", "is_active": True}]})
    spotify.start_playback(context_uri=spotify.search("love", type="album")["albums"]["items"][0]["uri"])
    assert spotify.current_playback()["is_playing"]

    control(app, {"mode": "development", "daily_quota": {"artist-albums": 0}})
    assert "product" not in spotify.me()
    now = spotify.current_playback()["item"]
    spotify.album(now["album"]["id"])
    spotify.search("love", limit=10, type="track,album,artist")
    refused(400, spotify.search, "love", limit=11)
    assert refused(429, spotify.artist_albums, now["artists"][0]["id"], limit=10) == "QUOTA_EXCEEDED"
    control("users/host-1", {"revoked": True})
    refused(401, spotify.me)


def main():
    free = client(sign_in_with_secret())
    assert free.me()["product"] == "free"
    assert refused(403, free.next_track) == "PREMIUM_REQUIRED"
    spotify = client(sign_in_with_pkce())
    read(spotify)
    found = spotify.search("a", limit=3, type="track")["tracks"]["items"]
    write_playlist(spotify, [track["uri"] for track in found])
    drive(spotify)
    meet_the_unusual(spotify)
    for name in DESCRIPTION.unused():
        DESCRIPTION.errors.append(f"the exception {name} is not needed: take it out")
    counts = dict.fromkeys(DESCRIPTION.errors, 0)
    for error in DESCRIPTION.errors:
        counts[error] += 1
    for error, count in counts.items():
        print(f"{count:4} x {error}")
    assert not counts, "answers differ from the description"
    print(f"{sum(DESCRIPTION.answers.values())} answers of {len(DESCRIPTION.answers)} kinds hold")


main()
