-- Lay down everything that the embedded store keeps: rooms, sessions, accounts, leases, limits.

-- A room is its version and its records. `fence` is the newest conductor's that wrote here.
CREATE TABLE room (
    code       TEXT    NOT NULL PRIMARY KEY,
    version    INTEGER NOT NULL,
    fence      INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX room_by_expiry ON room (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE room_record (
    code  TEXT NOT NULL REFERENCES room (code) ON DELETE CASCADE,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (code, key)
) STRICT, WITHOUT ROWID;

-- Written before the room's own commit, hence no reference to the room.
CREATE TABLE membership (
    member TEXT NOT NULL,
    code   TEXT NOT NULL,
    PRIMARY KEY (member, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_by_room ON membership (code);

CREATE TABLE session (
    hash       BLOB    NOT NULL PRIMARY KEY,
    member     TEXT    NOT NULL,
    account    TEXT,
    expires_at INTEGER NOT NULL,
    data       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_member ON session (member, hash);
CREATE INDEX session_by_account ON session (account, hash) WHERE account IS NOT NULL;
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE attempt (
    state      BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    data       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_expiry ON attempt (expires_at, state);

-- A deleted grant leaves its generation, with no data: it must never be given out again.
CREATE TABLE account_grant (
    account    TEXT    NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    data       BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder TEXT    NOT NULL,
    fence  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_by_end ON lease (until);

-- One row: the last fence given, of whatever lease.
CREATE TABLE last_fence (
    only  INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    fence INTEGER NOT NULL
) STRICT;
INSERT INTO last_fence VALUES (1, 0);

CREATE TABLE limit_window (
    name    TEXT    NOT NULL PRIMARY KEY,
    count   INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_window_by_end ON limit_window (ends_at);

CREATE TABLE pause (
    name  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
