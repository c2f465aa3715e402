//! What others have written: heard, read where it must be, put back where the store has lost it, and shown.

use kernel::MemberId;
use protocol::CloseCode;
use rooms::{Room, Sections};
use store::{CommitError, Delta, Lineage, Restore, RoomChange, StoredRoom};
use tokio::time::Instant;

use super::{GATHER, OTHERS_FIRST, Replica, TRIES};
use crate::hub::frames::notice_frame;
use crate::hub::job::News;
use crate::hub::registry::{load, restore};
use crate::hub::remembered::{Found, Judgement, Remembered, judge};

impl Replica {
    /// Another process has written.
    pub(super) async fn hear(&mut self, change: RoomChange) {
        let RoomChange::Committed { origin, news, version, delta } = change else {
            self.doubtful = true;
            return self.catch_up().await;
        };
        if origin == self.parts.node || version <= self.heard {
            return;
        }
        self.heard = version;
        let News { notices, departures, soft } = News::from_bytes(&news);
        for notice in &notices {
            self.shared.audience.post_notice(notice_frame(notice));
        }
        // Read before its news came: who went by then is gone from here, and may be back.
        if version <= self.shared.room().version() {
            return;
        }
        self.part_from(departures);
        if !delta.is_some_and(|delta| self.follow_on(version, &delta, soft)) {
            self.doubtful = true;
            self.reload().await;
        }
    }

    /// Reads the room if it is not as it was last seen.
    pub(super) async fn catch_up(&mut self) {
        if self.parts.pulse.is_away() {
            return;
        }
        let known = self.shared.room().version();
        let rooms = &self.parts.store.rooms;
        let Some(lineage) = self.answered(rooms.room_lineage(&self.shared.code).await) else { return };
        let Some(version) = self.answered(rooms.room_version(&self.shared.code).await) else { return };
        if self.is_other(&lineage) || version.is_none_or(|version| version > known) {
            self.doubtful = true;
            self.reload().await;
        }
    }

    /// What the store has answered. That it has not is known at once to whoever would ask next.
    fn answered<T>(&self, answer: store::Result<T>) -> Option<T> {
        answer.inspect_err(|error| self.parts.pulse.missed(error)).ok()
    }

    /// Takes the room from the store, once the store has again what it has lost. `false`: it cannot be had.
    pub(super) async fn reload(&mut self) -> bool {
        let mut waited = false;
        for _ in 0..TRIES {
            let Ok(found) = load(&self.parts, &self.shared.code).await else { return false };
            let newest = match judge(self.remembered.as_ref(), &found, waited) {
                Judgement::Follow => return self.follow(found),
                Judgement::Wait => {
                    waited = true;
                    tokio::time::sleep(OTHERS_FIRST).await;
                    continue;
                }
                Judgement::PutBackOwn => self.remembered.as_ref().map(|own| &own.stored),
                Judgement::PutBackStored => found.room.as_ref().map(|(_, stored)| stored),
                Judgement::Gone => {
                    self.gone();
                    return false;
                }
            };
            let Some(newest) = newest else { return false };
            if !self.put_back(&found, newest).await {
                return false;
            }
        }
        false
    }

    /// Stores the whole room again as `newest` has it, where the store may have lost something. `true`: look again.
    async fn put_back(&self, found: &Found, newest: &StoredRoom) -> bool {
        let Ok(mut room) = restore(&self.parts, &self.shared.code, newest) else { return false };
        room.kept_in(&found.lineage);
        let expected = found.version();
        let Some(next) = room.put_back(self.parts.time.now(), expected) else { return false };
        tracing::warn!(
            room = %self.shared.code,
            stored = expected,
            remembered = newest.version,
            version = next.version,
            "room.put_back: another server of the store has taken over"
        );
        let records = next.records.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let restore = Restore {
            code: self.shared.code.clone(),
            expected,
            room: StoredRoom { version: next.version, records },
            news: Vec::new(),
            origin: self.parts.node.clone(),
            expires_at: next.expires_at,
            lineage: Some(Lineage::clone(&found.lineage)),
        };
        match self.parts.store.rooms.room_restore(restore).await {
            // Or somebody else was faster, or the store has changed again.
            Ok(_) | Err(CommitError::Conflict { .. } | CommitError::OtherLineage) => true,
            Err(CommitError::Fenced | CommitError::Gone | CommitError::Store(_)) => false,
        }
    }

