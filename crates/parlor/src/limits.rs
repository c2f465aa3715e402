//! How many sockets the system lets us have.

/// Raises the limit of open files as far as it may be raised: each guest is one.
pub(crate) fn raise() {
    if let Err(error) = rlimit::increase_nofile_limit(1 << 20) {
        tracing::warn!(%error, "limits.files could not be raised");
    }
}
