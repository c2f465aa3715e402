//! The only translation between rooms, Spotify's answers and the wire.

use protocol as wire;
use rooms::{Reason, Room, Section, Standing};
use serde_json::{Map, Value};

/// The wire's code of a refusal.
pub fn code(reason: Reason) -> wire::Code {
    use wire::Code;
    match reason {
        Reason::NotAllowed => Code::NotAllowed,
        Reason::NotAdmitted => Code::NotAdmitted,
        Reason::StaleEpoch => Code::StaleEpoch,
        Reason::NothingPlaying => Code::NothingPlaying,
        Reason::UnknownMember => Code::UnknownMember,
        Reason::BadCommand => Code::BadCommand,
        Reason::TooFast => Code::TooFast,
        Reason::NeedsHost => Code::NeedsHost,
        Reason::NoDevice => Code::NoDevice,
        Reason::PremiumRequired => Code::PremiumRequired,
        Reason::Restricted => Code::Restricted,
        Reason::NotPlayable => Code::NotPlayable,
        Reason::SpotifyUnavailable => Code::SpotifyUnavailable,
        Reason::SpotifyBusy => Code::SpotifyBusy,
        Reason::RoomClosed => Code::RoomClosed,
    }
}

/// The wire's word for a role.
pub fn role(role: rooms::Role) -> wire::Role {
    match role {
        rooms::Role::Host => wire::Role::Host,
        rooms::Role::Moderator => wire::Role::Moderator,
        rooms::Role::Guest => wire::Role::Guest,
    }
}

fn host(room: &Room) -> wire::HostView {
    wire::HostView {
        member_id: room.host().to_string(),
        name: room.member(room.host()).map(|member| member.name.clone()).unwrap_or_default(),
    }
}

fn settings(settings: &rooms::Settings) -> wire::SettingsView {
    wire::SettingsView {
        skip_rule: match settings.skip_rule {
            rooms::SkipRule::Count { value } => wire::SkipRule::Count { value },
            rooms::SkipRule::Share { value, at_least } => wire::SkipRule::Share { value, at_least },
        },
        guests_can_pause: settings.guests_can_pause,
        guests_can_seek: settings.guests_can_seek,
        guests_can_set_volume: settings.guests_can_set_volume,
        guests_can_queue: settings.guests_can_queue,
        queue_order: match settings.queue_order {
            rooms::QueueOrder::Fair => wire::QueueOrder::Fair,
            rooms::QueueOrder::Votes => wire::QueueOrder::Votes,
            rooms::QueueOrder::Arrival => wire::QueueOrder::Arrival,
        },
        fallback_playlist: settings.fallback_playlist.clone(),
        max_queued_per_member: settings.max_queued_per_member,
        adds_per_hour: settings.adds_per_hour,
        max_track_min: settings.max_track_min,
        no_repeat_min: settings.no_repeat_min,
        allow_explicit: settings.allow_explicit,
        admission: match settings.admission {
            rooms::Admission::Guarded => wire::Admission::Guarded,
            rooms::Admission::Open => wire::Admission::Open,
            rooms::Admission::Approve => wire::Admission::Approve,
            rooms::Admission::Locked => wire::Admission::Locked,
        },
        vote_after_s: settings.vote_after_s,
    }
}

/// The room's settings patch of the wire's.
pub fn settings_patch(patch: wire::SettingsPatch) -> rooms::SettingsPatch {
    rooms::SettingsPatch {
        skip_rule: patch.skip_rule.map(|rule| match rule {
            wire::SkipRule::Count { value } => rooms::SkipRule::Count { value },
            wire::SkipRule::Share { value, at_least } => rooms::SkipRule::Share { value, at_least },
        }),
        guests_can_pause: patch.guests_can_pause,
        guests_can_seek: patch.guests_can_seek,
        guests_can_set_volume: patch.guests_can_set_volume,
        guests_can_queue: patch.guests_can_queue,
        queue_order: patch.queue_order.map(|order| match order {
            wire::QueueOrder::Fair => rooms::QueueOrder::Fair,
            wire::QueueOrder::Votes => rooms::QueueOrder::Votes,
            wire::QueueOrder::Arrival => rooms::QueueOrder::Arrival,
        }),
        fallback_playlist: patch.fallback_playlist,
        max_queued_per_member: patch.max_queued_per_member,
        adds_per_hour: patch.adds_per_hour,
        max_track_min: patch.max_track_min,
        no_repeat_min: patch.no_repeat_min,
        allow_explicit: patch.allow_explicit,
        admission: patch.admission.map(|admission| match admission {
            wire::Admission::Guarded => rooms::Admission::Guarded,
            wire::Admission::Open => rooms::Admission::Open,
            wire::Admission::Approve => rooms::Admission::Approve,
            wire::Admission::Locked => rooms::Admission::Locked,
        }),
        vote_after_s: patch.vote_after_s,
    }
}

