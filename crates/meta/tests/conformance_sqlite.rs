//! SQLite keeps the store's contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use async_trait::async_trait;
use meta::Store;
use meta::conformance::Backend;
use meta::sqlite::{Options, Sqlite};

struct Folder(tempfile::TempDir);

#[async_trait]
impl Backend for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(Sqlite::open(&self.0.path().join("meta.db"), Options::default()).unwrap())
    }
}

meta::conformance!(|| Folder(tempfile::tempdir().unwrap()));
