//! What the conductor reports: how orders went, and how Spotify is.

use kernel::{AccountId, Timestamp};

use crate::ballot::BallotState;
use crate::record::Key;
use crate::{
    Act, BUTTON_PATIENCE_MS, BallotState as State, ECHO_MS, Notice, ORDER_STALE_MS, Order, OrderId,
    OrderState, PlaybackState, Reason, Refusal, Room, Section, SkippedBy,
};

/// How an order went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderOutcome {
    /// Spotify said yes.
    Done,
    /// Spotify said no, or it was given up before it was sent; nothing was done.
    Refused(Refusal),
    /// Spotify said no in a way that did nothing and passes (401, 429): it may be asked again from that instant on.
    Again {
        /// Not before.
        not_before: Timestamp,
    },
    /// It was asked, and the answer was not heard.
    Unknown,
    /// It was asked long enough ago, and what plays has not changed: it did not happen.
    DidNothing,
}

/// How Spotify is, where it is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The host's authorization is gone.
    NeedsHost,
    /// Spotify asks to wait until then.
    Busy {
        /// Until when.
        until: Timestamp,
    },
    /// Spotify does not answer.
    Unavailable,
}

impl Room {
    /// Asks to send the order now. `true`: it is written down as sent with the next [`Room::take`], and may be sent
    /// once that is stored. `false`: it no longer stands (its votes have gone, its song is over, it is too old).
    pub fn order_send(&mut self, now: Timestamp, id: OrderId) -> bool {
        let Some(order) = self.orders.iter().find(|order| order.id == id).cloned() else { return false };
        if !matches!(order.progress, OrderState::Waiting { .. }) {
            return false;
        }
        if order.act.leaves_item() && (order.epoch != self.playback.epoch || self.playback.leaving) {
            self.drop_order(id);
            return false;
        }
        if let Act::SkipByVote { .. } = order.act {
            self.settle(now);
            let claimed =
                self.ballot.as_ref().is_some_and(|ballot| ballot.state == State::Claimed { order: id });
            if !claimed || !self.withdraw_claim_without_quorum() {
                self.drop_order(id);
                return false;
            }
            if let Some(ballot) = self.ballot.as_mut() {
                ballot.state = BallotState::Sent { order: id };
            }
            self.ballot_changed();
        } else if now.since(order.placed_at) > ORDER_STALE_MS {
            let refusal = Refusal::new(Reason::SpotifyUnavailable, "Spotify could not be asked in time.");
            self.give_up(&order, refusal);
            return false;
        }
        self.set_progress(id, OrderState::Sent { at: now });
        true
    }

    /// Takes down how the order went.
    pub fn order_answered(&mut self, now: Timestamp, id: OrderId, outcome: OrderOutcome) {
        let Some(order) = self.orders.iter().find(|order| order.id == id).cloned() else { return };
        self.advance(now);
        let by_vote = matches!(order.act, Act::SkipByVote { .. });
        match outcome {
            OrderOutcome::Done => self.order_done(now, &order),
            OrderOutcome::Refused(refusal) => {
                if refusal.reason == Reason::PremiumRequired {
                    self.playback.lacks_premium = true;
                    self.playback.premium_refused_at = now;
                    self.playback.state = PlaybackState::PremiumRequired;
                    self.playback_changed();
                }
                self.give_up(&order, refusal);
                self.set_ballot(&order, BallotState::Refused { at: now });
            }
            OrderOutcome::Again { not_before } => {
                self.set_progress(id, OrderState::Waiting { not_before });
                if by_vote {
                    self.set_ballot(&order, BallotState::Claimed { order: id });
                    self.withdraw_claim_without_quorum();
                }
            }
            OrderOutcome::Unknown => {
                self.set_progress(id, OrderState::Unknown { at: now });
                self.set_ballot(&order, BallotState::Unknown { order: id });
            }
            OrderOutcome::DidNothing => {
                let refusal = Refusal::new(Reason::SpotifyUnavailable, "Spotify did not do it.");
                self.give_up(&order, refusal);
                if by_vote && self.stands_for(&order) {
                    self.reopen_ballot();
                }
            }
        }
    }

    fn stands_for(&self, order: &Order) -> bool {
        self.ballot.as_ref().is_some_and(|ballot| ballot.order() == Some(order.id))
    }

    fn set_ballot(&mut self, order: &Order, state: BallotState) {
        if !matches!(order.act, Act::SkipByVote { .. }) || !self.stands_for(order) {
            return;
        }
        if let Some(ballot) = self.ballot.as_mut() {
            ballot.state = state;
        }
        self.ballot_changed();
    }

