// Made by `npm run types` from crates/protocol/openapi.json. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The Spotify account behind a session. */
        Account: {
            /**
             * Format: int64
             * @description When the authorization ends (six months after it was given).
             */
            authorization_ends_at: number;
            /** @description The Spotify app that it authorized. */
            client_id: string;
            /**
             * Format: int64
             * @description When it was authorized.
             */
            connected_at: number;
            /** @description Spotify's name of it. */
            display_name: string | null;
            /** @description Spotify's user id. */
            id: string;
            /** @description Its picture. */
            image_url: string | null;
            /** @description Whether it must be authorized again. */
            needs_login?: boolean;
            /** @description Whether it has Premium; null until that is known. */
            premium: boolean | null;
            /** @description What was granted. */
            scopes: string[];
        };
        /**
         * @description Who comes in.
         * @enum {string}
         */
        Admission: "guarded" | "open" | "approve" | "locked";
        /** @description An album, or a podcast's show. */
        AlbumView: {
            /** @description The name. */
            name: string;
            /** @description `spotify:album:…`; null for local files. */
            uri: string | null;
        };
        /** @description An artist. */
        ArtistView: {
            /** @description The name. */
            name: string;
            /** @description `spotify:artist:…`; null for local files. */
            uri: string | null;
        };
        /** @description What a client sends: a command with the id that its answer carries. Unknown keys are ignored. */
        ClientFrame: components["schemas"]["CommandBody"] & {
            /** @description 1 to 64 characters. */
            id: string;
        };
        /**
         * @description Why something was not done. Clients decide by this, never by the message.
         * @enum {string}
         */
        Code: "bad_request" | "bad_command" | "no_session" | "not_allowed" | "not_admitted" | "spotify_required" | "wrong_origin" | "client_header_required" | "not_found" | "no_such_room" | "room_closed" | "too_many_rooms" | "method_not_allowed" | "unsupported_media_type" | "too_large" | "request_timeout" | "wrong_host" | "too_many_requests" | "upgrade_required" | "stale_epoch" | "nothing_playing" | "unknown_entry" | "unknown_member" | "already_queued" | "played_recently" | "queue_full" | "too_many_queued" | "adds_used_up" | "too_long" | "banned_track" | "explicit_not_allowed" | "not_playable" | "too_fast" | "needs_host" | "no_device" | "premium_required" | "restricted" | "spotify_unavailable" | "spotify_busy" | "store_unavailable" | "not_ready" | "internal";
        /** @description A command. Over HTTP it is sent without an id. */
        CommandBody: {
            /**
             * Format: int64
             * @description The epoch that is voted on.
             */
            epoch: number;
            /** @enum {string} */
            type: "vote_skip";
        } | {
            /**
             * Format: int64
             * @description The epoch that is voted on.
             */
            epoch: number;
            /** @enum {string} */
            type: "unvote_skip";
        } | {
            /** @enum {string} */
            type: "play";
        } | {
            /** @enum {string} */
            type: "pause";
        } | {
            /**
             * Format: int64
             * @description The epoch that is meant.
             */
            epoch: number;
            /** @enum {string} */
            type: "skip";
        } | {
            /** @enum {string} */
            type: "previous";
        } | {
            /**
             * Format: int64
             * @description The position.
             */
            position_ms: number;
            /** @enum {string} */
            type: "seek";
        } | {
            /**
             * Format: int32
             * @description 0 to 100.
             */
            percent: number;
            /** @enum {string} */
            type: "set_volume";
        } | {
            /** @description The device. */
            device_id: string;
            /** @enum {string} */
            type: "transfer";
        } | {
            /** @enum {string} */
            type: "play_now";
            /** @description Its URI. */
            uri: string;
        } | {
            /** @enum {string} */
            type: "resume_room";
        } | {
            /** @description The member. */
            member_id: string;
            /** @description `moderator` or `guest`. */
            role: components["schemas"]["Role"];
            /** @enum {string} */
            type: "set_role";
        } | {
            /** @description The member. */
            member_id: string;
            /** @enum {string} */
            type: "admit_member";
        } | {
            /** @description The member. */
            member_id: string;
            /** @enum {string} */
            type: "remove_member";
        } | {
            /** @description The member. */
            member_id: string;
            /** @enum {string} */
            type: "ban_member";
        } | {
            /** @description The member. */
            member_id: string;
            /** @enum {string} */
            type: "unban_member";
        } | {
            /** @description One emoji. */
            emoji: string;
            /** @enum {string} */
            type: "react";
        } | {
            /** @enum {string} */
            type: "ping";
        };
        /** @description The answer to a command over HTTP. */
        CommandResult: {
            /**
             * Format: int64
             * @description A version of the room that includes its effect.
             */
            version: number;
        };
        /** @description `POST /api/rooms`. */
        CreateRoom: {
            /** @description The room's name. */
            name: string;
            settings?: components["schemas"]["SettingsPatch"] | null;
        };
        /** @description The simulated Spotify of the demo. */
        DemoInfo: {
            /** @description The page that plays the part of Spotify's own app. */
            player_url: string;
        };
        /** @description A Spotify Connect device. */
        DeviceView: {
            /** @description Its id; null where Spotify keeps it to itself. */
            id: string | null;
            /** @description Whether it is the one that plays. */
            is_active?: boolean;
            /** @description `Speaker`, `Smartphone`, `Computer`, and whatever else Spotify says. */
            kind: string;
            /** @description Its name. */
            name: string;
            /** @description Whether its volume can be set from afar. */
            supports_volume?: boolean;
            /**
             * Format: int32
             * @description 0 to 100; null where unknown.
             */
            volume_percent: number | null;
        };
        /** @description Whose room it is. */
        HostView: {
            /** @description The host's member id. */
            member_id: string;
            /** @description The host's name. */
            name: string;
        };
        /** @description `POST /api/rooms/{code}/join`. */
        JoinRoom: {
            /** @description The name to show; absent: the session's. */
            name?: string | null;
        };
        /** @description The answer to a join that waits to be approved. */
        JoinWaiting: components["schemas"]["RoomCard"] & {
            /** @description Always true. */
            waiting: boolean;
        };
        /** @description A room that this browser knows. */
        KnownRoom: {
            /** @description Its code. */
            code: string;
            /** @description Its name. */
            name: string;
            /** @description What this person may do there. */
            role: components["schemas"]["Role"];
        };
        /** @description A list. */
        List_DeviceView: {
            /** @description The items. */
            items: {
                /** @description Its id; null where Spotify keeps it to itself. */
                id: string | null;
                /** @description Whether it is the one that plays. */
                is_active?: boolean;
                /** @description `Speaker`, `Smartphone`, `Computer`, and whatever else Spotify says. */
                kind: string;
                /** @description Its name. */
                name: string;
                /** @description Whether its volume can be set from afar. */
                supports_volume?: boolean;
                /**
                 * Format: int32
                 * @description 0 to 100; null where unknown.
                 */
                volume_percent: number | null;
            }[];
            /**
             * Format: int64
             * @description How many there are in all; null where that is not known.
             */
            total: number | null;
        };
        /** @description A list. */
        List_Playlist: {
            /** @description The items. */
            items: {
                /** @description Its picture. */
                image_url: string | null;
                /** @description Its name. */
                name: string;
                /** @description Whose it is. */
                owner: string | null;
                /** @description Whether its tracks can be read and so played by the room. */
                playable: boolean;
                /**
                 * Format: int64
                 * @description How many tracks it has; null where Spotify does not say.
                 */
                tracks: number | null;
                /** @description `spotify:playlist:…`. */
                uri: string;
            }[];
            /**
             * Format: int64
             * @description How many there are in all; null where that is not known.
             */
            total: number | null;
        };
        /** @description A list. */
        List_SavedTrack: {
            /** @description The items. */
            items: {
                /**
                 * Format: int64
                 * @description When it was saved.
                 */
                added_at: number | null;
                /** @description What it is. */
                track: components["schemas"]["TrackView"];
            }[];
            /**
             * Format: int64
             * @description How many there are in all; null where that is not known.
             */
            total: number | null;
        };
        /** @description Who is asking. */
        Me: {
            demo: components["schemas"]["DemoInfo"] | null;
            /** @description The person, as others see it. */
            member_id: string;
            /** @description The name shown to others. */
            name: string;
            /** @description The rooms of this person, newest first. */
            rooms: components["schemas"]["KnownRoom"][];
            spotify: components["schemas"]["Account"] | null;
        };
        /** @description A member. */
        MemberView: {
            /** @description The member. */
            member_id: string;
            /** @description Its name. */
            name: string;
            /** @description Whether it is here. */
            online: boolean;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
        };
        /** @description Who is here. */
        MembersView: {
            /** @description Who is banned, so that it can be taken back. */
            banned?: components["schemas"]["WaitingView"][];
            /** @description The host, the moderators and up to 200 members, those online first. */
            list: components["schemas"]["MemberView"][];
            /**
             * Format: int32
             * @description How many members are online.
             */
            online: number;
            /**
             * Format: int32
             * @description How many members there are.
             */
            total: number;
            /** @description Who waits to be let in. */
            waiting: components["schemas"]["WaitingView"][];
        };
        /** @description Something worth showing that is not state. */
        Notice: {
            /** @description By whom. */
            by: components["schemas"]["SkippedBy"];
            /**
             * Format: int64
             * @description The epoch that ended.
             */
            epoch: number;
            /** @enum {string} */
            kind: "skipped";
            /** @description The member, where one member did it. */
            member_id: string | null;
            /** @description The title that was skipped. */
            track: string | null;
        } | {
            /**
             * Format: int64
             * @description The epoch that was voted on.
             */
            epoch: number;
            /** @enum {string} */
            kind: "votes_voided";
        } | {
            /** @description With what. */
            emoji: string;
            /** @enum {string} */
            kind: "reaction";
            /** @description Who. */
            member_id: string;
        } | {
            /** @enum {string} */
            kind: "joined";
            /** @description Who. */
            member_id: string;
            /** @description Its name. */
            name: string;
        } | {
            /** @description The command's word, `vote_skip` for a vote. */
            action: string;
            /** @description Why. */
            code: components["schemas"]["Code"];
            /** @enum {string} */
            kind: "action_failed";
            /** @description Who asked for it, where one member did. */
            member_id: string | null;
            /** @description Why, in words. */
            message: string;
        };
        /** @description `PATCH /api/me`. */
        PatchMe: {
            /** @description 1 to 32 characters after trimming. */
            name: string;
        };
        /** @description `PATCH /api/rooms/{code}`. */
        PatchRoom: {
            /** @description A new name. */
            name?: string | null;
            settings?: components["schemas"]["SettingsPatch"] | null;
        };
        /**
         * @description How things are with the playback.
         * @enum {string}
         */
        PlaybackState: "ok" | "idle" | "no_device" | "needs_host" | "premium_required" | "spotify_busy" | "spotify_unavailable" | "private" | "hands_off";
        /** @description What plays. */
        PlaybackView: {
            /** @description The member who added it; null where the host's own choice plays. */
            added_by: string | null;
            /**
             * Format: int64
             * @description When `progress_ms` was true, in the server's time.
             */
            as_of: number;
            device: components["schemas"]["DeviceView"] | null;
            /** @description What Spotify forbids now, of `pausing`, `resuming`, `seeking`, `skipping_next`, `skipping_prev`. */
            disallows?: string[];
            /**
             * Format: int64
             * @description Grows by one whenever the playing item changes.
             */
            epoch: number;
            /** @description Whether it sounds. */
            is_playing: boolean;
            /**
             * Format: int64
             * @description The position at `as_of`; at the time `t` it is `progress_ms + (t - as_of)` while `is_playing`.
             */
            progress_ms: number;
            /**
             * Format: int64
             * @description Where Spotify asks to wait: until when; null otherwise.
             */
            retry_at: number | null;
            /** @description How things are. */
            state: components["schemas"]["PlaybackState"];
            track: components["schemas"]["TrackView"] | null;
        };
        /** @description A playlist of the host. */
        Playlist: {
            /** @description Its picture. */
            image_url: string | null;
            /** @description Its name. */
            name: string;
            /** @description Whose it is. */
            owner: string | null;
            /** @description Whether its tracks can be read and so played by the room. */
            playable: boolean;
            /**
             * Format: int64
             * @description How many tracks it has; null where Spotify does not say.
             */
            tracks: number | null;
            /** @description `spotify:playlist:…`. */
            uri: string;
        };
        /** @description An error (RFC 9457). */
        Problem: {
            /** @description Stable; decide by this. */
            code: components["schemas"]["Code"];
            /** @description What happened and what to do. */
            detail: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The status in words. */
            title: string;
            /** @description `about:blank`: the code says it all. */
            type: string;
        };
        /** @description A queued track. */
        QueueEntryView: {
            /** @description Who added it. */
            added_by: string | null;
            /** @description The entry. */
            id: string;
            /**
             * Format: int64
             * @description About when it plays.
             */
            starts_at: number | null;
            /** @description `waiting`, or `next` once it is handed to Spotify. */
            state: string;
            /** @description What it is. */
            track: components["schemas"]["TrackView"];
            /** @description Who voted for it. */
            votes: string[];
            /** @description Why it stands where it stands. */
            why: string;
        };
        /**
         * @description How the queue is ordered.
         * @enum {string}
         */
        QueueOrder: "fair" | "votes" | "arrival";
        /**
         * @description What a member may do.
         * @enum {string}
         */
        Role: "host" | "moderator" | "guest";
        /** @description The public card of a room. */
        RoomCard: {
            /** @description Its code. */
            code: string;
            /** @description Whose room it is. */
            host_name: string;
            /**
             * Format: int32
             * @description How many are there.
             */
            members_online: number;
            /** @description Its name. */
            name: string;
            now_playing: components["schemas"]["TrackView"] | null;
        };
        /** @description What `GET /api/rooms/{code}` answers. */
        RoomOrCard: components["schemas"]["RoomView"] | components["schemas"]["RoomCard"];
        /** @description The whole room. */
        RoomView: {
            /** @description The short code. */
            code: string;
            /**
             * Format: int64
             * @description When the room was opened, in milliseconds since the Unix epoch.
             */
            created_at: number;
            /** @description Whose room it is. */
            host: components["schemas"]["HostView"];
            /** @description Who is here. */
            members: components["schemas"]["MembersView"];
            /** @description The room's name. */
            name: string;
            /** @description What plays. */
            playback: components["schemas"]["PlaybackView"];
            /** @description What comes next. */
            queue: components["schemas"]["QueueEntryView"][];
            /** @description What guests may do, and how votes count. */
            settings: components["schemas"]["SettingsView"];
            skip: components["schemas"]["SkipView"] | null;
            /**
             * Format: int64
             * @description Grows with every change, over restarts and across processes.
             */
            version: number;
        };
        /** @description A saved track of the host. */
        SavedTrack: {
            /**
             * Format: int64
             * @description When it was saved.
             */
            added_at: number | null;
            /** @description What it is. */
            track: components["schemas"]["TrackView"];
        };
        /** @description What the server says. */
        ServerFrame: {
            /**
             * Format: int64
             * @description How often the server pings.
             */
            heartbeat_ms: number;
            /**
             * Format: int32
             * @description The protocol's version.
             */
            protocol: number;
            /**
             * Format: int64
             * @description The server's time.
             */
            server_time: number;
            /** @enum {string} */
            type: "hello";
            /** @description Who the client is here. */
            you: components["schemas"]["You"];
        } | {
            /** @description The room. */
            room: components["schemas"]["RoomView"];
            /** @enum {string} */
            type: "snapshot";
            /**
             * Format: int64
             * @description The room's version.
             */
            version: number;
        } | (components["schemas"]["Update"] & {
            /** @enum {string} */
            type: "update";
        }) | {
            /** @description The command. */
            id: string;
            /** @enum {string} */
            type: "ack";
            /**
             * Format: int64
             * @description A version that includes its effect.
             */
            version: number;
        } | {
            /** @description Why. */
            code: components["schemas"]["Code"];
            /** @description The command; null where the frame had no readable id. */
            id: string | null;
            /** @description Why, in words. */
            message: string;
            /**
             * Format: int64
             * @description After how long it may be tried again; null where that is not known.
             */
            retry_ms: number | null;
            /** @enum {string} */
            type: "refused";
        } | (components["schemas"]["Notice"] & {
            /** @enum {string} */
            type: "notice";
        }) | {
            /** @description The ping. */
            id: string;
            /**
             * Format: int64
             * @description The server's time.
             */
            server_time: number;
            /** @enum {string} */
            type: "pong";
        } | {
            /**
             * Format: int32
             * @description The close code.
             */
            code: number;
            /** @description Why, in words. */
            message: string;
            /**
             * Format: int64
             * @description After how long to come back; null: do not, or whenever you like.
             */
            retry_ms: number | null;
            /** @enum {string} */
            type: "bye";
        };
        /** @description The settings that change; those absent stay. */
        SettingsPatch: {
            /**
             * Format: int32
             * @description How many tracks a member may add in an hour.
             */
            adds_per_hour?: number | null;
            /** @description Who comes in. */
            admission?: components["schemas"]["Admission"];
            /** @description Explicit tracks are taken. */
            allow_explicit?: boolean;
            /** @description The playlist that plays when the queue is empty. */
            fallback_playlist?: string | null;
            /** @description Guests may play and pause. */
            guests_can_pause?: boolean;
            /** @description Guests may add tracks. */
            guests_can_queue?: boolean;
            /** @description Guests may seek. */
            guests_can_seek?: boolean;
            /** @description Guests may set the volume. */
            guests_can_set_volume?: boolean;
            /**
             * Format: int32
             * @description How many tracks a member may have waiting.
             */
            max_queued_per_member?: number | null;
            /**
             * Format: int32
             * @description The longest track, in minutes.
             */
            max_track_min?: number | null;
            /**
             * Format: int32
             * @description For how long a track that was played is not taken again, in minutes.
             */
            no_repeat_min?: number | null;
            /** @description How the queue is ordered. */
            queue_order?: components["schemas"]["QueueOrder"];
            /** @description How many votes skip. */
            skip_rule?: components["schemas"]["SkipRule"];
            /**
             * Format: int32
             * @description How long a newcomer waits before its vote counts, in seconds.
             */
            vote_after_s?: number;
        };
        /** @description What guests may do, and how votes count. */
        SettingsView: {
            /**
             * Format: int32
             * @description How many tracks a member may add in an hour; null: any number.
             */
            adds_per_hour: number | null;
            /** @description Who comes in. */
            admission: components["schemas"]["Admission"];
            /** @description Explicit tracks are taken. */
            allow_explicit: boolean;
            /** @description The playlist that plays when the queue is empty. */
            fallback_playlist: string | null;
            /** @description Guests may play and pause. */
            guests_can_pause: boolean;
            /** @description Guests may add tracks. */
            guests_can_queue: boolean;
            /** @description Guests may seek. */
            guests_can_seek: boolean;
            /** @description Guests may set the volume. */
            guests_can_set_volume: boolean;
            /**
             * Format: int32
             * @description How many tracks a member may have waiting; null: any number.
             */
            max_queued_per_member: number | null;
            /**
             * Format: int32
             * @description The longest track, in minutes; null: any.
             */
            max_track_min: number | null;
            /**
             * Format: int32
             * @description For how long a track that was played is not taken again, in minutes; null: it is taken at once.
             */
            no_repeat_min: number | null;
            /** @description How the queue is ordered. */
            queue_order: components["schemas"]["QueueOrder"];
            /** @description How many votes skip. */
            skip_rule: components["schemas"]["SkipRule"];
            /**
             * Format: int32
             * @description How long a newcomer waits before its vote counts, in seconds.
             */
            vote_after_s: number;
        };
        /** @description How many votes skip. */
        SkipRule: {
            /** @enum {string} */
            kind: "count";
            /**
             * Format: int32
             * @description 1 to 1000.
             */
            value: number;
        } | {
            /**
             * Format: int32
             * @description 1 to 1000.
             */
            at_least: number;
            /** @enum {string} */
            kind: "share";
            /**
             * Format: double
             * @description 0.01 to 1.0.
             */
            value: number;
        };
        /**
         * @description How far a ballot is.
         * @enum {string}
         */
        SkipState: "open" | "claimed" | "sent" | "confirmed" | "refused" | "unknown";
        /** @description The vote on what plays. */
        SkipView: {
            /**
             * Format: int64
             * @description The ballot within the epoch; a vote that is opened again is a new one.
             */
            ballot: number;
            /**
             * Format: int32
             * @description How many members count now.
             */
            electors: number;
            /**
             * Format: int64
             * @description The epoch that is voted on.
             */
            epoch: number;
            /**
             * Format: int32
             * @description How many votes skip now.
             */
            needed: number;
            /** @description How far it is. */
            state: components["schemas"]["SkipState"];
            /** @description Who is for skipping. */
            votes: string[];
        };
        /**
         * @description By whom a track was skipped.
         * @enum {string}
         */
        SkippedBy: "vote" | "host";
        /** @description A track. */
        TrackView: {
            album: components["schemas"]["AlbumView"] | null;
            /** @description Who plays it. */
            artists: components["schemas"]["ArtistView"][];
            /**
             * Format: int64
             * @description How long it is.
             */
            duration_ms: number;
            /** @description Whether it is marked explicit. */
            explicit: boolean;
            /** @description The artwork. */
            image_url: string | null;
            /** @description The title. */
            name: string;
            /** @description `spotify:track:…`. */
            uri: string;
            /** @description Its page at Spotify. */
            url: string | null;
        };
        /** @description The sections that changed; each replaces the client's whole. */
        Update: {
            host?: components["schemas"]["HostView"] | null;
            members?: components["schemas"]["MembersView"] | null;
            /** @description The room's name. */
            name?: string | null;
            playback?: components["schemas"]["PlaybackView"] | null;
            /** @description What comes next. */
            queue?: components["schemas"]["QueueEntryView"][] | null;
            settings?: components["schemas"]["SettingsView"] | null;
            skip?: components["schemas"]["SkipView"] | null;
            /**
             * Format: int64
             * @description The room's version.
             */
            version: number;
        };
        /** @description Someone who waits or is banned. */
        WaitingView: {
            /** @description The member. */
            member_id: string;
            /** @description Its name. */
            name: string;
        };
        /** @description Who the client is in the room. */
        You: {
            /** @description The member. */
            member_id: string;
            /** @description Its name. */
            name: string;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