/// A track as clients see it.
pub fn track(track: &rooms::Track) -> wire::TrackView {
    wire::TrackView {
        uri: track.uri.clone(),
        name: track.name.clone(),
        artists: track
            .artists
            .iter()
            .map(|artist| wire::ArtistView { name: artist.name.clone(), uri: artist.uri.clone() })
            .collect(),
        album: track
            .album
            .as_ref()
            .map(|album| wire::AlbumView { name: album.name.clone(), uri: album.uri.clone() }),
        image_url: track.image_url.clone(),
        duration_ms: track.duration_ms,
        explicit: track.explicit,
        url: track.url.clone(),
    }
}

fn playback(room: &Room) -> wire::PlaybackView {
    use rooms::PlaybackState as From;
    use wire::PlaybackState as To;
    let playback = room.playback();
    let forbids = playback.disallows;
    let disallows = [
        (forbids.pausing, "pausing"),
        (forbids.resuming, "resuming"),
        (forbids.seeking, "seeking"),
        (forbids.skipping_next, "skipping_next"),
        (forbids.skipping_prev, "skipping_prev"),
    ];
    wire::PlaybackView {
        state: match playback.state {
            From::Ok => To::Ok,
            From::Idle => To::Idle,
            From::NoDevice => To::NoDevice,
            From::NeedsHost => To::NeedsHost,
            From::PremiumRequired => To::PremiumRequired,
            From::SpotifyBusy => To::SpotifyBusy,
            From::SpotifyUnavailable => To::SpotifyUnavailable,
            From::Private => To::Private,
        },
        epoch: playback.epoch,
        is_playing: playback.is_playing,
        progress_ms: playback.progress_ms,
        as_of: playback.as_of.as_millis(),
        track: playback.track.as_ref().map(track),
        device: playback.device.as_ref().map(|device| wire::DeviceView {
            id: device.id.clone(),
            name: device.name.clone(),
            kind: device.kind.clone(),
            is_active: true,
            volume_percent: device.volume_percent,
            supports_volume: device.supports_volume,
        }),
        added_by: None,
        disallows: disallows.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect(),
        retry_at: playback.retry_at.map(kernel::Timestamp::as_millis),
    }
}

fn skip(room: &Room) -> Option<wire::SkipView> {
    use rooms::BallotState as From;
    use wire::SkipState as To;
    let ballot = room.ballot()?;
    Some(wire::SkipView {
        epoch: ballot.epoch,
        ballot: ballot.number,
        votes: room.votes().map(ToString::to_string).collect(),
        needed: u32::try_from(room.needed()).unwrap_or(u32::MAX),
        electors: u32::try_from(room.electors()).unwrap_or(u32::MAX),
        state: match ballot.state {
            From::Open => To::Open,
            From::Claimed { .. } => To::Claimed,
            From::Sent { .. } => To::Sent,
            From::Confirmed => To::Confirmed,
            From::Refused { .. } => To::Refused,
            From::Unknown { .. } => To::Unknown,
        },
    })
}

fn members(room: &Room) -> wire::MembersView {
    let of = |standing| {
        room.of_standing(standing)
            .map(|(id, member)| wire::WaitingView { member_id: id.to_string(), name: member.name.clone() })
            .take(rooms::LISTED_MEMBERS)
            .collect()
    };
    wire::MembersView {
        online: u32::try_from(room.online()).unwrap_or(u32::MAX),
        total: u32::try_from(room.total()).unwrap_or(u32::MAX),
        list: room
            .listed()
            .into_iter()
            .map(|(id, member)| wire::MemberView {
                member_id: id.to_string(),
                name: member.name.clone(),
                role: role(member.role),
                online: room.is_online(id),
            })
            .collect(),
        waiting: of(Standing::Waiting),
        banned: of(Standing::Banned),
    }
}

/// A section of the room as JSON, as it stands in `update` and `snapshot`.
pub fn section(room: &Room, section: Section) -> Vec<u8> {
    let json = match section {
        Section::Name => serde_json::to_vec(room.name()),
        Section::Host => serde_json::to_vec(&host(room)),
        Section::Settings => serde_json::to_vec(&settings(room.settings())),
        Section::Playback => serde_json::to_vec(&playback(room)),
        Section::Skip => serde_json::to_vec(&skip(room)),
        Section::Queue => serde_json::to_vec(&Vec::<wire::QueueEntryView>::new()),
        Section::Members => serde_json::to_vec(&members(room)),
    };
    json.expect("wire types have text keys and no failing serializer")
}

