//! A job, applied to the room.

use kernel::Timestamp;
use rooms::Room;

use super::job::{Conducted, ConductorEvent, Job, Outcome};
use super::registry::HubParts;

/// Does the job to the room; what it came to.
pub(super) fn apply_one(room: &mut Room, job: &Job, now: Timestamp, parts: &HubParts) -> Outcome {
    match job {
        Job::Command { member, id, command, .. } => {
            Outcome::Command(room.perform(now, member, id.as_ref(), command.clone()))
        }
        Job::Join { member, name, .. } => Outcome::Join(room.join(now, member, name, parts.max_members)),
        Job::Arrived(member) => {
            room.arrived(now, member, &parts.node);
            Outcome::Done
        }
        Job::Departed(member) => {
            room.departed(now, member, &parts.node);
            Outcome::Done
        }
        Job::Forget { member, .. } => {
            room.forget(now, member);
            Outcome::Done
        }
        Job::HostConnected { account, .. } => {
            room.host_connected(now, account.clone());
            Outcome::Done
        }
        Job::HostSilenced { .. } => {
            room.trouble(now, rooms::Trouble::NeedsHost);
            Outcome::Done
        }
        Job::Conduct { event, .. } => Outcome::Conducted(conduct(room, event, now)),
    }
}

fn conduct(room: &mut Room, event: &ConductorEvent, now: Timestamp) -> Conducted {
    match event {
        // A look that was under way when the host disconnected must not bring back what was forgotten.
        ConductorEvent::Observed(_) if room.playback().state == rooms::PlaybackState::NeedsHost => {
            Conducted::Seen(rooms::Sight::Same)
        }
        ConductorEvent::Observed(seen) => Conducted::Seen(room.observe(now, seen.clone())),
        ConductorEvent::Trouble(trouble) => {
            room.trouble(now, *trouble);
            Conducted::Noted
        }
        ConductorEvent::Send(order) => Conducted::MaySend(room.order_send(now, *order)),
        ConductorEvent::Answered(order, outcome) => {
            room.order_answered(now, *order, outcome.clone());
            Conducted::Noted
        }
        ConductorEvent::StopAwaiting => {
            room.stop_awaiting_change();
            Conducted::Noted
        }
    }
}
