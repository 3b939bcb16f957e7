//! The settings as flags: one for each row of the server's table.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use server::Sources;
use server::config::setting::SETTINGS;

const CONFIG: &str = "config";

/// Gives a command that works on a store the same settings, of which its help shows those that say where the store is.
pub(crate) fn find(command: Command) -> Command {
    let about_serving = |arg: Arg| {
        let shown = [CONFIG, "data_dir", "secrets_dir", "root_key"].contains(&arg.get_id().as_str());
        arg.hide(!shown)
    };
    add(command).mut_args(about_serving)
}

/// Gives a command all settings.
pub(crate) fn add(command: Command) -> Command {
    let config =
        Arg::new(CONFIG).long(CONFIG).value_name("PATH").value_parser(value_parser!(PathBuf)).help(
            "The configuration file [STRONGROOM_CONFIG] [default: ~/.config/strongroom/strongroom.toml, if there]",
        );
    let flags = SETTINGS.iter().filter_map(|setting| {
        let help = format!("{} [{}] [default: {}]", setting.help, setting.variable(), setting.default);
        Some(Arg::new(setting.name).long(setting.flag?).value_name(setting.value).help(help))
    });
    command.arg(config).args(flags).next_line_help(true)
}

/// What was given.
pub(crate) fn sources(matches: &ArgMatches, environment: Vec<(OsString, OsString)>) -> Sources {
    let given = |name| matches.get_one::<String>(name).cloned();
    let flags = SETTINGS.iter().filter(|setting| setting.flag.is_some());
    Sources {
        config: matches.get_one::<PathBuf>(CONFIG).cloned(),
        flags: flags.filter_map(|setting| Some((setting.name, given(setting.name)?))).collect(),
        environment,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn flags_become_settings() {
        let matches = add(Command::new("test"))
            .try_get_matches_from(["test", "--data-dir", "/data", "--config", "/c.toml", "--http=off"])
            .unwrap();
        let sources = sources(&matches, Vec::new());
        assert_eq!(sources.config.unwrap(), PathBuf::from("/c.toml"));
        assert_eq!(sources.flags, [("data_dir", "/data".to_owned()), ("http", "off".to_owned())]);
    }

    #[test]
    fn no_secret_is_taken_from_the_command_line() {
        let secret = ["test", "--root-secret-access-key", "secret"];
        assert!(add(Command::new("test")).try_get_matches_from(secret).is_err());
    }
}
