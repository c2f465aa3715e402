//! Whole-system tests; see `README.md`.
