//! What Spotify was seen to play, and what that means for the room.

use kernel::Timestamp;

use crate::ballot::BallotState;
use crate::playback::Before;
use crate::record::Key;
use crate::{
    Act, Ballot, DRIFT_MS, Device, Disallows, ECHO_MS, Notice, Order, OrderState, PAST_END_MS, PlaybackState,
    Reason, Refusal, Room, Section, Track,
};

/// One answer of Spotify's player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The instant that it speaks of: the middle between question and answer.
    pub at: Timestamp,
    /// What it says; `None`: nothing is active.
    pub player: Option<PlayerSeen>,
    /// Where nothing is active: whether the account has devices that could play.
    pub has_devices: bool,
}

/// The player, as seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerSeen {
    /// The device.
    pub device: Option<Device>,
    /// Whether it sounds.
    pub is_playing: bool,
    /// The position in milliseconds, where Spotify tells it.
    pub progress_ms: Option<u64>,
    /// Whether Spotify's `timestamp`, the instant of the last change, is that at which the item was at its start.
    pub from_start: bool,
    /// The item.
    pub item: Seen,
    /// What Spotify forbids.
    pub disallows: Disallows,
}

/// The item, as seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A track, or an episode told as one.
    Track(Box<Track>),
    /// An advert, or something that Spotify does not name.
    Private,
    /// Nothing.
    Nothing,
}

/// What a look was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The same item as before.
    Same,
    /// Another item, or the same one from its start: a new epoch.
    Changed,
    /// An echo of the state before the last change or command: look again.
    Echo,
}

impl Room {
    /// Takes in what was seen.
    pub fn observe(&mut self, now: Timestamp, seen: Observation) -> Sight {
        let Some(player) = seen.player else {
            let state = if seen.has_devices { PlaybackState::Idle } else { PlaybackState::NoDevice };
            return self.show_silence(seen.at, state, None);
        };
        match player.item {
            Seen::Nothing => self.show_silence(seen.at, PlaybackState::Idle, player.device),
            Seen::Private if !player.is_playing => {
                self.show_silence(seen.at, PlaybackState::Idle, player.device)
            }
            Seen::Private => self.show_private(seen.at, player.device, player.disallows),
            Seen::Track(track) => {
                // The position past the end says nothing (reference, section 9.4).
                let end = track.duration_ms;
                let progress = player.progress_ms.filter(|progress| *progress <= end + PAST_END_MS);
                let progress = progress.map(|progress| progress.min(end));
                let player = PlayerSeen { item: Seen::Nothing, progress_ms: progress, ..player };
                self.show_track(now, seen.at, *track, player)
            }
        }
    }

    fn show_track(&mut self, now: Timestamp, at: Timestamp, track: Track, player: PlayerSeen) -> Sight {
        if self.is_echo(at, &track, &player) {
            return Sight::Echo;
        }
        if self.begins_anew(at, &track, &player) {
            let progress = player.progress_ms.unwrap_or(0);
            self.next_epoch(at, Some(track));
            self.playback.progress_ms = progress;
            self.playback.as_of = at;
            self.playback.is_playing = player.is_playing;
            self.set_around(at, player.device, player.disallows);
            self.playback.state = self.well();
            self.playback.retry_at = None;
            self.playback_changed();
            self.count_votes(now);
            return Sight::Changed;
        }
        let before = self.playback.clone();
        self.set_around(at, player.device, player.disallows);
        let expected = self.playback.position(at);
        let progress = player.progress_ms.unwrap_or(expected);
        let stepped = expected.abs_diff(progress) >= DRIFT_MS;
        if stepped || self.playback.is_playing != player.is_playing {
            self.playback.progress_ms = progress;
            self.playback.as_of = at;
            self.playback.is_playing = player.is_playing;
        }
        self.playback.track = Some(track);
        self.playback.state = self.well();
        self.playback.retry_at = None;
        if self.ballot.is_none() && self.playback.votable() {
            self.ballot = Some(Ballot::new(self.playback.epoch, 1));
            self.ballot_changed();
        }
        if self.playback != before {
            self.playback_changed();
        }
        Sight::Same
    }

