//! Things as the Web API writes them. `extended` adds what apps in development mode no longer get.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::account::User;
use crate::world::apps::PlaylistKeys;
use crate::world::catalogue::{Catalogue, SHOW};
use crate::world::ids::{Kind, Named};
use crate::world::library::{Line, Playlist};
use crate::world::player::{Device, Item, LOCAL_URI};
use crate::world::tokens::iso;

const MARKETS: [&str; 8] = ["AT", "CH", "DE", "FR", "GB", "NL", "SE", "US"];

/// How answers are written for one call.
pub(super) struct View {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) base: String,
    pub(super) extended: bool,
    pub(super) playlist_keys: PlaylistKeys,
}

impl View {
    fn images(&self, id: &str) -> Value {
        let image = |size: u32| json!({ "url": format!("{}/image/{id}-{size}", self.base), "height": size, "width": size });
        json!([image(640), image(300), image(64)])
    }

    /// The keys that everything with an identifier has.
    fn named(&self, kind: Kind, index: usize) -> Value {
        let id = self.catalogue.id(kind, index);
        let word = kind.word();
        json!({
            "external_urls": { "spotify": format!("https://open.spotify.com/{word}/{id}") },
            "href": format!("{}/v1/{word}s/{id}", self.base),
            "type": word,
            "uri": format!("spotify:{word}:{id}"),
            "id": id,
        })
    }

    pub(super) fn user(&self, user: User) -> Value {
        json!({
            "display_name": user.display_name(),
            "external_urls": { "spotify": format!("https://open.spotify.com/user/{user}") },
            "href": format!("{}/v1/users/{user}", self.base),
            "id": user.to_string(),
            "type": "user",
            "uri": format!("spotify:user:{user}"),
        })
    }

    /// The id under which a user's picture is drawn.
    pub(super) fn portrait(&self, user: User) -> String {
        Named { kind: Kind::Artist, owner: user.key(), number: 0 }.id(self.catalogue.seed)
    }

    pub(super) fn artist_short(&self, index: usize) -> Value {
        let mut body = self.named(Kind::Artist, index);
        body["name"] = self.catalogue.artists[index].name.into();
        body
    }

    pub(super) fn artist(&self, index: usize) -> Value {
        let artist = &self.catalogue.artists[index];
        let mut body = self.artist_short(index);
        body["images"] = self.images(&self.catalogue.id(Kind::Artist, index));
        body["genres"] = json!([artist.genre]);
        if self.extended {
            body["followers"] = json!({ "href": null, "total": artist.followers });
            body["popularity"] = artist.popularity.into();
        }
        body
    }

    /// An album without its tracks.
    pub(super) fn album_short(&self, index: usize) -> Value {
        let album = &self.catalogue.albums[index];
        let mut body = self.named(Kind::Album, index);
        body["name"] = album.name.clone().into();
        body["album_type"] = album.album_type.into();
        body["artists"] = json!([self.artist_short(album.artist)]);
        body["images"] = self.images(&self.catalogue.id(Kind::Album, index));
        body["release_date"] = album.release_date.clone().into();
        body["release_date_precision"] = if album.release_date.len() == 4 { "year" } else { "day" }.into();
        body["total_tracks"] = album.tracks.len().into();
        if self.extended {
            body["available_markets"] = json!(MARKETS);
        }
        body
    }

    /// A track without its album.
    pub(super) fn track_short(&self, index: usize) -> Value {
        let track = &self.catalogue.tracks[index];
        let mut body = self.named(Kind::Track, index);
        body["name"] = track.name.clone().into();
        body["artists"] = track.artists.iter().map(|artist| self.artist_short(*artist)).collect();
        body["disc_number"] = 1.into();
        body["track_number"] = track.number.into();
        body["duration_ms"] = track.duration_ms.into();
        body["explicit"] = track.explicit.into();
        body["is_local"] = false.into();
        body["is_playable"] = track.playable.into();
        body["preview_url"] = Value::Null;
        if !track.playable {
            body["restrictions"] = json!({ "reason": "market" });
        }
        if self.extended {
            body["available_markets"] = if track.playable { json!(MARKETS) } else { json!([]) };
        }
        body
    }

    pub(super) fn track(&self, index: usize) -> Value {
        let track = &self.catalogue.tracks[index];
        let mut body = self.track_short(index);
        body["album"] = self.album_short(track.album);
        body["external_ids"] = json!({ "isrc": track.isrc });
        if self.extended {
            body["popularity"] = track.popularity.into();
        }
        body
    }

    /// A track that was asked for by the identifier of that number. That it is another one than the track's is told to
    /// old apps alone.
    pub(super) fn track_asked_as(&self, index: usize, former: Option<usize>) -> Value {
        let mut body = self.track(index);
        if let Some(former) = former.filter(|_| self.extended) {
            body["linked_from"] = self.named(Kind::Track, former);
        }
        body
    }

    pub(super) fn show_short(&self) -> Value {
        let about = "Half an hour about how people listen together.";
        let mut body = self.named(Kind::Show, 0);
        body["name"] = SHOW.into();
        body["copyrights"] = json!([]);
        body["description"] = about.into();
        body["html_description"] = format!("<p>{about}</p>").into();
        body["explicit"] = false.into();
        body["images"] = self.images(&self.catalogue.id(Kind::Show, 0));
        body["is_externally_hosted"] = false.into();
        body["languages"] = json!(["en"]);
        body["media_type"] = "audio".into();
        body["total_episodes"] = self.catalogue.episodes.len().into();
        if self.extended {
            body["available_markets"] = json!(MARKETS);
            body["publisher"] = "Mezzanine Talk".into();
        }
        body
    }

