//! What members want of the player, written down as orders.

use kernel::{MemberId, Timestamp};

use crate::record::Key;
use crate::{
    Act, ORDERS_MAX, Order, OrderId, OrderState, PREMIUM_AGAIN_MS, PlaybackState, Reason, Refusal, Room,
};

impl Room {
    pub(crate) fn at_epoch(&self, epoch: u64) -> Result<(), Refusal> {
        if self.playback.track.is_none() && epoch == self.playback.epoch {
            return Err(self.silence(self.as_of));
        }
        if epoch == self.playback.epoch { Ok(()) } else { Err(Refusal::stale_epoch()) }
    }

    /// Writes an order down, unless it is plain that Spotify would not carry it out.
    pub(crate) fn place(&mut self, now: Timestamp, by: &MemberId, act: Act) -> Result<(), Refusal> {
        let starts = matches!(act, Act::Transfer { .. } | Act::PlayNow { .. });
        match self.playback.state {
            PlaybackState::NeedsHost | PlaybackState::SpotifyBusy | PlaybackState::SpotifyUnavailable => {
                return Err(self.silence(now));
            }
            PlaybackState::NoDevice if !starts => return Err(self.silence(now)),
            // Whether it has Premium by now is found out by trying, now and then.
            PlaybackState::PremiumRequired
                if now.since(self.playback.premium_refused_at) < PREMIUM_AGAIN_MS =>
            {
                return Err(self.silence(now));
            }
            PlaybackState::Private if act.leaves_item() || matches!(act, Act::Seek { .. }) => {
                return Err(Refusal::new(
                    Reason::Restricted,
                    "Spotify does not allow that while this plays.",
                ));
            }
            PlaybackState::Ok
            | PlaybackState::Idle
            | PlaybackState::NoDevice
            | PlaybackState::Private
            | PlaybackState::PremiumRequired => {}
        }
        let nothing = self.playback.track.is_none() && self.playback.state != PlaybackState::Private;
        if nothing && matches!(act, Act::Skip | Act::Previous | Act::Seek { .. } | Act::Pause) {
            return Err(Refusal::new(Reason::NothingPlaying, "Nothing plays."));
        }
        let forbids = self.playback.disallows;
        let device = self.playback.device.as_ref();
        let forbidden = match act {
            Act::Skip => forbids.skipping_next,
            Act::Previous => forbids.skipping_prev,
            Act::Seek { .. } => forbids.seeking,
            Act::SetVolume { .. } => device.is_some_and(|device| !device.supports_volume),
            Act::SkipByVote { .. } | Act::Play | Act::Pause | Act::Transfer { .. } | Act::PlayNow { .. } => {
                false
            }
        };
        if forbidden {
            return Err(Refusal::new(Reason::Restricted, "What plays, or the device, does not allow that."));
        }
        if self.orders.len() >= ORDERS_MAX {
            return Err(
                Refusal::new(Reason::TooFast, "Too much is asked of Spotify at once.").retry_after(2_000)
            );
        }
        // Two people who press skip for the same song mean that song, once.
        if act == Act::Skip {
            self.withdraw_claim();
            if self.is_being_left() {
                return Ok(());
            }
        }
        self.push_order(now, act, Some(by.clone()));
        Ok(())
    }

    /// Why nothing can be done about what plays.
    pub(crate) fn silence(&self, now: Timestamp) -> Refusal {
        match self.playback.state {
            PlaybackState::NeedsHost => {
                Refusal::new(Reason::NeedsHost, "The host must connect Spotify again.")
            }
            PlaybackState::PremiumRequired => {
                Refusal::new(Reason::PremiumRequired, "Spotify takes this from Premium accounts alone.")
            }
            PlaybackState::NoDevice => {
                Refusal::new(Reason::NoDevice, "Open Spotify on the device that should play.")
            }
            PlaybackState::SpotifyBusy => {
                let wait = self.playback.retry_at.map_or(5_000, |at| at.since(now));
                Refusal::new(Reason::SpotifyBusy, "Spotify asks to wait.").retry_after(wait)
            }
            PlaybackState::SpotifyUnavailable => {
                Refusal::new(Reason::SpotifyUnavailable, "Spotify does not answer.").retry_after(5_000)
            }
            PlaybackState::Ok | PlaybackState::Idle | PlaybackState::Private => {
                Refusal::new(Reason::NothingPlaying, "Nothing plays.")
            }
        }
    }

    /// Whether the item that plays is being left already: it was skipped and the next was not seen yet, or an order to
    /// leave it stands. A second skip would hit an item that nobody meant.
    pub(crate) fn is_being_left(&self) -> bool {
        let epoch = self.playback.epoch;
        self.playback.leaving
            || self.orders.iter().any(|order| order.epoch == epoch && order.act.leaves_item())
    }

    pub(crate) fn push_order(&mut self, now: Timestamp, act: Act, by: Option<MemberId>) -> OrderId {
        let id = OrderId(self.next_order);
        self.next_order += 1;
        self.orders.push_back(Order {
            id,
            act,
            by,
            epoch: self.playback.epoch,
            placed_at: now,
            progress: OrderState::Waiting { not_before: now },
        });
        self.changed.insert(Key::Orders);
        id
    }
}
