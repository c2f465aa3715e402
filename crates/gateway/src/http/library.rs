//! The host's own lists at Spotify: saved tracks and playlists.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, StatusCode, Uri, header};
use kernel::AccountId;
use protocol::{List, Playlist, SavedTrack};
use spotify_api::model::{self, Page};

use super::access::Connected;
use super::problem::{Problem, track_view};
use super::query::Query;
use super::rooms::json;
use crate::Parts;
use crate::spotify::SpotifyFailure;

/// The most that Spotify gives at once.
const PAGE: u32 = 50;

/// The saved tracks of the host: all of them as one list, sent while it is fetched, or one page.
#[utoipa::path(get, path = "/api/me/tracks", tag = "me",
    params(("limit" = Option<u32>, Query, description = "1 to 50: one page only."), ("offset" = Option<u64>, Query,)),
    responses(
    (status = 200, description = "Saved tracks.", body = List<SavedTrack>),
    (status = 403, description = "`spotify_required`.", body = protocol::Problem),
    (status = 503, description = "Spotify does not answer, or asks to wait.", body = protocol::Problem),
))]
pub(super) async fn tracks(
    State(parts): State<Parts>,
    host: Connected,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = Query::of(&uri);
    let limit = query.number("limit", 1..=u64::from(PAGE))?;
    let offset = query.number("offset", 0..=10_000_000)?;
    let size = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(PAGE);
    let first = parts.spotify.me_tracks(&host.account, size, offset.unwrap_or(0)).await?;
    if limit.is_some() || offset.is_some() {
        let items = first.items.into_iter().map(saved_track).collect();
        return Ok(json(StatusCode::OK, &List { items, total: first.total }));
    }
    Ok(stream_all(first, move |offset| {
        let (parts, account) = (parts.clone(), host.account.clone());
        async move { saved_page(&parts, &account, offset).await }
    }))
}

async fn saved_page(
    parts: &Parts,
    account: &AccountId,
    offset: u64,
) -> Result<Page<model::SavedTrack>, SpotifyFailure> {
    parts.spotify.me_tracks(account, PAGE, offset).await
}

/// A list that begins with that page, each further one fetched when the one before has been sent. Never more than one
/// page is held. Where Spotify fails on the way the connection breaks, so that nobody takes a part for the whole.
fn stream_all<F, Fut>(first: Page<model::SavedTrack>, fetch: F) -> Response
where
    F: Fn(u64) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page<model::SavedTrack>, SpotifyFailure>> + Send + 'static,
{
    enum Stage {
        Have(Page<model::SavedTrack>, bool),
        Fetch(u64),
        Over,
    }
    let total = first.total;
    let chunks = stream::try_unfold((Stage::Have(first, true), fetch), move |(stage, fetch)| async move {
        let (page, begins) = match stage {
            Stage::Have(page, begins) => (page, begins),
            Stage::Fetch(offset) => (fetch(offset).await.map_err(cut_off)?, false),
            Stage::Over => return Ok(None),
        };
        let next = page.next_offset;
        let mut text = Vec::with_capacity(page.items.len() * 512);
        if begins {
            text.extend_from_slice(b"{\"items\":[");
        }
        for (place, item) in page.items.into_iter().enumerate() {
            if place > 0 || !begins {
                text.push(b',');
            }
            serde_json::to_writer(&mut text, &saved_track(item)).map_err(std::io::Error::other)?;
        }
        if next.is_none() {
            text.extend_from_slice(b"],\"total\":");
            serde_json::to_writer(&mut text, &total).map_err(std::io::Error::other)?;
            text.push(b'}');
        }
        let stage = next.map_or(Stage::Over, Stage::Fetch);
        Ok::<_, std::io::Error>(Some((Bytes::from(text), (stage, fetch))))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn cut_off(failure: SpotifyFailure) -> std::io::Error {
    tracing::warn!(?failure, "library.tracks ended early");
    std::io::Error::other("Spotify failed before the end of the list")
}

/// The playlists of the host, all of them.
#[utoipa::path(get, path = "/api/me/playlists", tag = "me", responses(
    (status = 200, description = "Playlists.", body = List<Playlist>),
    (status = 403, description = "`spotify_required`.", body = protocol::Problem),
    (status = 503, description = "Spotify does not answer, or asks to wait.", body = protocol::Problem),
))]
pub(super) async fn playlists(State(parts): State<Parts>, host: Connected) -> Result<Response, Problem> {
    let mut items = Vec::new();
    let mut offset = Some(0);
    while let Some(from) = offset {
        let page = parts.spotify.me_playlists(&host.account, PAGE, from).await?;
        offset = page.next_offset;
        items.extend(page.items.into_iter().map(|playlist| playlist_view(playlist, &host.grant.profile)));
    }
    let total = Some(items.len() as u64);
    Ok(json(StatusCode::OK, &List { items, total }))
}

/// Spotify shows a playlist's tracks to its owner and those who add to it, to nobody else.
fn playlist_view(playlist: model::Playlist, profile: &auth::Profile) -> Playlist {
    let own = playlist.owner_id.as_ref() == Some(&profile.spotify_id);
    Playlist {
        uri: playlist.uri,
        name: playlist.name,
        owner: playlist.owner_name.or(playlist.owner_id),
        image_url: playlist.image_url,
        tracks: playlist.tracks,
        playable: own || playlist.collaborative,
    }
}

fn saved_track(saved: model::SavedTrack) -> SavedTrack {
    SavedTrack { added_at: saved.added_at.as_deref().and_then(instant), track: track_view(saved.track) }
}

/// Spotify's instants, `2026-03-01T20:15:00Z`, in milliseconds since the Unix epoch.
fn instant(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':');
    let (hour, minute) = (time.next()?.parse::<i64>().ok()?, time.next()?.parse::<i64>().ok()?);
    let second = time.next()?.parse::<f64>().ok()?;
    let fits = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0.0..61.0).contains(&second);
    // Days since the epoch (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    fits.then(|| ((days * 24 + hour) * 60 + minute) * 60_000 + (second * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, ms: Option<i64>) {
        assert_eq!(instant(text), ms, "{text}");
    }

    #[test]
    fn spotifys_instants_are_read() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2000-02-29T12:30:15Z", Some(951_827_415_000));
        check("2026-03-01T20:15:00.250Z", Some(1_772_396_100_250));
        check("2026-13-01T20:15:00Z", None);
        check("2026-03-01", None);
        check("yesterday", None);
        check("", None);
    }
}
