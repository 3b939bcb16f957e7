//! Work that goes on when nobody waits for it any more.
//!
//! Hyper drops the future of a request when its client hangs up. What the request has changed by then stands, and its record must too:
//! whoever is gone before the answer would otherwise leave no trace.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Runs `work` where it is polled, like any future; if it is dropped before its end, it goes on by itself.
pub(crate) struct Unbroken<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

impl<T: Send + 'static> Unbroken<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)) }
    }
}

impl<T: Send + 'static> Future for Unbroken<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let work = self.work.as_mut().expect("a future is not polled after its end");
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Unbroken<T> {
    fn drop(&mut self) {
        // Without a runtime the process is at its end.
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            runtime.spawn(async move { drop(work.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn what_is_dropped_ends_all_the_same_and_once() {
        let steps = Arc::new(AtomicU32::new(0));
        let work = || {
            let steps = Arc::clone(&steps);
            Unbroken::new(async move {
                steps.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                steps.fetch_add(1, Ordering::SeqCst);
            })
        };
        work().await;
        assert_eq!(steps.load(Ordering::SeqCst), 2);
        let cut = tokio::time::timeout(Duration::from_millis(1), work()).await;
        assert!(cut.is_err());
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(steps.load(Ordering::SeqCst), 4);
    }
}
