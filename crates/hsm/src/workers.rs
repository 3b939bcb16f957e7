//! Threads that may be lost: where calls into a module run, so that one that hangs takes nothing else with it.
//!
//! They are not tokio's blocking threads: a runtime waits for those when it ends, and a hanging module would keep the whole
//! process from ending.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::Error;

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(30);
/// Calls that may wait for a thread. Each holds a request's memory, and the last would wait longer than its time limit.
const QUEUE_MAX: usize = 1024;

/// The threads of one token.
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads_max: usize,
    time_limit: Duration,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Threads whose caller has given up on them.
    late: AtomicUsize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

type Job = Box<dyn FnOnce() + Send>;

impl Workers {
    /// At most `threads_max` threads, and `time_limit` for a call, waiting included. No thread is started yet.
    pub(crate) fn new(threads_max: usize, time_limit: Duration) -> Workers {
        let shared = Shared { state: Mutex::default(), wake: Condvar::new(), late: AtomicUsize::new(0) };
        Workers { shared: Arc::new(shared), threads_max: threads_max.max(1), time_limit }
    }

    /// Threads that still hang in a call whose caller was answered [`Error::TimedOut`], or went away.
    pub(crate) fn late(&self) -> usize {
        self.shared.late.load(Ordering::Acquire)
    }

    /// Runs `work` on a thread and waits for it, no longer than the time limit. Work that no thread has begun by then never
    /// begins.
    ///
    /// # Errors
    /// [`Error::TimedOut`]; [`Error::Overloaded`] at once if every thread hangs or the queue is full.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let call = Arc::new(Call { stage: AtomicU8::new(WAITING), shared: Arc::clone(&self.shared) });
        // Its drop gives the call up: at the time limit, and when the request itself was cancelled.
        let patience = Patience(Arc::clone(&call));
        self.push(Box::new(move || {
            let Some(running) = Running::begin(&call) else { return };
            let result = work();
            drop(running);
            let _ = reply.send(result);
        }))?;
        let outcome = tokio::time::timeout(self.time_limit, answer).await;
        drop(patience);
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Other("a call into the module panicked".to_owned())),
            Err(_) => Err(Error::TimedOut),
        }
    }

    fn push(&self, job: Job) -> Result<(), Error> {
        let mut state = self.shared.lock();
        if self.late() >= self.threads_max || state.queue.len() >= QUEUE_MAX {
            return Err(Error::Overloaded);
        }
        state.queue.push_back(job);
        if state.idle >= state.queue.len() || state.threads >= self.threads_max {
            self.shared.wake.notify_one();
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        match std::thread::Builder::new().name("hsm".to_owned()).spawn(move || shared.work()) {
            Ok(_) => state.threads += 1,
            // Without any thread the call would only wait.
            Err(error) if state.threads == 0 => {
                state.queue.pop_back();
                return Err(Error::Other(format!("no thread can be started: {error}")));
            }
            Err(_) => {}
        }
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                drop(state);
                // The call's caller learns of a panic by the answer that never comes; the thread goes on.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let (woken, waited) = self.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.queue.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

/// What has become of a call.
const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const GIVEN_UP: u8 = 2;
const LATE: u8 = 3;
const DONE: u8 = 4;

struct Call {
    stage: AtomicU8,
    shared: Arc<Shared>,
}

impl Call {
    fn step(&self, from: u8, to: u8) -> bool {
        self.stage.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The caller's side of a call.
struct Patience(Arc<Call>);

impl Drop for Patience {
    fn drop(&mut self) {
        let call = &self.0;
        if call.step(WAITING, GIVEN_UP) {
            return;
        }
        // Counted before it is marked, so that the thread never takes off what is not there yet.
        call.shared.late.fetch_add(1, Ordering::AcqRel);
        if !call.step(RUNNING, LATE) {
            call.shared.late.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// The thread's side of a call.
struct Running<'a>(&'a Call);

impl Running<'_> {
    fn begin(call: &Call) -> Option<Running<'_>> {
        call.step(WAITING, RUNNING).then_some(Running(call))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.0.stage.swap(DONE, Ordering::AcqRel) == LATE {
            self.0.shared.late.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    const SHORT: Duration = Duration::from_millis(50);

    async fn until_none_is_late(workers: &Workers) {
        for _ in 0..500 {
            if workers.late() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} threads are late", workers.late());
    }

    #[tokio::test]
    async fn what_runs_in_time_answers() {
        let workers = Workers::new(2, Duration::from_secs(10));
        for number in 0..100 {
            assert_eq!(workers.run(move || Ok(number)).await, Ok(number));
        }
        assert_eq!(workers.run(|| Err::<(), _>(Error::KeyMissing)).await, Err(Error::KeyMissing));
        assert_eq!(workers.late(), 0);
    }

    #[tokio::test]
    async fn what_hangs_is_answered_counted_and_bounded_and_comes_back() {
        let workers = Workers::new(2, SHORT);
        let mut release = Vec::new();
        for late in 1..=2 {
            let (sender, receiver) = mpsc::channel::<()>();
            release.push(sender);
            let hung = workers.run(move || {
                let _ = receiver.recv();
                Ok(())
            });
            assert_eq!(hung.await, Err(Error::TimedOut));
            assert_eq!(workers.late(), late);
        }
        let started = Instant::now();
        assert_eq!(workers.run(|| Ok(())).await, Err(Error::Overloaded));
        assert!(started.elapsed() < SHORT, "nobody waits for threads that all hang");
        drop(release);
        until_none_is_late(&workers).await;
        assert_eq!(workers.run(|| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn what_has_not_begun_in_time_never_begins() {
        let workers = Workers::new(1, SHORT);
        let (release, receiver) = mpsc::channel::<()>();
        let hung = workers.run(move || {
            let _ = receiver.recv();
            Ok(())
        });
        let (begun, seen) = mpsc::channel::<()>();
        let waiting = workers.run(move || {
            let _ = begun.send(());
            Ok(())
        });
        let (hung, waiting) = tokio::join!(hung, waiting);
        assert_eq!((hung, waiting), (Err(Error::TimedOut), Err(Error::TimedOut)));
        drop(release);
        until_none_is_late(&workers).await;
        assert_eq!(workers.run(|| Ok(7)).await, Ok(7));
        assert!(seen.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_no_more() {
        let workers = Workers::new(1, Duration::from_secs(10));
        assert!(matches!(workers.run(|| -> Result<(), Error> { panic!("a test") }).await, Err(Error::Other(_))));
        assert_eq!(workers.run(|| Ok(7)).await, Ok(7));
        assert_eq!(workers.late(), 0);
    }
}
