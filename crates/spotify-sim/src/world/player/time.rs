//! Time passing: tracks end, listens count, idle devices leave.

use kernel::Timestamp;

use super::{By, Heard, Item, Player, Playing, Repeat};
use crate::world::catalogue::Catalogue;

/// How long the listening history is.
const HEARD_KEPT: usize = 50;
/// How much of a track is a listen: Spotify counts from here on.
const LISTEN_MS: u64 = 30_000;
/// A jump of the clock longer than this many rounds of a list is shortened by whole rounds.
const ROUNDS_PLAYED: u64 = 3;

impl Player {
    /// Carries out the ends of tracks up to `now`.
    pub(crate) fn settle(&mut self, catalogue: &Catalogue, now: Timestamp) {
        self.skip_rounds(catalogue, now);
        while let Some(playing) = self.playing.as_ref().filter(|playing| playing.is_playing) {
            let left = playing.item.duration_ms(catalogue).saturating_sub(playing.position_ms);
            if now.since(playing.since) < left {
                break;
            }
            let end = playing.since.plus_ms(left);
            self.note(end, By::End, "end", Some(playing.item.uri(catalogue)));
            self.hear(end);
            if self.repeat == Repeat::Track {
                self.start_item(end);
            } else {
                self.go_on(catalogue, end);
            }
            self.changed_at = end;
        }
        self.doze(now);
    }

    /// Lets the active device fall asleep where nothing has sounded or changed for long enough.
    fn doze(&mut self, now: Timestamp) {
        let sounds = self.playing.as_ref().is_some_and(|playing| playing.is_playing);
        if sounds || self.idle_after_ms.is_none_or(|after| now.since(self.changed_at) < after) {
            return;
        }
        let Some(id) = self.active.take() else { return };
        if let Some(device) = self.devices.iter_mut().find(|device| device.id == id) {
            device.is_asleep = true;
        }
    }

    /// After a jump of months only the last rounds of a list are played through.
    fn skip_rounds(&mut self, catalogue: &Catalogue, now: Timestamp) {
        if !self.queue.is_empty() || self.repeat == Repeat::Track {
            return;
        }
        let (autoplay, repeat) = (self.autoplay, self.repeat);
        let goes_round = |playing: &Playing| playing.is_playing && playing.list.goes_round(autoplay, repeat);
        let Some(playing) = self.playing.as_mut().filter(|playing| goes_round(playing)) else { return };
        let round: u64 = playing
            .list
            .items
            .iter()
            .filter(|item| item.playable(catalogue))
            .map(|item| item.duration_ms(catalogue))
            .sum();
        let rounds = now.since(playing.since) / round.max(1);
        if !playing.from_queue && rounds > ROUNDS_PLAYED + 1 {
            playing.since = playing.since.plus_ms((rounds - ROUNDS_PLAYED) * round);
            playing.started_at = playing.since;
        }
    }

    pub(super) fn hear(&mut self, at: Timestamp) {
        let Some(playing) = &self.playing else { return };
        if let Item::Track(track) = playing.item
            && at.since(playing.started_at) >= LISTEN_MS
        {
            let context_uri = playing.list.context_uri.clone();
            self.heard.push_front(Heard { track, at, context_uri });
            self.heard.truncate(HEARD_KEPT);
        }
    }
}
