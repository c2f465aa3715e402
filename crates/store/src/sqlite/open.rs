//! Opening the data directory: whose it is, whether it is whole, whether this binary knows it. Nothing is written before
//! all of that is answered.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::migrate;
use super::writer::BUSY;

/// The database, inside the data directory.
const DATABASE: &str = "parlor.db";
/// The database before it is whole.
const UNFINISHED: &str = "parlor.db.new";
/// Locked for as long as a process uses the directory. Empty; left behind.
const LOCK: &str = "lock";
/// The first bytes of every SQLite database (sqlite.org/fileformat.html, 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// At byte 68 of the header, big-endian: `Prlr`, so that another program's database is not taken for ours.
const APPLICATION: i32 = 0x5072_6c72;
/// The first SQLite without the WAL-reset corruption.
const SQLITE_AT_LEAST: i32 = 3_051_003;

/// Why the embedded store did not open. Whatever was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operating system refused.
    #[error(
        "cannot use {path}: {source}; check that the directory exists, is writable and is owned by this user"
    )]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the directory.
    #[error(
        "the data directory {dir} is in use by another Parlor process; stop that one, or set another directory"
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The file is of another kind.
    #[error("{path} is not a Parlor database ({what}); move it away, or set another data directory")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged ({what}); it was not touched: restore a backup, or move it away to start empty"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A newer Parlor wrote it.
    #[error(
        "{path} has schema version {found}, this Parlor knows only {known}: a newer Parlor wrote it; run that one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that this binary knows.
        known: i64,
    },
    /// A migration failed; the database is at the version before it.
    #[error("migration {number} of {path} failed and was undone ({what}); mend the cause and start again")]
    Migration {
        /// The file.
        path: PathBuf,
        /// Which one.
        number: usize,
        /// What SQLite said.
        what: String,
    },
    /// SQLite refused a healthy file.
    #[error("cannot open {path}: {what}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        what: String,
    },
    /// The SQLite in this binary has a fault that loses data.
    #[error("this binary contains SQLite {found}, which can corrupt its log; build it with 3.51.3 or newer")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
}

/// An opened data directory.
pub(super) struct Opened {
    pub(super) writer: Connection,
    /// For copying the log into the database beside the writing.
    pub(super) copies: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) lock: File,
}

/// Where the directory's database is.
pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join(DATABASE)
}

/// Opens the directory with `readers` connections for reading, or says why not.
pub(super) fn open(dir: &Path, readers: usize) -> Result<Opened, OpenError> {
    if rusqlite::version_number() < SQLITE_AT_LEAST {
        return Err(OpenError::OldSqlite { found: rusqlite::version() });
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io(dir))?;
    let lock = lock(dir)?;
    let path = database(dir);
    if path.try_exists().map_err(io(&path))? {
        check(&path)?;
    } else {
        create(dir, &path)?;
    }
    let failed = sqlite(&path);
    let mut writer = writing(&path).map_err(&failed)?;
    migrate(&mut writer, &path)?;
    // Whoever held them is gone: the lock of the directory is ours. Fences go on from their counter.
    writer.execute("DELETE FROM lease", []).map_err(&failed)?;
    let copies = writing(&path).map_err(&failed)?;
    let readers = (0..readers).map(|_| reading(&path)).collect::<Result<_, _>>().map_err(&failed)?;
    Ok(Opened { writer, copies, readers, lock })
}

/// An operating system's lock: it ends with the process, however that ends.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

/// Whether an existing file is ours, whole and not too new. First its header, as plain bytes; then SQLite's own check on a
/// connection that cannot write. Where there is a log to be read, SQLite is let at it; else the file counts as immutable
/// and no helper file appears beside it.
fn check(path: &Path) -> Result<(), OpenError> {
    let mut header = [0; 100];
    // Closed before SQLite opens the file: closing it later would drop SQLite's locks.
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).map_err(|source| {
        if source.kind() == ErrorKind::UnexpectedEof {
            return OpenError::Foreign { path: path.to_owned(), what: "it is too short" };
        }
        OpenError::Io { path: path.to_owned(), source }
    })?;
    if !header.starts_with(MAGIC) {
        return Err(OpenError::Foreign { path: path.to_owned(), what: "it is not an SQLite database" });
    }
    if header[68..72] != APPLICATION.to_be_bytes() {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            what: "it is another program's SQLite database",
        });
    }
    let damaged = |what: String| OpenError::Damaged { path: path.to_owned(), what };
    let (found, result) = inspect(path).map_err(|error| damaged(error.to_string()))?;
    if found > migrate::KNOWN {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: migrate::KNOWN });
    }
    if result != "ok" {
        return Err(damaged(result));
    }
    Ok(())
}

/// The version of the schema, and `ok` or the first damage.
fn inspect(path: &Path) -> rusqlite::Result<(i64, String)> {
    let logged = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let uri = if logged { file_uri(path, "") } else { file_uri(path, "?immutable=1") };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY)?;
    let version = migrate::version(&connection)?;
    let check = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((version, check))
}

/// Makes the database under another name and renames it once it is whole and on the disk: `parlor.db` is never half made.
fn create(dir: &Path, path: &Path) -> Result<(), OpenError> {
    let log = beside(path, "-wal");
    if log.try_exists().map_err(io(&log))? {
        let what = format!("it is missing, but its log {} is there", log.display());
        return Err(OpenError::Damaged { path: path.to_owned(), what });
    }
    let unfinished = dir.join(UNFINISHED);
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let left = beside(&unfinished, suffix);
        match std::fs::remove_file(&left) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(OpenError::Io { path: left, source });
            }
            _ => {}
        }
    }
    // SQLite gives its log and index the mode of the database.
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(0o600).open(&unfinished).map_err(io(&unfinished))?;
    let failed = sqlite(&unfinished);
    let mut connection = writing(&unfinished).map_err(&failed)?;
    migrate(&mut connection, &unfinished)?;
    connection.pragma_update(None, "application_id", APPLICATION).map_err(&failed)?;
    connection.close().map_err(|(_, error)| failed(error))?;
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(io(&unfinished))?;
    std::fs::rename(&unfinished, path).map_err(io(path))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir))
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    migrate::migrate(connection).map_err(|failed| OpenError::Migration {
        path: path.to_owned(),
        number: failed.number,
        what: failed.source.to_string(),
    })
}

fn writing(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    // In the middle of a commit it would keep whoever waits for that one waiting: the writer has it done beside itself.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    common(&connection)?;
    Ok(connection)
}

fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    common(&connection)?;
    Ok(connection)
}

fn common(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // In KiB where negative.
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// The file with `suffix` at the end of its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// SQLite's `file:` form of a path (sqlite.org/uri.html), every unusual byte escaped.
fn file_uri(path: &Path, query: &str) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            uri.extend(
                [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
        }
    }
    uri.push_str(query);
    uri
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> OpenError {
    move |source| OpenError::Io { path: path.to_owned(), source }
}

fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> OpenError {
    move |error| OpenError::Sqlite { path: path.to_owned(), what: error.to_string() }
}
