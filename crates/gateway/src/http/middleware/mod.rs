//! What every request passes, outermost first: the closing line, the headers, the address, the host, the origin.

pub(super) mod address;
pub(super) mod closing_line;
pub(super) mod headers;
pub(super) mod host;
pub(super) mod origin;
pub(super) mod size;
