//! From `Host` to a bucket: virtual-host style against the configured domains, everything else is path style.

/// The domains under which `<bucket>.<domain>` names a bucket.
#[derive(Clone, Debug, Default)]
pub struct Domains {
    /// Lower case, without a port and without a dot at either end.
    bases: Vec<String>,
}

impl Domains {
    /// Domains as an operator wrote them; case, a port and dots at the ends do not matter, empty ones are left out.
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> Domains {
        let mut bases: Vec<String> = names
            .into_iter()
            .map(|name| without_port(name.as_ref()).trim_matches('.').to_ascii_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        // With both `s3.example` and `eu.s3.example` configured, the longer one decides.
        bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        Domains { bases }
    }

    /// The bucket that `host` (the `Host` header or the target's authority, with or without a port) names, lower case.
    /// `None` for a domain itself, an address, `localhost` and every foreign name: those are path style.
    pub fn bucket(&self, host: &str) -> Option<String> {
        let host = without_port(host);
        for base in &self.bases {
            let Some(split) = host.len().checked_sub(base.len()) else { continue };
            let Some((front, end)) = host.split_at_checked(split) else { continue };
            if !end.eq_ignore_ascii_case(base) {
                continue;
            }
            return match front.strip_suffix('.') {
                Some(bucket) if !bucket.is_empty() => Some(bucket.to_ascii_lowercase()),
                _ if front.is_empty() => None,
                _ => continue,
            };
        }
        None
    }
}

/// The host without `:port`; an IPv6 literal keeps its brackets (RFC 3986, 3.2.2).
fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains() -> Domains {
        Domains::new(["S3.Example.com:9000", "eu.s3.example.com", "localhost", ""])
    }

    #[test]
    fn a_label_before_a_domain_is_a_bucket() {
        assert_eq!(domains().bucket("photos.s3.example.com:9000").as_deref(), Some("photos"));
        assert_eq!(domains().bucket("my.photos.S3.example.COM").as_deref(), Some("my.photos"));
        assert_eq!(domains().bucket("photos.localhost:9000").as_deref(), Some("photos"));
    }

    #[test]
    fn the_longest_domain_decides() {
        assert_eq!(domains().bucket("a.eu.s3.example.com").as_deref(), Some("a"));
        assert_eq!(domains().bucket("eu.s3.example.com"), None);
    }

    #[test]
    fn everything_else_is_path_style() {
        for host in [
            "s3.example.com",
            "localhost:9000",
            "127.0.0.1:9000",
            "[::1]:9000",
            "photoss3.example.com",
            "example.org",
            ".s3.example.com",
            "",
        ] {
            assert_eq!(domains().bucket(host), None, "{host}");
        }
    }
}
