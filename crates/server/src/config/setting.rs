//! The table of all settings: one row for each, from which the flags, the variables and the file's names follow.

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in a configuration file. Its variable is `STRONGROOM_` and the name in capitals.
    pub name: &'static str,
    /// Its flag, without the dashes. None for what must not stand on a command line, where every process of the machine can read it,
    /// nor in a file that is copied about: such a setting has its variable alone.
    pub flag: Option<&'static str>,
    /// What to write for the value in a usage line.
    pub value: &'static str,
    /// What holds without it, in words.
    pub default: &'static str,
    /// What it sets, in a sentence.
    pub help: &'static str,
}

/// Every setting, in the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "data_dir",
        flag: Some("data-dir"),
        value: "PATH",
        default: "./strongroom-data",
        help: "The folder that holds the store: metadata and blobs, all of it ciphertext",
    },
    Setting {
        name: "http",
        flag: Some("http"),
        value: "ADDRESS",
        default: "127.0.0.1:9000",
        help: "Where to listen for HTTP: an IP address and a port, or \"off\"",
    },
    Setting {
        name: "https",
        flag: Some("https"),
        value: "ADDRESS",
        default: "127.0.0.1:9443",
        help: "Where to listen for HTTPS: an IP address and a port, or \"off\"",
    },
    Setting {
        name: "listeners",
        flag: Some("listeners"),
        value: "LISTENERS",
        default: "none",
        help: "More listeners, each with a name of letters, digits and hyphens that policies know as aws:SourceVpce: NAME=https://ADDRESS:PORT or NAME=http://ADDRESS:PORT, separated by commas",
    },
    Setting {
        name: "allow",
        flag: Some("allow"),
        value: "RANGES",
        default: "everybody",
        help: "Who may connect: address ranges like 10.0.0.0/8, separated by commas. LISTENER=RANGE is for one listener (http, https or a name of listeners), which is then for its own ranges alone",
    },
    Setting {
        name: "tls_client_ca",
        flag: Some("tls-client-ca"),
        value: "PATHS",
        default: "none: no certificate is asked for",
        help: "Certificate authorities, as PEM, that clients must have a certificate from (mutual TLS): PATH for all that listens for HTTPS, LISTENER=PATH for one listener, separated by commas",
    },
    Setting {
        name: "trusted_proxies",
        flag: Some("trusted-proxies"),
        value: "RANGES",
        default: "none",
        help: "Proxies whose X-Forwarded-For is believed: address ranges or addresses, separated by commas",
    },
    Setting {
        name: "delay_failures",
        flag: Some("delay-failures"),
        value: "STATE",
        default: "on",
        help: "Whether addresses from which signatures fail over and over wait for the answers: \"on\", or \"off\" for tests that send many",
    },
    Setting {
        name: "request_rate",
        flag: Some("request-rate"),
        value: "RATE",
        default: "off",
        help: "How many requests a second each principal may make, over all services: a number, or \"off\"",
    },
    Setting {
        name: "request_quotas",
        flag: Some("request-quotas"),
        value: "QUOTAS",
        default: "off",
        help: "Whether AWS's request quotas of KMS and CloudTrail hold for each account: \"on\", \"off\", or a number from 0.01 to 1000 to multiply them by",
    },
    Setting {
        name: "tls_certificate",
        flag: Some("tls-certificate"),
        value: "PATH",
        default: "a certificate of the development CA",
        help: "The server's certificate and its chain, as PEM; needs tls_key",
    },
    Setting {
        name: "tls_key",
        flag: Some("tls-key"),
        value: "PATH",
        default: "a key made at every start",
        help: "The private key of the certificate, as PEM",
    },
    Setting {
        name: "root_key",
        flag: Some("root-key"),
        value: "PROVIDERS",
        default: "file:root.key in the secrets folder",
        help: "Where the root key is: file:PATH, passphrase:PATH, passphrase-env:NAME, passphrase-prompt, pkcs11:URI or kms:https://HOST/KEY. Several are separated by commas; the first is used, the others only open. A file that does not exist is made, but only for a new store",
    },
    Setting {
        name: "secrets_dir",
        flag: Some("secrets-dir"),
        value: "PATH",
        default: "a folder for this data directory in $XDG_CONFIG_HOME/strongroom, else in ~/.config/strongroom",
        help: "The secrets folder: root key, root credentials and development CA. Not inside the data directory",
    },
    Setting {
        name: "root_access_key_id",
        flag: None,
        value: "ID",
        default: "made on the first start",
        help: "The root user's access key id; needs root_secret_access_key. Not stored",
    },
    Setting {
        name: "root_secret_access_key",
        flag: None,
        value: "SECRET",
        default: "made on the first start",
        help: "The root user's secret access key: at least 20 characters, and no well-known one. Not stored",
    },
    Setting {
        name: "region",
        flag: Some("region"),
        value: "REGION",
        default: "us-east-1 for a new store, else the store's own",
        help: "The Region in ARNs and credential scopes. It belongs to the store: set once, it cannot change",
    },
    Setting {
        name: "regions",
        flag: Some("regions"),
        value: "REGIONS",
        default: "the store's own alone",
        help: "The Regions in which KMS answers, separated by commas: the store's own, and others, whose keys are apart from its keys but for multi-Region keys. Keys of a Region that is left out later stay in the store, out of reach. S3 is in the store's own Region alone",
    },
    Setting {
        name: "account_id",
        flag: Some("account-id"),
        value: "DIGITS",
        default: "random for a new store, else the store's own",
        help: "The root user's account, 12 digits. It belongs to the store: set once, it cannot change",
    },
    Setting {
        name: "accounts",
        flag: Some("accounts"),
        value: "PATH",
        default: "none",
        help: "A file of more accounts and their access keys",
    },
    Setting {
        name: "hsms",
        flag: Some("hsms"),
        value: "HSMS",
        default: "none",
        help: "HSMs that may become custom key stores of type AWS_CLOUDHSM: CLUSTER=pkcs11:token=LABEL?module-path=PATH, separated by commas. CLUSTER is the CloudHsmClusterId that each shall answer to",
    },
    Setting {
        name: "xks_ca_certificates",
        flag: Some("xks-ca-certificates"),
        value: "PATH",
        default: "none",
        help: "Certificate authorities, as PEM, that the proxies of external key stores may have their certificates from, besides those that the system trusts",
    },
    Setting {
        name: "xks_routes",
        flag: Some("xks-routes"),
        value: "ROUTES",
        default: "none",
        help: "Where proxies of external key stores are, if not where the DNS says and on port 443: HOST=https://ADDRESS:PORT, separated by commas. HOST=http://127.0.0.1:PORT is for a proxy on this machine",
    },
    Setting {
        name: "oidc_ca_certificates",
        flag: Some("oidc-ca-certificates"),
        value: "PATH",
        default: "none",
        help: "Certificate authorities, as PEM, that issuers of web identities (OpenID Connect) may have their certificates from, besides those that the system trusts",
    },
    Setting {
        name: "oidc_routes",
        flag: Some("oidc-routes"),
        value: "ROUTES",
        default: "none",
        help: "Where issuers of web identities are, if not where the DNS says and on port 443: HOST=https://ADDRESS:PORT, separated by commas. HOST=http://127.0.0.1:PORT is for an issuer on this machine",
    },
    Setting {
        name: "domains",
        flag: Some("domains"),
        value: "NAMES",
        default: "localhost,s3.localhost",
        help: "Domains under which BUCKET.DOMAIN names a bucket, separated by commas. The development certificate names them too",
    },
    Setting {
        name: "blocked_encryption_types",
        flag: Some("blocked-encryption-types"),
        value: "TYPES",
        default: "SSE-C",
        help: "What new buckets block until someone allows it: \"SSE-C\", as on AWS, or \"NONE\"",
    },
    Setting {
        name: "audit",
        flag: Some("audit"),
        value: "MODE",
        default: "strict",
        help: "Whether an answer waits until its record is in the audit log: \"strict\", or \"relaxed\", where a crash loses the records of half a second",
    },
    Setting {
        name: "audit_retention_days",
        flag: Some("audit-retention-days"),
        value: "DAYS",
        default: "400",
        help: "How long records stay in the audit log: 90 days at least, which LookupEvents looks back. What trails have delivered stays in their buckets",
    },
    Setting {
        name: "trail_delivery_seconds",
        flag: Some("trail-delivery-seconds"),
        value: "SECONDS",
        default: "300",
        help: "How often trails deliver log files, if there is anything to deliver; 86400 at most",
    },
    Setting {
        name: "trail_digest_seconds",
        flag: Some("trail-digest-seconds"),
        value: "SECONDS",
        default: "3600",
        help: "How often trails with log file validation deliver a digest; 86400 at most",
    },
    Setting {
        name: "block_public_access",
        flag: Some("block-public-access"),
        value: "STATE",
        default: "on",
        help: "Whether new buckets refuse public policies and strangers until someone changes that: \"on\", as on AWS, or \"off\"",
    },
    Setting {
        name: "inline_limit",
        flag: Some("inline-limit"),
        value: "BYTES",
        default: "32768",
        help: "Objects up to this size are kept in their metadata record, larger ones in blobs; at most 1048576",
    },
    Setting {
        name: "max_connections",
        flag: Some("max-connections"),
        value: "COUNT",
        default: "4096",
        help: "How many connections are served at once; others wait to be accepted",
    },
    Setting {
        name: "log_level",
        flag: Some("log-level"),
        value: "FILTER",
        default: "info",
        help: "What is logged: error, warn, info, debug or trace, also by module, as in \"info,gateway=debug\"",
    },
    Setting {
        name: "log_format",
        flag: Some("log-format"),
        value: "FORMAT",
        default: "text",
        help: "How it is logged: \"text\" or \"json\". Logs go to standard error",
    },
];

impl Setting {
    /// The setting of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// The name of its environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }
}

/// What the names of all our environment variables begin with.
pub const PREFIX: &str = "STRONGROOM_";

/// The variable that names the configuration file; its flag is `--config`.
pub const CONFIG_VARIABLE: &str = "STRONGROOM_CONFIG";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_documentation_has_every_setting_as_it_is() {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let document = std::fs::read_to_string(document).unwrap();
        for setting in SETTINGS {
            let row = format!("| `{}` | {} |", setting.name, setting.default.replace('|', "\\|"));
            assert!(document.contains(&row), "docs/configuration.md lacks {row}");
            assert!(document.contains(setting.help), "docs/configuration.md lacks: {}", setting.help);
        }
        let table = document.split_once("## Settings").unwrap().1.split_once("\n## ").unwrap().0;
        assert_eq!(table.matches("\n| `").count(), SETTINGS.len(), "a row too many");
    }

    #[test]
    fn flags_are_the_names_with_hyphens() {
        for setting in SETTINGS {
            assert!(setting.flag.is_none_or(|flag| flag == setting.name.replace('_', "-")));
        }
    }
}
