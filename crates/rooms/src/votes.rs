//! Voting what plays away.

use kernel::{MemberId, Timestamp};

use crate::ballot::BallotState;
use crate::record::Key;
use crate::{Act, Ballot, Reason, Refusal, Room, Section};

impl Room {
    pub(crate) fn vote(&mut self, id: &MemberId, epoch: u64) -> Result<(), Refusal> {
        self.at_epoch(epoch)?;
        if matches!(self.ballot.as_ref().map(|ballot| ballot.state), Some(BallotState::Refused { .. })) {
            self.reopen_ballot();
        }
        let Some(ballot) = self.ballot.as_mut() else {
            return Err(self.silence(self.as_of));
        };
        if !ballot.votes.contains(id) {
            ballot.votes.push(id.clone());
            self.ballot_changed();
        }
        Ok(())
    }

    pub(crate) fn unvote(&mut self, id: &MemberId, epoch: u64) -> Result<(), Refusal> {
        self.at_epoch(epoch)?;
        let Some(ballot) = self.ballot.as_ref() else {
            return Err(self.silence(self.as_of));
        };
        let voted = ballot.votes.contains(id);
        match ballot.state {
            BallotState::Open | BallotState::Claimed { .. } => self.drop_vote(id),
            // What Spotify has been asked cannot be taken back.
            BallotState::Sent { .. } | BallotState::Confirmed | BallotState::Unknown { .. } if voted => {
                return Err(Refusal::new(Reason::StaleEpoch, "The vote has carried."));
            }
            BallotState::Sent { .. }
            | BallotState::Confirmed
            | BallotState::Unknown { .. }
            | BallotState::Refused { .. } => {}
        }
        Ok(())
    }

    /// Ends a vote, while it may still come to count: until the skip is confirmed Spotify may be asked again. A claim that the
    /// ballot carried falls with it.
    pub(crate) fn drop_vote(&mut self, id: &MemberId) {
        let Some(ballot) = self.ballot.as_mut() else { return };
        if ballot.state == BallotState::Confirmed {
            return;
        }
        let before = ballot.votes.len();
        ballot.votes.retain(|vote| vote != id);
        if ballot.votes.len() != before {
            self.ballot_changed();
            self.withdraw_claim_without_quorum();
        }
    }

    /// Opens the ballot again where its votes no longer reach what is needed; whether it still stands.
    pub(crate) fn withdraw_claim_without_quorum(&mut self) -> bool {
        if self.votes().count() >= self.needed() {
            return true;
        }
        self.withdraw_claim();
        false
    }

    /// Opens the ballot again, where it was claimed and Spotify not asked.
    pub(crate) fn withdraw_claim(&mut self) {
        if let Some(ballot) = self.ballot.as_mut()
            && let BallotState::Claimed { order } = ballot.state
        {
            ballot.state = BallotState::Open;
            self.orders.retain(|standing| standing.id != order);
            self.changed.insert(Key::Orders);
            self.ballot_changed();
        }
    }

    /// Where the votes reach what is needed, the ballot is claimed: one order, written down before anything is asked.
    pub(crate) fn count_votes(&mut self, now: Timestamp) {
        let Some(ballot) = self.ballot.as_ref() else { return };
        let open = ballot.state == BallotState::Open && self.closed_at.is_none() && self.playback.votable();
        let number = ballot.number;
        if !open || self.is_being_left() || self.votes().count() < self.needed() {
            return;
        }
        let order = self.push_order(now, Act::SkipByVote { ballot: number }, None);
        if let Some(ballot) = self.ballot.as_mut() {
            ballot.state = BallotState::Claimed { order };
        }
        self.ballot_changed();
    }

    pub(crate) fn reopen_ballot(&mut self) {
        if let Some(ballot) = self.ballot.as_mut() {
            *ballot = Ballot::new(ballot.epoch, ballot.number + 1);
            self.ballot_changed();
        }
    }

    pub(crate) fn ballot_changed(&mut self) {
        self.changed.insert(Key::Ballot);
        self.sections.insert(Section::Skip);
    }
}