    fn order_done(&mut self, now: Timestamp, order: &Order) {
        self.drop_order(order.id);
        self.set_ballot_confirmed(order);
        let playback = &mut self.playback;
        playback.lacks_premium = false;
        playback.echo_until = now.plus_ms(ECHO_MS);
        let position = playback.position(now);
        match order.act {
            Act::SkipByVote { .. } | Act::Skip => {
                playback.leaving = order.epoch == playback.epoch;
                self.notice_skipped(order);
                self.changed.insert(Key::Playback);
                return;
            }
            Act::Previous => {
                playback.leaving = order.epoch == playback.epoch;
                self.changed.insert(Key::Playback);
                return;
            }
            Act::Play | Act::Pause => {
                playback.progress_ms = position;
                playback.as_of = now;
                playback.is_playing = order.act == Act::Play;
                // What was not allowed before is what is now.
                playback.disallows.resuming = playback.is_playing;
                playback.disallows.pausing = !playback.is_playing;
            }
            Act::Seek { position_ms } => {
                playback.as_of = now;
                playback.progress_ms = playback.track.as_ref().map_or(0, |t| position_ms.min(t.duration_ms));
            }
            Act::SetVolume { percent } => {
                if let Some(device) = playback.device.as_mut() {
                    device.volume_percent = Some(percent);
                }
            }
            // The item that plays, from its start: that it has begun anew is to be seen.
            Act::PlayNow { ref uri } if playback.track.as_ref().is_some_and(|track| track.uri == *uri) => {
                playback.leaving = order.epoch == playback.epoch;
                self.changed.insert(Key::Playback);
                return;
            }
            // What plays, and where, is seen by looking.
            Act::Transfer { .. } | Act::PlayNow { .. } => {
                playback.echo_until = now;
                self.changed.insert(Key::Playback);
                return;
            }
        }
        self.playback_changed();
    }

    fn set_ballot_confirmed(&mut self, order: &Order) {
        self.set_ballot(order, BallotState::Confirmed);
    }

    pub(crate) fn notice_skipped(&mut self, order: &Order) {
        let by = match order.act {
            Act::SkipByVote { .. } => SkippedBy::Vote,
            Act::Skip => SkippedBy::Host,
            Act::Previous
            | Act::Play
            | Act::Pause
            | Act::Seek { .. }
            | Act::SetVolume { .. }
            | Act::Transfer { .. }
            | Act::PlayNow { .. } => return,
        };
        let here = order.epoch == self.playback.epoch;
        let track = self.playback.track.as_ref().filter(|_| here).map(|track| track.name.clone());
        self.notices.push(Notice::Skipped { by, epoch: order.epoch, member: order.by.clone(), track });
    }

    /// Spotify is not well. What was known stays known, except where the host's authorization is gone.
    pub fn trouble(&mut self, now: Timestamp, trouble: Trouble) {
        let (state, retry_at) = match trouble {
            Trouble::NeedsHost => (PlaybackState::NeedsHost, None),
            Trouble::Busy { until } => (PlaybackState::SpotifyBusy, Some(until)),
            Trouble::Unavailable => (PlaybackState::SpotifyUnavailable, None),
        };
        if (self.playback.state, self.playback.retry_at) != (state, retry_at) {
            self.playback.state = state;
            self.playback.retry_at = retry_at;
            self.playback_changed();
        }
        if let Trouble::Busy { until } = trouble
            && until.since(now) > BUTTON_PATIENCE_MS
        {
            self.give_up_buttons(until.since(now));
        }
        if trouble == Trouble::NeedsHost {
            let refusal = Refusal::new(Reason::NeedsHost, "The host must connect Spotify again.");
            self.give_up_all(&refusal);
            self.forget_playback(now);
        }
    }

    /// The host has authorized Spotify (again), with that account: what is known of the playback is void.
    pub fn host_connected(&mut self, now: Timestamp, account: AccountId) {
        let another = self.account != account;
        if another {
            self.account = account;
            self.changed.insert(Key::Room);
        }
        self.playback.lacks_premium = false;
        if another
            || self.playback.state == PlaybackState::NeedsHost
            || self.playback.state == PlaybackState::PremiumRequired
        {
            self.forget_playback(now);
            self.playback.state = PlaybackState::Idle;
            self.playback_changed();
        }
    }

    fn forget_playback(&mut self, now: Timestamp) {
        if self.playback.track.is_none() && self.playback.device.is_none() {
            return;
        }
        if self.playback.track.is_some() {
            self.next_epoch(now, None);
        }
        self.playback.device = None;
        self.playback.before = None;
        self.playback.is_playing = false;
        self.playback.progress_ms = 0;
        self.playback.as_of = now;
        self.playback_changed();
    }

    /// Drops what somebody has just pressed and would be surprised by so much later. A vote that carried waits.
    fn give_up_buttons(&mut self, wait_ms: u64) {
        let refusal = Refusal::new(Reason::SpotifyBusy, "Spotify asks to wait.").retry_after(wait_ms);
        for order in self.orders.clone() {
            let waits = matches!(order.progress, OrderState::Waiting { .. });
            if waits && !matches!(order.act, Act::SkipByVote { .. }) {
                self.give_up(&order, refusal.clone());
            }
        }
    }

    /// Drops every order, and tells who asked.
    fn give_up_all(&mut self, refusal: &Refusal) {
        for order in self.orders.clone() {
            self.give_up(&order, refusal.clone());
        }
    }

    fn give_up(&mut self, order: &Order, refusal: Refusal) {
        let action = order.act.word().to_owned();
        self.notices.push(Notice::ActionFailed { refusal, action, member: order.by.clone() });
        self.drop_order(order.id);
    }

    pub(crate) fn drop_order(&mut self, id: OrderId) {
        self.orders.retain(|order| order.id != id);
        self.changed.insert(Key::Orders);
    }

    fn set_progress(&mut self, id: OrderId, progress: OrderState) {
        if let Some(order) = self.orders.iter_mut().find(|order| order.id == id) {
            order.progress = progress;
            self.changed.insert(Key::Orders);
        }
    }

    pub(crate) fn playback_changed(&mut self) {
        self.changed.insert(Key::Playback);
        self.sections.insert(Section::Playback);
    }
}
