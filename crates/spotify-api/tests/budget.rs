//! Plans of calls, and counting against them.

use kernel::Timestamp;
use spotify_api::Purpose::{Act, Follow, Watch as Look};
use spotify_api::{Budget, CallPlan, Group, PlanError, Watch};

const START: Timestamp = Timestamp(1_790_000_000_000);
const DAY_MS: u64 = 86_400_000;

fn budget(plan: &str) -> Budget {
    Budget::new(&CallPlan::parse(plan).expect("a plan"))
}

#[test]
fn a_plan_is_read_or_says_what_is_wrong() {
    let check = |text: &str, watch: Watch| {
        assert_eq!(CallPlan::parse(text).map(|plan| plan.watch()), Ok(watch), "{text}");
    };
    check("development", Watch::EndOfTrack);
    check(" extended ", Watch::Within10s);
    check("player=5000/day,search=500/day,all=60/30s", Watch::EndOfTrack);
    check("player=20000/day", Watch::Within10s);
    check("artist-albums=1/h , artist_albums=5/2d,me=1/min", Watch::Within10s);
    check("all=1/30s", Watch::EndOfTrack);

    let wrong = |text: &str, words: &str| {
        let error = CallPlan::parse(text).expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    };
    wrong("", "development, extended");
    wrong("Development", "\"Development\"");
    wrong("player", "GROUP=CALLS/TIME");
    wrong("player=5000", "GROUP=CALLS/TIME");
    wrong("player=5000/day,", "GROUP=CALLS/TIME");
    wrong("players=5000/day", "\"players\" is no group");
    wrong("player=many/day", "\"many\"");
    wrong("player=0/day", "\"0\"");
    wrong("player=-1/day", "\"-1\"");
    wrong("player=99999999999/day", "\"99999999999\"");
    wrong("player=5/fortnight", "\"fortnight\"");
    wrong("player=5/0s", "\"0s\"");
    wrong("player=5/8d", "\"8d\"");
    wrong("player=5/30", "\"30\"");
    wrong("player=5/99999999999999999999s", "is not a time");
    assert!(matches!(CallPlan::parse("all=1/h,all=2/60min"), Err(PlanError::Twice { .. })));
}

#[test]
fn a_cap_holds_over_every_stretch_of_its_time() {
    let mut budget = budget("all=60/30s");
    let mut taken: Vec<Timestamp> = Vec::new();
    let mut now = START;
    while now < START.plus_ms(300_000) {
        match budget.take(now, Group::Player, Act) {
            Ok(()) => taken.push(now),
            Err(wait) => now = now.plus_ms(wait - 1),
        }
        now = now.plus_ms(1);
    }
    assert!(taken.windows(61).all(|calls| calls[60].since(calls[0]) >= 30_000), "never 61 within 30 s");
    assert!(taken.len() > 560, "and the cap is made use of: {}", taken.len());
}

#[test]
fn the_wait_is_right_and_costs_nothing() {
    let mut budget = budget("search=2/60s");
    assert_eq!(budget.take(START, Group::Search, Act), Ok(()));
    assert_eq!(budget.left(START, Group::Search), 1);
    assert_eq!(budget.take(START.plus_ms(20_000), Group::Search, Act), Ok(()));
    let wait = budget.take(START.plus_ms(20_000), Group::Search, Act).expect_err("used up");
    assert_eq!(budget.take(START.plus_ms(20_000), Group::Search, Act), Err(wait));
    assert_eq!(budget.take(START.plus_ms(20_000 + wait - 1), Group::Search, Act), Err(1));
    assert_eq!(budget.take(START.plus_ms(20_000 + wait), Group::Search, Act), Ok(()));
    assert_eq!(budget.left(START.plus_ms(20_000 + wait), Group::Search), 0);
    assert_eq!(
        budget.take(START.plus_ms(20_000), Group::Player, Act),
        Ok(()),
        "other groups are not concerned"
    );
}

#[test]
fn a_call_counts_for_its_group_and_for_all() {
    let mut budget = budget("all=3/60s,player=2/60s");
    assert_eq!(budget.take(START, Group::Player, Act), Ok(()));
    assert_eq!(budget.take(START, Group::Player, Act), Ok(()));
    assert!(budget.take(START, Group::Player, Act).is_err());
    assert_eq!(budget.take(START, Group::Me, Act), Ok(()), "what was refused was not counted");
    assert!(budget.take(START, Group::Me, Act).is_err());
}

