//! The laws that every engine keeps, one function each. An engine's test file makes them its tests:
//!
//! ```ignore
//! store::conformance!(|| async { (Memory::new().store(), ()) });
//! ```
//!
//! The second value lives as long as the test: whatever must not be dropped before. Each law takes an empty store. Where
//! what is behind the store is dear to make, one test runs all laws in turn: `store::conformance!(in_turn NAME: MADE)`,
//! `MADE` being a future of something with `async fn fresh(&self, law: &str) -> (Store, HELD)`.

pub mod accounts;
pub mod leases;
pub mod limits;
pub mod rooms;
pub mod sessions;

use std::future::Future;
use std::time::Duration;

use kernel::{AccountId, MemberId, NodeId, RoomCode, Timestamp};

/// Makes every law a test of the engine that the factory gives.
#[macro_export]
macro_rules! conformance {
    (in_turn $name:ident: $made:expr) => {
        $crate::conformance!(@list $name $made);
    };
    ($factory:expr) => {
        $crate::conformance!(@list each $factory);
    };
    (@list $how:ident $factory:expr) => {
        $crate::conformance!(@laws $how $factory;
            rooms: the_first_commit_creates_and_a_taken_code_conflicts, of_two_decisions_on_one_version_one_wins,
                a_commit_changes_the_records_that_it_names, a_refused_commit_stores_nothing,
                an_older_fence_is_refused_and_a_newer_one_stays, a_room_that_is_not_there_is_gone,
                a_restore_replaces_the_whole_room_and_keeps_its_fence, a_restore_needs_what_it_found_and_only_goes_forward,
                a_durable_commit_is_a_commit, what_was_decided_on_another_memory_is_refused,
                followers_hear_every_commit_in_order, what_is_told_of_a_commit_adds_up, a_follower_of_one_room_hears_nothing_of_another,
                a_follower_that_falls_behind_is_told, many_writers_make_one_order, codes_come_in_pages,
                a_purge_deletes_what_has_expired_and_its_memberships, memberships_come_in_order_and_can_be_forgotten;
            sessions: a_hash_that_exists_is_left_as_it_is, what_has_expired_is_not_found,
                a_deleted_session_stays_deleted, a_rotation_is_one_step, a_rotation_of_what_is_gone_does_nothing,
                sessions_are_found_by_account_and_member, followers_hear_ends_and_changes,
                one_of_many_takes_an_attempt, an_expired_attempt_is_not_taken,
                beyond_the_cap_the_first_to_expire_goes, a_purge_of_sessions_says_how_many_rows;
            accounts: a_grant_is_kept, generations_only_grow_over_deletion_too,
                an_update_needs_the_generation_that_it_saw, work_in_flight_cannot_bring_back_what_was_deleted,
                of_many_updates_of_one_generation_one_wins;
            leases: one_holder_at_a_time, fences_grow_over_release_and_expiry, a_renewal_needs_holder_fence_and_time,
                a_release_by_another_does_nothing, the_holder_is_known_while_it_holds, of_many_that_want_a_lease_one_gets_it;
            limits: a_window_begins_with_its_first_count, counts_of_many_callers_all_count, the_longer_pause_stays,
                pauses_are_found_by_prefix_in_order;
        );
    };
    (@laws each $factory:expr; $($port:ident: $($law:ident),+;)+) => {
        $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            let (store, held) = ($factory)().await;
            $crate::conformance::$port::$law(store).await;
            drop(held);
        })+)+
    };
    (@laws $name:ident $made:expr; $($port:ident: $($law:ident),+;)+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let made = $made.await;
            $($({
                let (store, held) = made.fresh(stringify!($law)).await;
                $crate::conformance::$port::$law(store).await;
                drop(held);
            })+)+
        }
    };
}

/// The instant that most laws begin at.
const START: Timestamp = Timestamp(1_800_000_000_000);

fn code(text: &str) -> RoomCode {
    text.parse().expect("a code of the test")
}

fn member(text: &str) -> MemberId {
    text.parse().expect("an id of the test")
}

fn account(text: &str) -> AccountId {
    text.parse().expect("an id of the test")
}

fn node(text: &str) -> NodeId {
    text.parse().expect("an id of the test")
}

/// Waits for what must come; a deadline turns silence into a failure.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("it comes")
}