    const fn well(&self) -> PlaybackState {
        if self.playback.lacks_premium { PlaybackState::PremiumRequired } else { PlaybackState::Ok }
    }

    fn set_around(&mut self, at: Timestamp, device: Option<Device>, disallows: Disallows) {
        let within_echo = at < self.playback.echo_until;
        self.playback.device = match (device, self.playback.device.take()) {
            // Right after the room set the volume, an answer may still tell the old one.
            (Some(seen), Some(known)) if within_echo && seen.id == known.id => {
                Some(Device { volume_percent: known.volume_percent, ..seen })
            }
            (seen, _) => seen,
        };
        self.playback.disallows = disallows;
    }

    /// Whether the answer still shows the state before the last change, or before the room's last command.
    fn is_echo(&self, at: Timestamp, track: &Track, player: &PlayerSeen) -> bool {
        let playback = &self.playback;
        if let Some(Before { uri, progress_ms }) = &playback.before
            && at.since(playback.epoch_at) < ECHO_MS
            && *uri == track.uri
            && playback.track.as_ref().is_some_and(|shown| shown.uri != track.uri)
        {
            let Some(progress) = player.progress_ms else { return true };
            // The old item about where it was left, or as much earlier as an answer can be stale: a step back in
            // earnest begins at its start.
            let started_since = progress <= at.since(playback.epoch_at) + DRIFT_MS;
            let reach = if started_since { DRIFT_MS } else { ECHO_MS + DRIFT_MS };
            return progress + reach >= *progress_ms && *progress_ms > DRIFT_MS;
        }
        let same = playback.track.as_ref().is_some_and(|shown| shown.uri == track.uri);
        if !same || playback.leaving || at >= playback.echo_until {
            return false;
        }
        let moved =
            player.progress_ms.is_some_and(|seen| seen.abs_diff(playback.position(at)) > 2 * DRIFT_MS);
        player.is_playing != playback.is_playing || moved
    }

    /// Whether a new playback has begun: another item, or the same one from its start.
    fn begins_anew(&self, at: Timestamp, track: &Track, player: &PlayerSeen) -> bool {
        let playback = &self.playback;
        let Some(shown) = &playback.track else { return true };
        if shown.uri != track.uri {
            return true;
        }
        let Some(progress) = player.progress_ms else { return false };
        let expected = playback.position_unbounded(at);
        let fell_back = expected.saturating_sub(progress);
        if playback.leaving {
            // The skip was carried out: on the same item, a position that fell back to where it can have come since
            // then is its new start, and one that fell back less is an echo.
            let skipped_at = playback.echo_until.minus_ms(ECHO_MS);
            return fell_back > DRIFT_MS && progress < at.since(skipped_at) + 2 * DRIFT_MS;
        }
        if player.from_start && fell_back > 2 * DRIFT_MS {
            return true;
        }
        let over = expected + 2 * DRIFT_MS >= shown.duration_ms;
        over && fell_back + 3 * DRIFT_MS >= shown.duration_ms && shown.duration_ms > 6 * DRIFT_MS
    }

    fn show_silence(&mut self, at: Timestamp, state: PlaybackState, device: Option<Device>) -> Sight {
        let had_item = self.playback.track.is_some();
        let before = self.playback.clone();
        if had_item {
            self.next_epoch(at, None);
        }
        self.playback.state =
            if self.playback.lacks_premium { PlaybackState::PremiumRequired } else { state };
        self.playback.retry_at = None;
        self.playback.device = device;
        self.playback.disallows = Disallows::default();
        self.playback.is_playing = false;
        self.playback.progress_ms = 0;
        if self.playback != before {
            self.playback_changed();
        }
        if had_item { Sight::Changed } else { Sight::Same }
    }