    /// Shows the room as it was found, where that is newer.
    fn follow(&mut self, found: Found) -> bool {
        let Found { lineage, room } = found;
        let Some((room, stored)) = room else {
            self.gone();
            return false;
        };
        if let Some(remembered) = &mut self.remembered {
            *remembered = Remembered::new(lineage, stored, room.closed_at().is_some());
        }
        self.doubtful = false;
        self.take_over(room, false);
        true
    }

    /// Takes the next version of what is remembered from what was written. `false`: the room must be read.
    fn follow_on(&mut self, version: u64, delta: &Delta, soft: bool) -> bool {
        if self.doubtful || self.is_other(&delta.lineage) {
            return false;
        }
        let Some(own) = self.remembered.as_mut().filter(|own| own.stored.version + 1 == version) else {
            return false;
        };
        own.learn(version, &delta.records);
        let Ok(room) = restore(&self.parts, &self.shared.code, &own.stored) else { return false };
        own.closed |= room.closed_at().is_some();
        self.take_over(room, soft);
        true
    }

    /// Shows the room as another process has made it. `soft`: it matters little, and may be told later.
    fn take_over(&mut self, room: Room, soft: bool) {
        let (version, closed) = (room.version(), room.closed_at().is_some());
        let notice = {
            let mut replica = self.shared.room();
            let notice = room.told_after(&replica);
            *replica = room;
            notice
        };
        if version > self.shared.frames().version() {
            let news = self.show(Sections::ALL, soft, notice.iter().map(notice_frame).collect());
            self.shared.stirred.send_replace(());
            if closed {
                self.close_everyone(CloseCode::RoomClosed, "The room was closed.");
            } else {
                self.close_strangers();
            }
            self.tell(news);
        }
        self.seat_anew();
    }

    /// Who is connected here may have come or gone while nothing could be stored, or have been taken for gone with this
    /// process. It is stored soon, and not shown before.
    fn seat_anew(&mut self) {
        let (now, node) = (self.parts.time.now(), &self.parts.node);
        let mut room = self.shared.room();
        let seats = self.shared.seats();
        let gone: Vec<_> = room
            .members()
            .filter(|(id, member)| member.nodes.contains(node) && !seats.contains_key(*id))
            .map(|(id, _)| id.clone())
            .collect();
        let come: Vec<_> = seats
            .keys()
            .filter(|id| room.member(id).is_some_and(|member| !member.nodes.contains(node)))
            .cloned()
            .collect();
        drop(seats);
        for id in &gone {
            room.departed(now, id, node);
        }
        for id in &come {
            room.arrived(now, id, node);
        }
        drop(room);
        if !gone.is_empty() || !come.is_empty() {
            self.presence_at.get_or_insert(Instant::now() + GATHER);
        }
    }

    /// Ends the connections of those who are no longer in, where the news of it was lost.
    fn close_strangers(&self) {
        let strangers: Vec<_> = {
            let room = self.shared.room();
            let seats = self.shared.seats();
            let is_in = |id: &MemberId| {
                room.member(id).is_some_and(|member| member.standing == rooms::Standing::Admitted)
            };
            seats.iter().filter(|(id, _)| !is_in(id)).flat_map(|(_, own)| own.clone()).collect()
        };
        for connection in strangers {
            connection.close(CloseCode::Removed, "You are no longer in this room.", None);
        }
    }
}
