use super::*;

fn publication(version: u64, base: u64, notices: &[&'static str]) -> Arc<Publication> {
    let notices = notices.iter().map(|notice| Bytes::from_static(notice.as_bytes())).collect();
    let snapshot = move || Bytes::from(format!("[snapshot {version}]"));
    Arc::new(Publication::new(version, base, Bytes::from(format!("[{base}..{version}]")), notices, snapshot))
}

/// What a client with a version is told of a batch.
#[track_caller]
fn check(batch: &Batch, version: u64, expected: &str, then: u64) {
    let told = batch
        .for_version(version)
        .map(|(bytes, version)| (String::from_utf8_lossy(&bytes).into_owned(), version));
    let expected = (!expected.is_empty()).then(|| (expected.to_owned(), then));
    assert_eq!(told, expected, "a client with version {version}");
}

#[test]
fn each_client_is_told_what_it_misses() {
    let batch = Batch::new(vec![publication(6, 4, &["(skipped)"])], &[]);
    check(&batch, 3, "[snapshot 6](skipped)", 6);
    check(&batch, 4, "[4..6](skipped)", 6);
    check(&batch, 5, "[4..6](skipped)", 6);
    check(&batch, 6, "", 6);
    check(&batch, 7, "", 7);
}

#[test]
fn several_versions_go_out_together() {
    let batch =
        Batch::new(vec![publication(5, 4, &["(a)"]), publication(6, 5, &["(b)"])], &[Bytes::from("(c)")]);
    check(&batch, 4, "[4..5](a)[5..6](b)(c)", 6);
    check(&batch, 5, "[5..6](b)(c)", 6);
    check(&batch, 3, "[snapshot 6](a)(b)(c)", 6);
    check(&batch, 6, "(c)", 6);
    check(&batch, 9, "(c)", 9);
}

#[test]
fn a_gap_between_versions_is_bridged_by_the_snapshot() {
    let batch = Batch::new(vec![publication(5, 4, &["(a)"]), publication(8, 7, &["(b)"])], &[]);
    check(&batch, 4, "[snapshot 8](a)(b)", 8);
    check(&batch, 5, "[snapshot 8](b)", 8);
    check(&batch, 7, "[7..8](b)", 8);
    let batch = Batch::new(vec![publication(5, 4, &[]), publication(8, 7, &[]), publication(9, 8, &[])], &[]);
    check(&batch, 4, "[snapshot 9]", 9);
}

#[test]
fn notices_alone_change_no_version() {
    let batch = Batch::new(Vec::new(), &[Bytes::from("(a)"), Bytes::from("(b)")]);
    check(&batch, 0, "(a)(b)", 0);
    check(&batch, 5, "(a)(b)", 5);
}

#[test]
fn who_is_behind_gets_the_newest_that_is_news() {
    let batch = Batch::new(vec![publication(5, 4, &[]), publication(6, 5, &[])], &[]);
    let newest = |version| batch.newest_after(version).map(|newest| newest.version());
    assert_eq!([newest(4), newest(5), newest(6), newest(7)], [Some(6), Some(6), None, None]);
    let six = publication(6, 5, &[]);
    let told = |version| six.for_version(version).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(told(4).as_deref(), Some("[snapshot 6]"));
    assert_eq!(told(5).as_deref(), Some("[5..6]"));
    assert_eq!(told(6), None);
}
