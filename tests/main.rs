//! The whole system, from the outside.

mod architecture;
mod chaos;
mod stories {
    mod browser;
    mod calls;
    mod cluster;
    mod crash;
    mod main_job;
    mod once;
    mod secrets;
    mod start;
}
