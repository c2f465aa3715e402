//! The accounts service: consent and tokens.

mod authorize;
mod page;
mod token;

pub(crate) use authorize::{form, submit};
pub(crate) use token::{failure, token, user_behind};
