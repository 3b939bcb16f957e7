//! Asking for a passphrase on the terminal, without showing it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::error::Error;

/// Asks whoever sits at the terminal of this process; `twice` for a passphrase that is new.
///
/// # Errors
/// [`Error::NoTerminal`]; [`Error::PassphrasesDiffer`].
pub fn passphrase(twice: bool) -> Result<Zeroizing<String>, Error> {
    let first = ask("Passphrase of the root key: ").map_err(Error::NoTerminal)?;
    if twice && *ask("The same again: ").map_err(Error::NoTerminal)? != *first {
        return Err(Error::PassphrasesDiffer);
    }
    Ok(first)
}

fn ask(question: &str) -> io::Result<Zeroizing<String>> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let _silence = Silence::new(&terminal)?;
    (&terminal).write_all(question.as_bytes())?;
    // Room for any passphrase: a String that grows would leave copies behind.
    let mut line = Zeroizing::new(String::with_capacity(4096));
    BufReader::with_capacity(1, &terminal).read_line(&mut line)?;
    (&terminal).write_all(b"\n")?;
    while line.ends_with(['\n', '\r']) {
        line.pop();
    }
    Ok(line)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl Silence<'_> {
    fn new(terminal: &File) -> io::Result<Silence<'_>> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Silence { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
