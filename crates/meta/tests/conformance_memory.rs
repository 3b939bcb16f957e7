//! The model of the property tests keeps the store's contract itself.

use std::sync::Arc;

use async_trait::async_trait;
use meta::Store;
use meta::conformance::Backend;
use meta::memory::Memory;

struct Handle(Memory);

#[async_trait]
impl Backend for Handle {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.reopen())
    }
}

meta::conformance!(|| Handle(Memory::new()));