/// The section's key in `update` and `room`.
pub const fn section_key(section: Section) -> &'static str {
    match section {
        Section::Name => "name",
        Section::Host => "host",
        Section::Settings => "settings",
        Section::Playback => "playback",
        Section::Skip => "skip",
        Section::Queue => "queue",
        Section::Members => "members",
    }
}

/// The public card of a room.
pub fn card(room: &Room) -> wire::RoomCard {
    wire::RoomCard {
        code: room.code().to_string(),
        name: room.name().to_owned(),
        host_name: host(room).name,
        members_online: u32::try_from(room.online()).unwrap_or(u32::MAX),
        now_playing: room.playback().track.as_ref().map(track),
    }
}

/// A notice as clients see it.
pub fn notice(notice: &rooms::Notice) -> wire::Notice {
    match notice {
        rooms::Notice::Skipped { by, epoch, member, track } => wire::Notice::Skipped {
            by: match by {
                rooms::SkippedBy::Vote => wire::SkippedBy::Vote,
                rooms::SkippedBy::Host => wire::SkippedBy::Host,
            },
            epoch: *epoch,
            member_id: member.as_ref().map(ToString::to_string),
            track: track.clone(),
        },
        rooms::Notice::VotesVoided { epoch } => wire::Notice::VotesVoided { epoch: *epoch },
        rooms::Notice::Reaction { member, emoji } => {
            wire::Notice::Reaction { member_id: member.to_string(), emoji: emoji.clone() }
        }
        rooms::Notice::Joined { member, name } => {
            wire::Notice::Joined { member_id: member.to_string(), name: name.clone() }
        }
        rooms::Notice::ActionFailed { refusal, action, member } => wire::Notice::ActionFailed {
            code: code(refusal.reason),
            message: refusal.message.clone(),
            action: action.clone(),
            member_id: member.as_ref().map(ToString::to_string),
        },
    }
}

/// A device of the host, as the host sees it.
pub fn device(device: &spotify_api::model::Device) -> wire::DeviceView {
    wire::DeviceView {
        id: device.id.clone(),
        name: device.name.clone(),
        kind: device.kind.clone(),
        is_active: device.is_active,
        volume_percent: device.volume_percent,
        supports_volume: device.supports_volume.unwrap_or(true),
    }
}

/// What Spotify's player said, in the room's words.
pub fn player_seen(state: spotify_api::model::PlayerState, at: kernel::Timestamp) -> rooms::PlayerSeen {
    use spotify_api::model::{Item, Playing};
    let item = match (state.item, state.kind) {
        (Item::Track(track), _) => rooms::Seen::Track(Box::new(track_of(track))),
        (Item::Episode(episode), _) => rooms::Seen::Track(Box::new(rooms::Track {
            uri: episode.uri,
            name: episode.name,
            artists: vec![rooms::Artist { name: episode.show.name.clone(), uri: episode.show.uri.clone() }],
            album: Some(rooms::Album { name: episode.show.name, uri: episode.show.uri }),
            image_url: episode.image_url,
            duration_ms: episode.duration_ms,
            explicit: episode.explicit,
            url: episode.url,
        })),
        (Item::None, Playing::Ad) => rooms::Seen::Private,
        (Item::None, Playing::Track | Playing::Episode | Playing::Unknown) if state.is_playing => {
            rooms::Seen::Private
        }
        (Item::None, Playing::Track | Playing::Episode | Playing::Unknown) => rooms::Seen::Nothing,
    };
    // Spotify's clock and ours need not agree, and then nothing is said.
    let since_change = state.changed_at.map(|changed| at.since(kernel::Timestamp(changed as i64)));
    let from_start = state.is_playing
        && since_change
            .zip(state.progress_ms)
            .is_some_and(|(since, progress)| since.abs_diff(progress) <= 1_000);
    rooms::PlayerSeen {
        from_start,
        device: state.device.map(|device| rooms::Device {
            id: device.id,
            name: device.name,
            kind: device.kind,
            volume_percent: device.volume_percent,
            supports_volume: device.supports_volume.unwrap_or(true),
        }),
        is_playing: state.is_playing,
        progress_ms: state.progress_ms,
        item,
        disallows: rooms::Disallows {
            pausing: state.disallows.pausing,
            resuming: state.disallows.resuming,
            seeking: state.disallows.seeking,
            skipping_next: state.disallows.skipping_next,
            skipping_prev: state.disallows.skipping_prev,
        },
    }
}

