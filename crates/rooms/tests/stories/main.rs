//! What people in a room may rely on, as stories.

#[path = "../check/mod.rs"]
mod check;

mod loss;
mod members;
mod orders;
mod permissions;
mod records;
mod votes;
mod watching;
