//! What becomes of a room whose store has lost the last of what it had acknowledged: a replica has taken over that did
//! not have it, or a server came back without it.

use kernel::Timestamp;

use crate::ballot::BallotState;
use crate::record::Key;
use crate::{Notice, Proposal, Room, Sections};

impl Room {
    /// The memory that it was last written in, as [`Self::kept_in`] was told; empty where it never was.
    pub fn lineage(&self) -> &str {
        &self.lineage
    }

    /// The store keeps the room in the memory of that name. Where it was another one before, votes that were
    /// acknowledged may be missing: counted on, they would be lost in silence, so an open ballot is voided, of which
    /// [`Self::told_after`] tells. What Spotify was asked is settled by looking, as ever.
    pub fn kept_in(&mut self, lineage: &str) {
        if self.lineage == lineage {
            return;
        }
        let known = !std::mem::replace(&mut self.lineage, lineage.to_owned()).is_empty();
        self.changed.insert(Key::Room);
        if known {
            self.void_ballot();
        }
    }

    /// The whole room as it is here, as a version beyond its own, the stored one, and any that was lost. For a store
    /// that is behind what this process remembers: the newest memory wins.
    ///
    /// What was lost may have been put back itself, and nobody may remember: the version is the time in milliseconds at
    /// least, which no room gets ahead of by a version at a time.
    pub fn put_back(&mut self, now: Timestamp, stored: u64) -> Option<Proposal> {
        self.version = self.version.max(stored).max(u64::try_from(now.as_millis()).unwrap_or(0));
        self.changed.extend([Key::Room, Key::Playback, Key::Ballot, Key::Orders]);
        self.changed.extend(self.members.keys().cloned().map(Key::Member));
        self.changed.extend(self.answers.keys().cloned().map(|(member, id)| Key::Answer(member, id)));
        self.sections = Sections::ALL;
        self.take()
    }

    /// What everyone is told who was shown `before` and is shown this room now. Whoever shows it tells it, each to its
    /// own: the message of a commit may be lost when servers fail, the room is not. Told even where no ballot was open:
    /// the one that votes were lost from may be lost with them.
    pub fn told_after(&self, before: &Self) -> Option<Notice> {
        let another = !before.lineage.is_empty() && before.lineage != self.lineage;
        another.then_some(Notice::VotesVoided { epoch: self.playback.epoch })
    }

    fn void_ballot(&mut self) {
        match self.ballot.as_ref().map(|ballot| ballot.state) {
            Some(BallotState::Open | BallotState::Claimed { .. }) => {
                self.withdraw_claim();
                self.reopen_ballot();
            }
            // Asked of Spotify, or over: no vote is waited for.
            Some(
                BallotState::Sent { .. }
                | BallotState::Confirmed
                | BallotState::Refused { .. }
                | BallotState::Unknown { .. },
            )
            | None => {}
        }
    }
}
