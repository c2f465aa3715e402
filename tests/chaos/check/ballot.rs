//! What was asked of Spotify, and the votes: I1 to I5.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{CommandBody, Notice, SkipState};

use crate::chaos::journal::{Act, At, Command, RoomJournal, Told, WaveJournal, What};
use crate::chaos::plan::Votes;

/// A track that ended by itself so shortly before `next` came could not be known of, in milliseconds (I3).
const NATURAL_END_MS: At = 3_000;

/// How often a gateway was seen to send `next` for the room.
fn sent(wave: &WaveJournal, room: &RoomJournal) -> usize {
    let all = wave.gateways.iter().flatten();
    all.filter(|(_, told)| matches!(told, Told::Next { user } if *user == room.user)).count()
}

/// Requests that Spotify definitely refused without doing anything: not an asking.
fn not_asked(room: &RoomJournal) -> usize {
    [401, 429].iter().map(|status| room.nexts.get(status).copied().unwrap_or(0) as usize).sum()
}

/// The times at which the member's vote for the epoch was sent, and at which a withdrawal was acknowledged.
fn votes_of(room: &RoomJournal, epoch: u64) -> BTreeMap<&str, (Vec<At>, Vec<At>)> {
    let mut votes: BTreeMap<&str, (Vec<At>, Vec<At>)> = BTreeMap::new();
    for command in room.commands() {
        let (sent, withdrawn) = votes.entry(command.member).or_default();
        if *command.body == (CommandBody::VoteSkip { epoch }) {
            sent.push(command.sent);
        } else if *command.body == (CommandBody::UnvoteSkip { epoch }) {
            withdrawn.extend(command.ack().map(|(at, _)| at));
        }
    }
    votes
}

/// The most votes that can have counted at once: whoever voted and had not, before the last one voted, heard that the
/// vote was taken back.
fn most_votes(room: &RoomJournal, epoch: u64) -> usize {
    let votes = votes_of(room, epoch);
    let instants: Vec<At> = votes.values().flat_map(|(sent, _)| sent.clone()).collect();
    let stands = |(sent, withdrawn): &(Vec<At>, Vec<At>), at: At| {
        sent.iter().any(|sent| *sent <= at && !withdrawn.iter().any(|back| sent < back && *back < at))
    };
    instants.iter().map(|at| votes.values().filter(|votes| stands(votes, *at)).count()).max().unwrap_or(0)
}

/// I1: `next` belongs to a ballot whose history shows quorum.
pub(super) fn quorum(wave: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    let (epoch, _) = room.ballot();
    let needed = room.before.skip.as_ref().map_or(usize::MAX, |skip| skip.needed as usize);
    let (asked, done) = (sent(wave, room), room.skipped().len());
    let most = most_votes(room, epoch);
    if asked + done > 0 && most < needed {
        wrong.push(format!("{asked} requests, {done} skips with {most} of {needed} votes"));
    }
    for (client, at, seen) in room.seen() {
        let Some(skip) = &seen.room.skip else { continue };
        let acting = matches!(skip.state, SkipState::Claimed | SkipState::Sent);
        if acting && skip.votes.len() < skip.needed as usize {
            let version = seen.room.version;
            wrong.push(format!("client {client} at {at}: version {version} claims with {skip:?}"));
        }
    }
    wrong
}

/// I2: at most one `next` per ballot, and one skip per epoch.
pub(super) fn once(wave: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    let (epoch, first) = room.ballot();
    let of_epoch = room.rooms().filter_map(|room| room.skip.as_ref()).filter(|skip| skip.epoch == epoch);
    let last = of_epoch.map(|skip| skip.ballot).max().unwrap_or(first);
    let ballots = (last.saturating_sub(first) + 1) as usize;
    let asked = sent(wave, room).saturating_sub(not_asked(room));
    let reached: u64 = room.nexts.values().sum();
    let reached = (reached as usize).saturating_sub(not_asked(room));
    if asked.max(reached) > ballots {
        wrong.push(format!(
            "{asked} requests sent, {reached} received, for {ballots} ballots: {:?}",
            room.nexts
        ));
    }
    let skipped = room.skipped();
    if skipped.len() > 1 {
        wrong.push(format!("{} skips in one epoch: {skipped:?}", skipped.len()));
    }
    wrong
}

/// Whether a track ended by itself so shortly before.
fn ended_before(room: &RoomJournal, act: &Act) -> bool {
    room.acts.iter().any(|end| end.by == "end" && (0..=NATURAL_END_MS).contains(&(act.at - end.at)))
}