#[test]
fn what_is_scarce_is_kept_for_what_somebody_waits_for() {
    let check = |plan: &str, group: Group| {
        let mut budget = budget(plan);
        let mut taken = |purpose| (0..100).take_while(|_| budget.take(START, group, purpose).is_ok()).count();
        [taken(Look), taken(Follow), taken(Act), taken(Look)]
    };
    assert_eq!(check("player=50/day", Group::Player), [25, 20, 5, 0]);
    assert_eq!(check("all=1/30s", Group::Player), [1, 0, 0, 0], "one is no reserve");
    let mut learned = budget("development");
    learned.quota_used_up(START, Group::Player, START);
    let taken = |purpose, learned: &mut Budget| {
        (0..100).take_while(|_| learned.take(START, Group::Player, purpose).is_ok()).count()
    };
    assert_eq!(
        [taken(Look, &mut learned), taken(Act, &mut learned)],
        [10, 10],
        "of the 20 that were learned"
    );
}

#[test]
fn who_only_looks_takes_turns_within_the_rate() {
    let mut extended = budget("extended");
    let turns: Vec<u64> = (0..1_000).map(|_| extended.turn(START).since(START)).collect();
    assert_eq!(turns[..4], [0, 67, 134, 201]);
    assert!(turns.is_sorted_by(|one, next| one + 67 == *next), "one by one, in the order of asking");
    assert_eq!(extended.turn(START.plus_ms(3_600_000)), START.plus_ms(3_600_000), "no turn is saved up");
    assert_eq!(extended.turn(START), START.plus_ms(600_000), "a clock that was set back");
    assert_eq!((0..9).map(|_| budget("player=5/day").turn(START)).max(), Some(START), "a day is no rate");
}

#[test]
fn what_spotify_closed_stays_closed() {
    let mut budget = budget("extended");
    let until = START.plus_ms(5_000);
    budget.park(Group::Search, until);
    budget.park(Group::Search, START.plus_ms(1_000));
    assert_eq!(budget.parked(Group::Search, START), Some(until), "the later end stays");
    assert_eq!(budget.take(START, Group::Search, Act), Err(5_000));
    assert_eq!(budget.left(START, Group::Search), 0);
    assert_eq!(budget.take(START, Group::Player, Act), Ok(()));
    assert_eq!(budget.take(until, Group::Search, Act), Ok(()));

    budget.park_all(until.plus_ms(7_000));
    for group in Group::ALL {
        assert_eq!(budget.take(until, group, Act), Err(7_000));
    }
}

#[test]
fn a_quota_that_was_met_is_remembered_for_a_week() {
    let mut budget = budget("development");
    for call in 0..50 {
        assert_eq!(budget.take(START.plus_ms(call * 1_000), Group::ArtistAlbums, Act), Ok(()));
    }
    let refused = START.plus_ms(60_000);
    budget.quota_used_up(refused, Group::ArtistAlbums, refused.plus_ms(DAY_MS));
    let wait = budget.take(refused, Group::ArtistAlbums, Act).expect_err("closed");
    assert!(
        (DAY_MS..DAY_MS + DAY_MS / 24).contains(&wait),
        "a day, and until the counted calls have rolled out: {wait}"
    );

    let open = refused.plus_ms(2 * DAY_MS);
    assert_eq!(budget.left(open, Group::ArtistAlbums), 50, "learned: less than the planned 80");
    assert_eq!(
        budget.left(refused.plus_ms(8 * DAY_MS), Group::ArtistAlbums),
        60,
        "forgotten: the rate is the least"
    );
    assert_eq!(budget.left(open, Group::Search), 60);
}

#[test]
fn somebody_elses_use_of_the_quota_does_not_silence_us() {
    let mut budget = budget("development");
    budget.quota_used_up(START, Group::Player, START.plus_ms(1_000));
    assert_eq!(budget.left(START.plus_ms(1_000), Group::Player), 20);
}

#[test]
fn a_clock_that_goes_back_frees_nothing() {
    let mut budget = budget("me=2/60s");
    assert_eq!(budget.take(START, Group::Me, Act), Ok(()));
    assert_eq!(budget.take(START.minus_ms(3_600_000), Group::Me, Act), Ok(()));
    assert!(budget.take(START, Group::Me, Act).is_err());
    assert!(budget.take(START.minus_ms(3_600_000), Group::Me, Act).is_err());
}
