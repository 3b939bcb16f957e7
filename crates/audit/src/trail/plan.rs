//! CreateTrail and UpdateTrail, up to where buckets and keys have to be asked.

use keys::AccountId;

use super::name::TrailName;
use super::requests::{CreateTrailRequest, TrailOptions, UpdateTrailRequest};
use super::trails::{check_tags, new_id};
use super::{Error, Selectors, Trail};

/// A trail as it shall be; what the request names its key by has still to be looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The trail. Its key is the one that it had.
    pub trail: Trail,
    /// The key that the request names.
    pub key: Option<String>,
}

impl Plan {
    /// What CreateTrail asks for. `first` is the first number of the event log that the trail may want.
    ///
    /// # Errors
    /// What is wrong with the request alone.
    pub fn create(account: AccountId, region: &str, first: u64, request: CreateTrailRequest) -> Result<Self, Error> {
        let name = TrailName::parse(&request.name)?;
        check_bucket_name(&request.bucket)?;
        check_tags(&request.tags_list)?;
        let trail = Trail {
            id: new_id(),
            account,
            home: region.to_owned(),
            name: name.as_str().to_owned(),
            bucket: request.bucket,
            prefix: None,
            key: None,
            validation: false,
            multi_region: false,
            global_events: true,
            recursive: true,
            selectors: Selectors::default(),
            tags: request.tags_list,
            windows: Vec::new(),
            started: None,
            stopped: None,
            chain: 0,
            first,
            deleted: None,
        };
        Self { trail, key: None }.with(request.options)
    }

    /// What UpdateTrail asks for, of a trail as it is.
    ///
    /// # Errors
    /// What is wrong with the request alone.
    pub fn update(trail: &Trail, request: UpdateTrailRequest) -> Result<Self, Error> {
        let mut trail = trail.clone();
        if let Some(bucket) = request.bucket {
            check_bucket_name(&bucket)?;
            trail.bucket = bucket;
        }
        Self { trail, key: None }.with(request.options)
    }

    fn with(mut self, options: TrailOptions) -> Result<Self, Error> {
        refuse(&options)?;
        let trail = &mut self.trail;
        if let Some(prefix) = options.prefix {
            check_prefix(&prefix)?;
            let prefix = prefix.trim_end_matches('/');
            trail.prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
        }
        trail.global_events = options.include_global_service_events.unwrap_or(trail.global_events);
        trail.multi_region = options.is_multi_region_trail.unwrap_or(trail.multi_region);
        trail.recursive = options.recursive_logging.unwrap_or(trail.recursive);
        if let Some(validation) = options.enable_log_file_validation {
            if validation && !trail.validation {
                trail.chain += 1;
            }
            trail.validation = validation;
        }
        if trail.multi_region && !trail.global_events {
            return Err(Error::InvalidParameterCombination(
                "Multi-Region trail must include global service events.".to_owned(),
            ));
        }
        match options.kms_key_id {
            Some(key) if key.is_empty() => trail.key = None,
            key => self.key = key,
        }
        Ok(self)
    }
}

/// What this server has not.
fn refuse(options: &TrailOptions) -> Result<(), Error> {
    if options.sns_topic_name.as_ref().is_some_and(|name| !name.is_empty()) {
        let message = "SNS Topic does not exist or the topic policy is incorrect!";
        return Err(Error::InsufficientSnsTopicPolicy(message.to_owned()));
    }
    let logs = [&options.cloud_watch_logs_log_group_arn, &options.cloud_watch_logs_role_arn];
    if logs.into_iter().flatten().any(|arn| !arn.is_empty()) {
        return Err(Error::CloudWatchLogsDeliveryUnavailable(
            "Cannot set a CloudWatch Logs delivery for this region.".to_owned(),
        ));
    }
    if options.is_organization_trail == Some(true) {
        return Err(Error::OrganizationsNotInUse(
            "The request could not be processed because your account is not a member of an organization.".to_owned(),
        ));
    }
    Ok(())
}

/// S3 User Guide, "Bucket naming rules".
///
/// # Errors
/// [`Error::InvalidS3BucketName`].
pub fn check_bucket_name(name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    if (3..=63).contains(&bytes.len())
        && bytes.iter().copied().all(allowed)
        && ends.into_iter().flatten().all(u8::is_ascii_alphanumeric)
    {
        return Ok(());
    }
    Err(Error::InvalidS3BucketName(format!("Bucket name {name} is not valid.")))
}

fn check_prefix(prefix: &str) -> Result<(), Error> {
    if prefix.chars().count() > PREFIX_LIMIT {
        return Err(Error::InvalidS3Prefix(format!("S3 prefix is longer than maximum length: {PREFIX_LIMIT}")));
    }
    if prefix.chars().any(char::is_control) || prefix.starts_with('/') {
        return Err(Error::InvalidS3Prefix(format!("Invalid S3 prefix: {prefix}")));
    }
    Ok(())
}

/// `S3KeyPrefix`: "The maximum length is 200 characters."
const PREFIX_LIMIT: usize = 200;
