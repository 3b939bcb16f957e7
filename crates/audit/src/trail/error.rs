//! What an operation on trails can fail with: a variant for each exception of the CloudTrail model that this server can come to.

model::errors! {
    Internal(String) = "InternalFailure", "The request processing has failed because of an unknown error, exception or failure.";
    /// What should be a trail's ARN is none.
    ArnInvalid = "CloudTrailARNInvalidException",
    /// There are no CloudWatch Logs here.
    CloudWatchLogsDeliveryUnavailable = "CloudWatchLogsDeliveryUnavailableException",
    /// Somebody else changed the same trail while this request tried.
    Conflict = "ConflictException",
    /// The key's policy does not let CloudTrail use it.
    InsufficientEncryptionPolicy = "InsufficientEncryptionPolicyException",
    /// The bucket's policy does not let CloudTrail write.
    InsufficientS3BucketPolicy = "InsufficientS3BucketPolicyException",
    /// There are no SNS topics here.
    InsufficientSnsTopicPolicy = "InsufficientSnsTopicPolicyException",
    /// Insights are no category of this server's events.
    InvalidEventCategory = "InvalidEventCategoryException",
    /// Event selectors that break a rule.
    InvalidEventSelectors = "InvalidEventSelectorsException",
    /// The trail belongs to another Region.
    InvalidHomeRegion = "InvalidHomeRegionException",
    /// What cannot name a KMS key.
    InvalidKmsKeyId = "InvalidKmsKeyIdException",
    /// A lookup attribute that is none.
    InvalidLookupAttributes = "InvalidLookupAttributesException",
    /// More or fewer results than a page may have.
    InvalidMaxResults = "InvalidMaxResultsException",
    /// A token that this server did not give, or gave to another question.
    InvalidNextToken = "InvalidNextTokenException",
    /// Parameters that cannot stand together.
    InvalidParameterCombination = "InvalidParameterCombinationException",
    /// A parameter that is not valid.
    InvalidParameter = "InvalidParameterException",
    /// What cannot name a bucket.
    InvalidS3BucketName = "InvalidS3BucketNameException",
    /// A prefix that is too long or not allowed.
    InvalidS3Prefix = "InvalidS3PrefixException",
    /// Tags that are not valid, or given twice.
    InvalidTagParameter = "InvalidTagParameterException",
    /// A time range that ends before it begins.
    InvalidTimeRange = "InvalidTimeRangeException",
    /// A name that a trail cannot have.
    InvalidTrailName = "InvalidTrailNameException",
    /// The key cannot be used in its state.
    Kms = "KmsException",
    /// No such key, or not in the bucket's Region.
    KmsKeyNotFound = "KmsKeyNotFoundException",
    /// The account has as many trails in the Region as it may.
    MaximumNumberOfTrailsExceeded = "MaximumNumberOfTrailsExceededException",
    /// There are no organizations here.
    OrganizationsNotInUse = "OrganizationsNotInUseException",
    /// The ARN names no resource of the account.
    ResourceNotFound = "ResourceNotFoundException",
    /// The ARN names something that cannot have tags here.
    ResourceTypeNotSupported = "ResourceTypeNotSupportedException",
    /// The bucket does not exist.
    S3BucketDoesNotExist = "S3BucketDoesNotExistException",
    /// Another trail has this name.
    TrailAlreadyExists = "TrailAlreadyExistsException",
    /// No trail has this name.
    TrailNotFound = "TrailNotFoundException",
    /// More tags than a trail may have.
    TagsLimitExceeded = "TagsLimitExceededException",
    /// Something of AWS that this server does not do.
    UnsupportedOperation = "UnsupportedOperationException",
}

impl From<meta::Error> for Error {
    fn from(error: meta::Error) -> Self {
        match error {
            meta::Error::Conflict { .. } => {
                Self::Conflict("The trail was changed by another request. Try again.".to_owned())
            }
            other => Self::Internal(format!("the store: {other}")),
        }
    }
}

impl Error {
    /// A stored row that does not open, or holds something else than a row of its kind.
    pub(crate) fn damaged(what: &str) -> Self {
        Self::Internal(format!("a stored {what} cannot be read"))
    }
}
