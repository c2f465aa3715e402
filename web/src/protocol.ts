/**
 * The wire contract, as the page uses it. Written by hand until the OpenAPI document of
 * `crates/protocol` generates it; the names are the same.
 */

export type Role = 'host' | 'moderator' | 'guest';
export type PlaybackState =
  | 'ok'
  | 'idle'
  | 'no_device'
  | 'needs_host'
  | 'premium_required'
  | 'spotify_busy'
  | 'spotify_unavailable'
  | 'private'
  | 'hands_off';
export type SkipState = 'open' | 'claimed' | 'sent' | 'confirmed' | 'refused' | 'unknown';
export type Admission = 'guarded' | 'open' | 'approve' | 'locked';
export type QueueOrder = 'fair' | 'votes' | 'arrival';
export type SkipRule = { kind: 'count'; value: number } | { kind: 'share'; value: number; at_least: number };

export interface ArtistView {
  name: string;
  uri: string | null;
}

export interface AlbumView {
  name: string;
  uri: string | null;
}

export interface TrackView {
  uri: string;
  name: string;
  artists: ArtistView[];
  album: AlbumView | null;
  image_url: string | null;
  duration_ms: number;
  explicit: boolean;
  url: string | null;
}

export interface DeviceView {
  id: string | null;
  name: string;
  kind: string;
  is_active?: boolean;
  volume_percent: number | null;
  supports_volume?: boolean;
}

export interface PlaybackView {
  state: PlaybackState;
  epoch: number;
  is_playing: boolean;
  progress_ms: number;
  as_of: number;
  track: TrackView | null;
  device: DeviceView | null;
  added_by: string | null;
  disallows?: string[];
  retry_at: number | null;
}

export interface SkipView {
  epoch: number;
  ballot: number;
  votes: string[];
  needed: number;
  electors: number;
  state: SkipState;
}

export interface QueueEntryView {
  id: string;
  track: TrackView;
  added_by: string | null;
  votes: string[];
  state: string;
  starts_at: number | null;
  why: string;
}

export interface MemberView {
  member_id: string;
  name: string;
  role: Role;
  online: boolean;
}

export interface WaitingView {
  member_id: string;
  name: string;
}

export interface MembersView {
  online: number;
  total: number;
  list: MemberView[];
  waiting: WaitingView[];
  banned?: WaitingView[];
}

export interface HostView {
  member_id: string;
  name: string;
}

export interface SettingsView {
  skip_rule: SkipRule;
  guests_can_pause: boolean;
  guests_can_seek: boolean;
  guests_can_set_volume: boolean;
  guests_can_queue: boolean;
  queue_order: QueueOrder;
  fallback_playlist: string | null;
  max_queued_per_member: number | null;
  adds_per_hour: number | null;
  max_track_min: number | null;
  no_repeat_min: number | null;
  allow_explicit: boolean;
  admission: Admission;
  vote_after_s: number;
}

export type SettingsPatch = Partial<SettingsView>;

export interface RoomView {
  code: string;
  name: string;
  version: number;
  created_at: number;
  host: HostView;
  settings: SettingsView;
  playback: PlaybackView;
  skip: SkipView | null;
  queue: QueueEntryView[];
  members: MembersView;
}

export interface RoomCard {
  code: string;
  name: string;
  host_name: string;
  members_online: number;
  now_playing: TrackView | null;
}

export type JoinWaiting = RoomCard & { waiting: boolean };

export interface Account {
  id: string;
  display_name: string | null;
  image_url: string | null;
  client_id: string;
  scopes: string[];
  connected_at: number;
  authorization_ends_at: number;
  premium: boolean | null;
  needs_login?: boolean;
}

export interface KnownRoom {
  code: string;
  name: string;
  role: Role;
}

export interface Me {
  member_id: string;
  name: string;
  spotify: Account | null;
  rooms: KnownRoom[];
  demo: { player_url: string } | null;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
}

export interface You {
  member_id: string;
  name: string;
  role: Role;
}

export interface Update {
  version: number;
  name?: string;
  host?: HostView;
  settings?: SettingsView;
  playback?: PlaybackView;
  skip?: SkipView | null;
  queue?: QueueEntryView[];
  members?: MembersView;
}

export type Notice =
  | { kind: 'skipped'; by: 'vote' | 'host'; epoch: number; member_id: string | null; track: string | null }
  | { kind: 'reaction'; member_id: string; emoji: string }
  | { kind: 'joined'; member_id: string; name: string }
  | { kind: 'action_failed'; code: string; message: string; action: string; member_id: string | null };

export type ServerFrame =
  | { type: 'hello'; protocol: number; you: You; server_time: number; heartbeat_ms: number }
  | { type: 'snapshot'; version: number; room: RoomView }
  | ({ type: 'update' } & Update)
  | { type: 'ack'; id: string; version: number }
  | { type: 'refused'; id: string | null; code: string; message: string; retry_ms: number | null }
  | ({ type: 'notice' } & Notice)
  | { type: 'pong'; id: string; server_time: number }
  | { type: 'bye'; code: number; message: string; retry_ms: number | null };

export type CommandBody =
  | { type: 'vote_skip' | 'unvote_skip' | 'skip'; epoch: number }
  | { type: 'play' | 'pause' | 'previous' | 'resume_room' | 'ping' }
  | { type: 'seek'; position_ms: number }
  | { type: 'set_volume'; percent: number }
  | { type: 'transfer'; device_id: string }
  | { type: 'play_now'; uri: string }
  | { type: 'set_role'; member_id: string; role: Role }
  | { type: 'admit_member' | 'remove_member' | 'ban_member' | 'unban_member'; member_id: string }
  | { type: 'react'; emoji: string };
