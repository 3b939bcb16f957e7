//! Making key material: at once where that takes microseconds, on a thread of its own for RSA, whose search for primes would
//! stall every other request of its core for seconds.

use std::sync::OnceLock;

use material::import::{WrappingKey, WrappingKeySpec};
use material::{KeySpec, Secret};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Internal};

/// Requests that wait for the generating thread. More are refused: at a second or two each, the last of these waits a minute.
const MAX_WAITING: usize = 32;
/// The generating thread's niceness: it has what others leave (weight 15 against 1,024 of the scheduler's shares).
const NICENESS: i32 = 19;

/// Makes material.
pub(crate) struct Generator {
    slow: OnceLock<mpsc::Sender<Order>>,
}

/// Makes something and answers whoever asked for it.
type Order = Box<dyn FnOnce() + Send>;

impl Generator {
    pub(crate) fn new() -> Self {
        Self { slow: OnceLock::new() }
    }

    /// New private material of a spec, in its stored form.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] if too many wait for RSA keys already; [`Internal::Cryptography`] if the library fails.
    pub(crate) async fn generate(&self, spec: KeySpec) -> Result<Secret, Error> {
        if spec.is_slow_to_generate() {
            return self.order(move || material::generate(spec)).await;
        }
        material::generate(spec).map_err(|error| Internal::Cryptography(error).into())
    }

    /// A new key pair for wrapping material that is to be imported.
    ///
    /// # Errors
    /// As [`Generator::generate`].
    pub(crate) async fn generate_wrapping(&self, spec: WrappingKeySpec) -> Result<WrappingKey, Error> {
        self.order(move || WrappingKey::generate(spec)).await
    }

    async fn order<T: Send + 'static>(
        &self,
        make: impl FnOnce() -> Result<T, material::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, made) = oneshot::channel();
        let queue = self.slow.get_or_init(start);
        let full = || Error::LimitExceeded("Too many RSA keys are being made. Try again.".to_owned());
        let order = move || {
            // Whoever asked may have gone; then nothing is made.
            if !answer.is_closed() {
                let _gone = answer.send(make());
            }
        };
        queue.try_send(Box::new(order)).map_err(|_| full())?;
        made.await.map_err(|_| full())?.map_err(|error| Internal::Cryptography(error).into())
    }
}

/// The thread ends when the last [`Generator`] is dropped.
fn start() -> mpsc::Sender<Order> {
    let (queue, mut orders) = mpsc::channel::<Order>(MAX_WAITING);
    let work = move || {
        if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
            tracing::warn!(%error, "making RSA keys will compete with requests");
        }
        while let Some(order) = orders.blocking_recv() {
            order();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("key-generation".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread for making RSA keys");
    }
    queue
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn every_spec_is_made_and_loads() {
        let generator = Arc::new(Generator::new());
        for spec in KeySpec::ALL.iter().copied().filter(|spec| *spec != KeySpec::SymmetricDefault) {
            let made = generator.generate(spec).await.unwrap();
            assert!(material::Key::load(spec, made.expose()).is_ok(), "{spec}");
        }
    }

    #[tokio::test]
    async fn a_long_queue_is_refused_and_a_gone_caller_costs_nothing() {
        let generator = Arc::new(Generator::new());
        let orders: Vec<_> = (0..MAX_WAITING * 3)
            .map(|_| {
                let generator = Arc::clone(&generator);
                tokio::spawn(async move { generator.generate(KeySpec::Rsa4096).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        orders.iter().take(MAX_WAITING * 2).for_each(tokio::task::JoinHandle::abort);
        let mut refused = 0;
        for order in orders.into_iter().skip(MAX_WAITING * 2) {
            refused += usize::from(matches!(order.await.unwrap(), Err(Error::LimitExceeded(_))));
        }
        assert_eq!(refused, MAX_WAITING);
    }
}
