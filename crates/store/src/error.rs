//! What can go wrong in a store.

/// Why a store could not answer. None of these says anything about the question.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is full, or did not answer in time. A write may or may not have happened.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What is stored cannot be: damage, or another program's hand.
    #[error("inconsistent record in {table}, {key}: {what}")]
    Inconsistent {
        /// The table or kind of record.
        table: &'static str,
        /// Which one.
        key: String,
        /// What is wrong with it.
        what: String,
    },
}
