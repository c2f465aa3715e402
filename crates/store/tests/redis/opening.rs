//! What is refused when the store opens, and that nothing is touched then.

use store::redis::OpenError;

use super::server::{Server, cluster, free_port};
use super::{PATIENT, open, try_open};

async fn refused(url: &str) -> OpenError {
    let error = try_open(url).await.expect_err("it must not open");
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    error
}

#[tokio::test]
async fn credentials_are_used_and_never_shown() {
    let server = Server::start(&["--requirepass", "hunter2"]);
    let at = format!("127.0.0.1:{}", server.port);
    for wrong in ["", "anna:hunter2@", ":hunter2x@"] {
        let error = refused(&format!("redis://{wrong}{at}{PATIENT}")).await;
        assert!(matches!(error, OpenError::Refused { .. }), "{wrong}: {error}");
    }
    let redis = open(&format!("redis://:hunter2@{at}{PATIENT}")).await;
    assert!(!format!("{redis:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_user_with_few_permissions_suffices() {
    let server = Server::start(&[]);
    let rules = ["ACL", "SETUSER", "anna", "on", ">hunter2", "~parlor:*", "&parlor:*"];
    let more = ["+@all", "-@admin", "-@dangerous", "+info"];
    assert_eq!(server.cli(&[&rules[..], &more[..]].concat()), "OK");
    let redis = open(&format!("redis://anna:hunter2@127.0.0.1:{}{PATIENT}", server.port)).await;
    redis.store().rooms.room_commit(super::commit(0)).await.expect("is made");
    redis.store().sessions.sessions_follow().await.expect("follows");
    let other = refused(&format!("redis://anna:hunter2@127.0.0.1:{}?prefix=other", server.port)).await;
    assert!(other.to_string().contains("permission"), "{other}");
}

#[tokio::test]
async fn other_keys_under_the_prefix_are_left_alone() {
    let server = Server::start(&[]);
    let url = format!("redis://127.0.0.1:{}{PATIENT}", server.port);
    let cases: [&[&str]; 4] = [
        &["SET", "parlor:layout", "v1"],
        &["LPUSH", "parlor:layout", "parlor layout 1"],
        &["SET", "parlor:{rooms}:codes", "x"],
        &["SADD", "parlor:{sessions}:rows", "x"],
    ];
    for command in cases {
        server.cli(command);
        let before = server.cli(&["DUMP", command[1]]);
        let error = refused(&url).await;
        assert!(matches!(error, OpenError::Foreign { .. }), "{command:?}: {error}");
        assert!(error.to_string().contains(command[1]), "{error}");
        assert_eq!((server.cli(&["DUMP", command[1]]), server.cli(&["DBSIZE"])), (before, "1".to_owned()));
        open(&format!("{url}&prefix=mine")).await;
        server.cli(&["FLUSHALL"]);
    }
}

#[tokio::test]
async fn a_newer_layout_is_refused() {
    let server = Server::start(&[]);
    let url = format!("redis://127.0.0.1:{}{PATIENT}", server.port);
    open(&url).await;
    assert_eq!(server.cli(&["GET", "parlor:layout"]), "parlor layout 1");
    open(&url).await;
    server.cli(&["SET", "parlor:layout", "parlor layout 2"]);
    let error = refused(&url).await;
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("newer Parlor"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let at = format!("127.0.0.1:{}", free_port());
    for scheme in ["redis", "redis-cluster"] {
        let error = refused(&format!("{scheme}://:hunter2@{at}")).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains(&at), "{error}");
    }
}

#[tokio::test]
async fn a_cluster_and_a_single_server_are_told_apart() {
    let server = Server::start(&[]);
    let error = refused(&format!("redis-cluster://127.0.0.1:{}{PATIENT}", server.port)).await;
    assert!(error.to_string().contains("write redis://"), "{error}");
    let nodes = cluster();
    let error = refused(&format!("redis://127.0.0.1:{}{PATIENT}", nodes[0].port)).await;
    assert!(error.to_string().contains("write redis-cluster://"), "{error}");
}

#[tokio::test]
async fn what_is_no_url_is_said_without_repeating_it() {
    let error = refused("redis://anna:hunter2@host:port").await;
    assert!(matches!(error, OpenError::Url(_)), "{error}");
}
