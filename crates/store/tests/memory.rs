//! The memory engine keeps the laws.

use store::memory::Memory;

store::conformance!(|| async { (Memory::new().store(), ()) });

mod of_memory_alone {
    use store::StoreError;
    use store::memory::Memory;

    #[tokio::test]
    async fn an_outage_answers_nothing_and_changes_nothing() {
        let memory = Memory::new();
        let store = memory.store();
        let until = kernel::Timestamp(1000);
        memory.set_outage(true);
        let put = store.limits.pause_put("all", until).await;
        assert!(matches!(put, Err(StoreError::Unavailable(_))));
        memory.set_outage(false);
        assert_eq!(store.limits.pauses("", kernel::Timestamp(0)).await.expect("is back"), []);
    }
}
