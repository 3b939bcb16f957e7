//! What a first start tells the person who started it.

use std::fmt;
use std::path::PathBuf;

use keys::AccountId;

/// What was made, and how to go on. `Display` is the text for people.
#[derive(Debug)]
pub struct Welcome {
    /// The store.
    pub data_dir: PathBuf,
    /// The root key, in words.
    pub root_key: String,
    /// The file of the root credentials, if they were made.
    pub root_credentials: Option<PathBuf>,
    /// The root user's account.
    pub account: AccountId,
}

impl fmt::Display for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "A new store for account {}:\n", self.account)?;
        writeln!(f, "  data               {}", self.data_dir.display())?;
        writeln!(f, "  root key           {}", self.root_key)?;
        if let Some(path) = &self.root_credentials {
            writeln!(f, "  root credentials   {}", path.display())?;
        }
        writeln!(f, "\nTo use it from another terminal, with any AWS client:\n")?;
        writeln!(f, "  eval \"$(strongroom env)\"")?;
        writeln!(f, "  aws s3 mb s3://my-bucket")
    }
}