/// A track of Spotify's, in the room's words.
pub fn track_of(track: spotify_api::model::Track) -> rooms::Track {
    rooms::Track {
        uri: track.uri,
        name: track.name,
        artists: track
            .artists
            .into_iter()
            .map(|artist| rooms::Artist { name: artist.name, uri: artist.uri })
            .collect(),
        album: Some(rooms::Album { name: track.album.name, uri: track.album.uri }),
        image_url: track.image_url,
        duration_ms: track.duration_ms,
        explicit: track.explicit,
        url: track.url,
    }
}

/// Whether keys that a command does not take are passed over (live connection) or refused (HTTP).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownKeys {
    /// Passed over.
    Ignored,
    /// Refused.
    Refused,
}

/// What is wrong with a command, for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCommand(pub String);

/// A command of its keys and values; an error names the key. `ping` is none: it asks nothing of the room.
pub fn parse_command(
    object: &Map<String, Value>,
    unknown: UnknownKeys,
) -> Result<rooms::Command, BadCommand> {
    use rooms::Command as C;
    let fields = Fields(object);
    let kind = fields.text("type", "the name of a command")?;
    let (command, keys): (C, &[&str]) = match kind {
        "vote_skip" => (C::VoteSkip { epoch: fields.number("epoch")? }, &["epoch"]),
        "unvote_skip" => (C::UnvoteSkip { epoch: fields.number("epoch")? }, &["epoch"]),
        "play" => (C::Play, &[]),
        "pause" => (C::Pause, &[]),
        "skip" => (C::Skip { epoch: fields.number("epoch")? }, &["epoch"]),
        "previous" => (C::Previous, &[]),
        "seek" => (C::Seek { position_ms: fields.number("position_ms")? }, &["position_ms"]),
        "set_volume" => {
            let percent = u8::try_from(fields.number("percent")?).ok().filter(|percent| *percent <= 100);
            let percent = percent.ok_or_else(|| BadCommand("percent takes 0 to 100.".to_owned()))?;
            (C::SetVolume { percent }, &["percent"])
        }
        "transfer" => {
            let device_id = fields.text("device_id", "the id of a device")?.to_owned();
            (C::Transfer { device_id }, &["device_id"])
        }
        "play_now" => (C::PlayNow { uri: fields.text("uri", "a Spotify URI")?.to_owned() }, &["uri"]),
        "resume_room" => (C::ResumeRoom, &[]),
        "set_role" => {
            let role = match fields.text("role", "moderator or guest")? {
                "moderator" => rooms::Role::Moderator,
                "guest" => rooms::Role::Guest,
                _ => return Err(BadCommand("role takes moderator or guest.".to_owned())),
            };
            (C::SetRole { member: fields.member()?, role }, &["member_id", "role"])
        }
        "admit_member" => (C::Admit { member: fields.member()? }, &["member_id"]),
        "remove_member" => (C::Remove { member: fields.member()? }, &["member_id"]),
        "ban_member" => (C::Ban { member: fields.member()? }, &["member_id"]),
        "unban_member" => (C::Unban { member: fields.member()? }, &["member_id"]),
        "react" => (C::React { emoji: fields.text("emoji", "one emoji")?.to_owned() }, &["emoji"]),
        _ => return Err(BadCommand("type takes the name of a command that this server knows.".to_owned())),
    };
    if unknown == UnknownKeys::Refused
        && let Some(key) = object.keys().find(|key| *key != "type" && !keys.contains(&key.as_str()))
    {
        let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
        return Err(BadCommand(format!("{kind} takes no key {key}.")));
    }
    Ok(command)
}

struct Fields<'a>(&'a Map<String, Value>);

/// The greatest whole number that a JSON number carries exactly (RFC 8259, section 6).
const MAX_EXACT: u64 = (1 << 53) - 1;

impl<'a> Fields<'a> {
    fn text(&self, key: &str, takes: &str) -> Result<&'a str, BadCommand> {
        self.0.get(key).and_then(Value::as_str).ok_or_else(|| BadCommand(format!("{key} takes {takes}.")))
    }

    fn number(&self, key: &str) -> Result<u64, BadCommand> {
        let number = self.0.get(key).and_then(Value::as_u64).filter(|number| *number <= MAX_EXACT);
        number.ok_or_else(|| BadCommand(format!("{key} takes a whole number, 0 or more.")))
    }

    fn member(&self) -> Result<kernel::MemberId, BadCommand> {
        let text = self.text("member_id", "the id of a member")?;
        text.parse().map_err(|_| BadCommand("member_id takes the id of a member.".to_owned()))
    }
}