    fn show_private(&mut self, at: Timestamp, device: Option<Device>, disallows: Disallows) -> Sight {
        // Trouble hides the state, and not that something sounds.
        let was_private = self.playback.track.is_none()
            && match self.playback.state {
                PlaybackState::Private => true,
                PlaybackState::SpotifyBusy | PlaybackState::SpotifyUnavailable => self.playback.is_playing,
                PlaybackState::Ok
                | PlaybackState::Idle
                | PlaybackState::NoDevice
                | PlaybackState::NeedsHost
                | PlaybackState::PremiumRequired => false,
            };
        let before = self.playback.clone();
        if !was_private {
            self.next_epoch(at, None);
            self.playback.as_of = at;
            self.playback.progress_ms = 0;
        }
        self.playback.state = PlaybackState::Private;
        self.playback.retry_at = None;
        self.playback.is_playing = true;
        self.set_around(at, device, disallows);
        if self.playback != before {
            self.playback_changed();
        }
        if was_private { Sight::Same } else { Sight::Changed }
    }

    /// The item has changed: the votes on the last one end, and with them what was to be done about it.
    pub(crate) fn next_epoch(&mut self, at: Timestamp, track: Option<Track>) {
        let ended = self.playback.epoch;
        let over = self.playback.ends_at().is_some_and(|end| end <= at.plus_ms(DRIFT_MS));
        let orders: Vec<Order> = self
            .orders
            .iter()
            .filter(|order| order.act.leaves_item() && order.epoch == ended)
            .cloned()
            .collect();
        for order in orders {
            // Asked, and the item is gone: what could not be heard has been seen. At its end it went by itself.
            if matches!(order.progress, OrderState::Unknown { .. } | OrderState::Sent { .. }) && !over {
                self.notice_skipped(&order);
            }
            self.drop_order(order.id);
        }
        let playback = &mut self.playback;
        playback.before = playback
            .track
            .as_ref()
            .map(|track| Before { uri: track.uri.clone(), progress_ms: playback.position(at) });
        playback.track = track;
        playback.epoch += 1;
        playback.epoch_at = at;
        playback.as_of = at;
        playback.echo_until = Timestamp::default();
        playback.leaving = false;
        self.ballot = self.playback.track.as_ref().map(|_| Ballot::new(self.playback.epoch, 1));
        self.changed.insert(Key::Ballot);
        self.sections.insert(Section::Skip);
    }

    /// Whether what plays is about to end (within `ms` milliseconds), so that a skip would hit the next item.
    pub fn ends_within(&self, now: Timestamp, ms: u64) -> bool {
        self.playback.ends_at().is_some_and(|end| end <= now.plus_ms(ms))
    }

    /// Whether the room waits to see what a skip of its own has led to.
    pub fn awaits_change(&self) -> bool {
        self.playback.leaving
            || self.orders.iter().any(|order| matches!(order.progress, OrderState::Unknown { .. }))
            || matches!(self.ballot.as_ref().map(|ballot| ballot.state), Some(BallotState::Unknown { .. }))
    }

    /// The skip was carried out, but nothing else has come to play for a long while: the vote may be taken again.
    pub fn stop_awaiting_change(&mut self) {
        if self.playback.leaving {
            self.playback.leaving = false;
            self.changed.insert(Key::Playback);
            let carried = self.ballot.as_ref().is_some_and(|ballot| ballot.state == BallotState::Confirmed);
            if carried {
                let refusal =
                    Refusal::new(Reason::SpotifyUnavailable, "Spotify took the skip, and plays on.");
                let action = Act::Skip.word().to_owned();
                self.notices.push(Notice::ActionFailed { refusal, action, member: None });
                self.reopen_ballot();
            }
        }
    }

    /// The order that is next, whatever its state.
    pub fn next_order(&self) -> Option<&Order> {
        self.orders.front()
    }
}
