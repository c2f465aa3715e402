/**
 * The wire contract, as the page uses it: names for what `npm run types` makes of the OpenAPI document of
 * `crates/protocol`. No shape is written here.
 */
import type { components } from './protocol.gen';

type Schemas = components['schemas'];

export type Role = Schemas['Role'];
export type PlaybackState = Schemas['PlaybackState'];
export type SkipState = Schemas['SkipState'];
export type Admission = Schemas['Admission'];
export type QueueOrder = Schemas['QueueOrder'];
export type SkipRule = Schemas['SkipRule'];
export type ArtistView = Schemas['ArtistView'];
export type AlbumView = Schemas['AlbumView'];
export type TrackView = Schemas['TrackView'];
export type DeviceView = Schemas['DeviceView'];
export type PlaybackView = Schemas['PlaybackView'];
export type SkipView = Schemas['SkipView'];
export type QueueEntryView = Schemas['QueueEntryView'];
export type MemberView = Schemas['MemberView'];
export type WaitingView = Schemas['WaitingView'];
export type MembersView = Schemas['MembersView'];
export type HostView = Schemas['HostView'];
export type SettingsView = Schemas['SettingsView'];
export type SettingsPatch = Schemas['SettingsPatch'];
export type RoomView = Schemas['RoomView'];
export type RoomCard = Schemas['RoomCard'];
export type JoinWaiting = Schemas['JoinWaiting'];
export type Account = Schemas['Account'];
export type KnownRoom = Schemas['KnownRoom'];
export type Me = Schemas['Me'];
export type Problem = Schemas['Problem'];
export type You = Schemas['You'];
export type Update = Schemas['Update'];
export type Notice = Schemas['Notice'];
export type ServerFrame = Schemas['ServerFrame'];
export type CommandBody = Schemas['CommandBody'];