/// I3: what is on air when `next` arrives is the ballot's track.
pub(super) fn right_track(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let wrong = room.skipped().into_iter().filter(|act| act.uri != room.track() && !ended_before(room, act));
    wrong.map(|act| format!("{} was voted on, {act:?} was hit", room.track())).collect()
}

/// P1: the room is told what was done. Whether a track that ended by itself was skipped as well, nobody asks.
pub(super) fn told_as_done(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let (epoch, _) = room.ballot();
    let (told, done) = (room.last().playback.epoch, room.skipped().len() as u64);
    let others = room.acts.iter().filter(|act| act.by != "api").count();
    let wrong = others == 0 && told != epoch + done;
    let what = format!("{done} skips, and the epoch went from {epoch} to {told}: {:?}", room.acts);
    wrong.then_some(what).into_iter().collect()
}

/// P1: doubt is resolved in time.
pub(super) fn settled(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    room.unsettled.iter().cloned().collect()
}

/// I4: nobody counts twice, nobody counts who did not vote, and who has taken the vote back does not.
pub(super) fn one_vote_each(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    let (epoch, _) = room.ballot();
    let voted = votes_of(room, epoch);
    let commands = room.commands();
    for (client, at, seen) in room.seen() {
        let Some(skip) = seen.room.skip.as_ref().filter(|skip| skip.epoch == epoch) else { continue };
        let version = seen.room.version;
        let distinct: BTreeSet<&String> = skip.votes.iter().collect();
        if distinct.len() != skip.votes.len() {
            wrong.push(format!("client {client} at {at}: version {version} counts twice: {:?}", skip.votes));
        }
        for member in distinct {
            let sent = voted.get(member.as_str()).map(|(sent, _)| sent.as_slice()).unwrap_or_default();
            if !sent.iter().any(|sent| *sent <= at + super::SLACK_MS) {
                wrong.push(format!(
                    "client {client} at {at}: version {version} counts {member}, who did not vote"
                ));
            }
            let back = commands.iter().filter(|command| {
                *command.member == **member && matches!(command.body, CommandBody::UnvoteSkip { .. })
            });
            for (at, withdrawn) in back.filter_map(Command::ack) {
                let again = sent.iter().any(|sent| *sent >= at);
                if version >= withdrawn
                    && !again
                    && matches!(skip.state, SkipState::Open | SkipState::Claimed)
                {
                    wrong
                        .push(format!("version {version} counts {member}, whose vote went with {withdrawn}"));
                }
            }
        }
    }
    wrong
}

/// I5: an acknowledged vote is there from then on, or everyone hears that it is not.
pub(super) fn acknowledged_votes(_: &WaveJournal, room: &RoomJournal) -> Vec<String> {
    let mut wrong = Vec::new();
    let (epoch, first) = room.ballot();
    let commands = room.commands();
    let voided = |client: usize| {
        room.clients[client]
            .entries
            .iter()
            .any(|entry| matches!(&entry.what, What::Heard(Notice::VotesVoided { .. })))
    };
    // A new ballot is opened where Spotify did not do it, too: that is told as well.
    let reopened =
        room.heard().any(|notice| matches!(notice, Notice::VotesVoided { .. } | Notice::ActionFailed { .. }));
    let anyone_voided = (0..room.clients.len()).any(voided);
    for command in &commands {
        let CommandBody::VoteSkip { epoch: of } = command.body else { continue };
        let Some((acknowledged_at, version)) = command.ack().filter(|_| *of == epoch) else { continue };
        let withdrawn = commands.iter().any(|other| {
            other.member == command.member && matches!(other.body, CommandBody::UnvoteSkip { .. })
        });
        if room.last().version < version {
            let last = room.last().version;
            wrong.push(format!("version {version} was acknowledged, and the room is at {last}"));
        }
        if withdrawn {
            continue;
        }
        // The first version without it says enough.
        for seen in room.rooms().filter(|room| room.version >= version) {
            let Some(skip) = seen.skip.as_ref().filter(|skip| skip.epoch == epoch) else { continue };
            if skip.votes.iter().any(|vote| vote == command.member) {
                continue;
            }
            let told = if skip.ballot > first { reopened } else { anyone_voided };
            if !told {
                wrong.push(format!(
                    "the vote of {} was acknowledged at {acknowledged_at} with version {version}; version {} has {skip:?}",
                    command.member, seen.version
                ));
                break;
            }
        }
    }
    wrong
}

/// Whether enough of the room vote for it to carry.
pub(in crate::chaos) const fn carries(votes: Votes) -> bool {
    matches!(votes, Votes::Carry(_))
}