    pub(super) fn episode_short(&self, index: usize) -> Value {
        let episode = &self.catalogue.episodes[index];
        let about = format!("{}. A conversation.", episode.name);
        let mut body = self.named(Kind::Episode, index);
        body["name"] = episode.name.into();
        body["audio_preview_url"] = Value::Null;
        body["html_description"] = format!("<p>{about}</p>").into();
        body["description"] = about.into();
        body["duration_ms"] = episode.duration_ms.into();
        body["explicit"] = false.into();
        body["images"] = self.images(&self.catalogue.id(Kind::Episode, index));
        body["is_externally_hosted"] = false.into();
        body["is_playable"] = true.into();
        body["language"] = "en".into();
        body["languages"] = json!(["en"]);
        body["release_date"] = episode.release_date.into();
        body["release_date_precision"] = "day".into();
        body["resume_point"] = json!({ "fully_played": false, "resume_position_ms": 0 });
        body
    }

    pub(super) fn episode(&self, index: usize) -> Value {
        let mut body = self.episode_short(index);
        body["show"] = self.show_short();
        body
    }

    /// A file on the host's machine: hardly anything is known of it.
    fn local(duration_ms: u64) -> Value {
        let artist = json!({ "external_urls": {}, "href": null, "id": null, "name": "The Garage Tapes",
            "type": "artist", "uri": null });
        json!({
            "album": { "album_type": null, "artists": [], "available_markets": [], "external_urls": {},
                "href": null, "id": null, "images": [], "name": "Demos", "release_date": null,
                "release_date_precision": null, "total_tracks": 0, "type": "album", "uri": null },
            "artists": [artist], "available_markets": [], "disc_number": 0, "duration_ms": duration_ms,
            "explicit": false, "external_ids": {}, "external_urls": {}, "href": null, "id": null,
            "is_local": true, "name": "Basement Take 2", "popularity": 0, "preview_url": null,
            "track_number": 0, "type": "track", "uri": LOCAL_URI,
        })
    }

    /// Whatever can play; null for what has no shape.
    pub(super) fn item(&self, item: Item) -> Value {
        match item {
            Item::Track(index) => self.track(index),
            Item::Episode(index) => self.episode(index),
            Item::Local => Self::local(item.duration_ms(&self.catalogue)),
            Item::Ad | Item::Unknown => Value::Null,
        }
    }

    pub(super) fn device(device: &Device, is_active: bool) -> Value {
        json!({
            "id": device.id, "is_active": is_active, "is_private_session": false,
            "is_restricted": device.is_restricted, "name": device.name, "type": device.kind,
            "volume_percent": device.volume_percent, "supports_volume": device.supports_volume,
        })
    }

    /// What plays as a whole; null for bare URIs.
    pub(super) fn context(&self, uri: Option<&str>) -> Value {
        let Some(uri) = uri else { return Value::Null };
        let mut parts = uri.rsplit(':');
        let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (kind, href, link) = if last == "collection" {
            ("collection", format!("{}/v1/me/tracks", self.base), "collection".to_owned())
        } else {
            (before, format!("{}/v1/{before}s/{last}", self.base), format!("{before}/{last}"))
        };
        json!({ "type": kind, "href": href, "uri": uri,
            "external_urls": { "spotify": format!("https://open.spotify.com/{link}") } })
    }

    /// A playlist without its items, only how many.
    pub(super) fn playlist_short(&self, list: &Playlist, owner: User) -> Value {
        let id = list.named.id(self.catalogue.seed);
        let items =
            json!({ "href": format!("{}/v1/playlists/{id}/items", self.base), "total": list.lines.len() });
        let mut body = json!({
            "collaborative": list.collaborative,
            "description": list.description,
            "external_urls": { "spotify": format!("https://open.spotify.com/playlist/{id}") },
            "href": format!("{}/v1/playlists/{id}", self.base),
            "images": match list.has_image {
                None => Value::Null,
                Some(false) => json!([]),
                Some(true) => self.images(&id),
            },
            "name": list.name,
            "owner": self.user(owner),
            "public": list.public,
            "snapshot_id": snapshot_id(self.catalogue.seed, list),
            "type": "playlist",
            "uri": list.named.uri(self.catalogue.seed),
            "id": id,
        });
        self.put_items(&mut body, items);
        body
    }

    /// What a playlist holds, under the new name, the old one, or both.
    pub(super) fn put_items(&self, playlist: &mut Value, items: Value) {
        self.playlist_keys.put(playlist, ["items", "tracks"], items);
    }

    /// One line of a playlist.
    pub(super) fn line(&self, line: &Line, owner: User) -> Value {
        let item = match line.item {
            Some(Item::Track(index)) => self.track_asked_as(index, line.former),
            item => item.map_or(Value::Null, |item| self.item(item)),
        };
        let mut added_by = self.user(owner);
        if let Some(added_by) = added_by.as_object_mut() {
            added_by.remove("display_name");
        }
        let mut body = json!({
            "added_at": iso(line.added_at, false),
            "added_by": added_by,
            "is_local": line.item == Some(Item::Local),
        });
        self.playlist_keys.put(&mut body, ["item", "track"], item);
        body
    }
}

impl PlaylistKeys {
    fn put(self, body: &mut Value, [new, old]: [&str; 2], value: Value) {
        if self != Self::Tracks {
            body[new] = value.clone();
        }
        if self != Self::Items {
            body[old] = value;
        }
    }
}

/// Changes with every write.
pub(super) fn snapshot_id(seed: u64, list: &Playlist) -> String {
    use base64::Engine;
    let id = list.named.id(seed);
    base64::engine::general_purpose::STANDARD.encode(format!("{},{}", list.revision, &id[..16]))
}
