//! Every operation of the S3 service model, as data: one row each, most specific first.
//!
//! Source: botocore's `s3` model of 2006-03-01, 116 operations (`model.txt` is its condensed form, which the tests hold against
//! this table). Four deprecated operations share method, path and query with their successors and have no row of their own:
//! Get/PutBucketLifecycle and Get/PutBucketNotification.

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `/`
    Service,
    /// `/bucket`
    Bucket,
    /// `/bucket/key`
    Object,
}

/// Whether an operation exists here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It does what AWS documents.
    Built,
    /// It answers 501 NotImplemented.
    Absent,
}

/// One way to reach an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) operation: Operation,
    pub(crate) method: &'static str,
    pub(crate) scope: Scope,
    /// All of these must be in the request: a query parameter (`acl`), one with a value (`list-type=2`), or a header (`@name`).
    pub(crate) needs: &'static [&'static str],
    pub(crate) state: State,
}

macro_rules! operations {
    ($( $operation:ident $method:ident $scope:ident [$($need:literal),*] $state:ident; )+) => {
        /// An operation by its name in the service model.
        #[allow(missing_docs, reason = "AWS documents each under this very name")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation { $( $operation, )+ }

        impl Operation {
            /// The name in the service model, as audit records and policies have it.
            pub fn name(self) -> &'static str {
                match self { $( Operation::$operation => stringify!($operation), )+ }
            }
        }

        /// The first row that matches decides.
        pub(crate) const OPERATIONS: &[Row] = &[ $( Row {
            operation: Operation::$operation,
            method: stringify!($method),
            scope: Scope::$scope,
            needs: &[$($need),*],
            state: State::$state,
        }, )+ ];
    };
}

operations! {
    ListDirectoryBuckets GET Service ["x-id=ListDirectoryBuckets"] Absent;
    ListBuckets GET Service [] Built;
    GetBucketAnalyticsConfiguration GET Bucket ["analytics", "id"] Absent;
    GetBucketIntelligentTieringConfiguration GET Bucket ["intelligent-tiering", "id"] Absent;
    GetBucketInventoryConfiguration GET Bucket ["inventory", "id"] Absent;
    GetBucketMetricsConfiguration GET Bucket ["metrics", "id"] Absent;
    GetBucketAbac GET Bucket ["abac"] Absent;
    GetBucketAccelerateConfiguration GET Bucket ["accelerate"] Absent;
    GetBucketAcl GET Bucket ["acl"] Built;
    ListBucketAnalyticsConfigurations GET Bucket ["analytics"] Absent;
    GetBucketCors GET Bucket ["cors"] Absent;
    GetBucketEncryption GET Bucket ["encryption"] Built;
    ListBucketIntelligentTieringConfigurations GET Bucket ["intelligent-tiering"] Absent;
    ListBucketInventoryConfigurations GET Bucket ["inventory"] Absent;
    GetBucketLifecycleConfiguration GET Bucket ["lifecycle"] Absent;
    ListObjectsV2 GET Bucket ["list-type=2"] Built;
    GetBucketLocation GET Bucket ["location"] Built;
    GetBucketLogging GET Bucket ["logging"] Absent;
    GetBucketMetadataConfiguration GET Bucket ["metadataConfiguration"] Absent;
    GetBucketMetadataTableConfiguration GET Bucket ["metadataTable"] Absent;
    ListBucketMetricsConfigurations GET Bucket ["metrics"] Absent;
    GetBucketNotificationConfiguration GET Bucket ["notification"] Absent;
    GetObjectLockConfiguration GET Bucket ["object-lock"] Absent;
    GetBucketOwnershipControls GET Bucket ["ownershipControls"] Built;
    GetBucketPolicy GET Bucket ["policy"] Built;
    GetBucketPolicyStatus GET Bucket ["policyStatus"] Built;
    GetPublicAccessBlock GET Bucket ["publicAccessBlock"] Built;
    GetBucketReplication GET Bucket ["replication"] Absent;
    GetBucketRequestPayment GET Bucket ["requestPayment"] Absent;
    CreateSession GET Bucket ["session"] Absent;
    GetBucketTagging GET Bucket ["tagging"] Built;
    ListMultipartUploads GET Bucket ["uploads"] Built;
    GetBucketVersioning GET Bucket ["versioning"] Built;
    ListObjectVersions GET Bucket ["versions"] Built;
    GetBucketWebsite GET Bucket ["website"] Absent;
    ListObjects GET Bucket [] Built;
    HeadBucket HEAD Bucket [] Built;
    PutBucketAnalyticsConfiguration PUT Bucket ["analytics", "id"] Absent;
    PutBucketIntelligentTieringConfiguration PUT Bucket ["intelligent-tiering", "id"] Absent;
    PutBucketInventoryConfiguration PUT Bucket ["inventory", "id"] Absent;
    PutBucketMetricsConfiguration PUT Bucket ["metrics", "id"] Absent;
    PutBucketAbac PUT Bucket ["abac"] Absent;
    PutBucketAccelerateConfiguration PUT Bucket ["accelerate"] Absent;
    PutBucketAcl PUT Bucket ["acl"] Built;
    PutBucketCors PUT Bucket ["cors"] Absent;
    PutBucketEncryption PUT Bucket ["encryption"] Built;
    PutBucketLifecycleConfiguration PUT Bucket ["lifecycle"] Absent;
    PutBucketLogging PUT Bucket ["logging"] Absent;
    UpdateBucketMetadataAnnotationTableConfiguration PUT Bucket ["metadataAnnotationTable"] Absent;
    UpdateBucketMetadataInventoryTableConfiguration PUT Bucket ["metadataInventoryTable"] Absent;
    UpdateBucketMetadataJournalTableConfiguration PUT Bucket ["metadataJournalTable"] Absent;
    PutBucketNotificationConfiguration PUT Bucket ["notification"] Absent;
    PutObjectLockConfiguration PUT Bucket ["object-lock"] Absent;
    PutBucketOwnershipControls PUT Bucket ["ownershipControls"] Built;
    PutBucketPolicy PUT Bucket ["policy"] Built;
    PutPublicAccessBlock PUT Bucket ["publicAccessBlock"] Built;
    PutBucketReplication PUT Bucket ["replication"] Absent;
    PutBucketRequestPayment PUT Bucket ["requestPayment"] Absent;
    PutBucketTagging PUT Bucket ["tagging"] Built;
    PutBucketVersioning PUT Bucket ["versioning"] Absent;
    PutBucketWebsite PUT Bucket ["website"] Absent;
    CreateBucket PUT Bucket [] Built;
    WriteGetObjectResponse POST Bucket ["@x-amz-request-route"] Absent;
    DeleteObjects POST Bucket ["delete"] Built;
    CreateBucketMetadataConfiguration POST Bucket ["metadataConfiguration"] Absent;
    CreateBucketMetadataTableConfiguration POST Bucket ["metadataTable"] Absent;
    DeleteBucketAnalyticsConfiguration DELETE Bucket ["analytics", "id"] Absent;
    DeleteBucketIntelligentTieringConfiguration DELETE Bucket ["intelligent-tiering", "id"] Absent;
    DeleteBucketInventoryConfiguration DELETE Bucket ["inventory", "id"] Absent;
    DeleteBucketMetricsConfiguration DELETE Bucket ["metrics", "id"] Absent;
    DeleteBucketCors DELETE Bucket ["cors"] Absent;
    DeleteBucketEncryption DELETE Bucket ["encryption"] Built;
    DeleteBucketLifecycle DELETE Bucket ["lifecycle"] Absent;
    DeleteBucketMetadataConfiguration DELETE Bucket ["metadataConfiguration"] Absent;
    DeleteBucketMetadataTableConfiguration DELETE Bucket ["metadataTable"] Absent;
    DeleteBucketOwnershipControls DELETE Bucket ["ownershipControls"] Absent;
    DeleteBucketPolicy DELETE Bucket ["policy"] Built;
    DeletePublicAccessBlock DELETE Bucket ["publicAccessBlock"] Built;
    DeleteBucketReplication DELETE Bucket ["replication"] Absent;
    DeleteBucketTagging DELETE Bucket ["tagging"] Built;
    DeleteBucketWebsite DELETE Bucket ["website"] Absent;
    DeleteBucket DELETE Bucket [] Built;
    GetObjectAnnotation GET Object ["annotation", "annotationName"] Absent;
    GetObjectAcl GET Object ["acl"] Built;
    ListObjectAnnotations GET Object ["annotation"] Absent;
    GetObjectAttributes GET Object ["attributes"] Built;
    GetObjectLegalHold GET Object ["legal-hold"] Absent;
    GetObjectRetention GET Object ["retention"] Absent;
    GetObjectTagging GET Object ["tagging"] Built;
    GetObjectTorrent GET Object ["torrent"] Absent;
    ListParts GET Object ["uploadId"] Built;
    GetObject GET Object [] Built;
    HeadObject HEAD Object [] Built;
    UploadPartCopy PUT Object ["partNumber", "uploadId", "@x-amz-copy-source"] Built;
    PutObjectAnnotation PUT Object ["annotation", "annotationName"] Absent;
    UploadPart PUT Object ["partNumber", "uploadId"] Built;
    CopyObject PUT Object ["@x-amz-copy-source"] Built;
    PutObjectAcl PUT Object ["acl"] Built;
    UpdateObjectEncryption PUT Object ["encryption"] Absent;
    PutObjectLegalHold PUT Object ["legal-hold"] Absent;
    RenameObject PUT Object ["renameObject"] Absent;
    PutObjectRetention PUT Object ["retention"] Absent;
    PutObjectTagging PUT Object ["tagging"] Built;
    PutObject PUT Object [] Built;
    SelectObjectContent POST Object ["select", "select-type=2"] Absent;
    RestoreObject POST Object ["restore"] Absent;
    CompleteMultipartUpload POST Object ["uploadId"] Built;
    CreateMultipartUpload POST Object ["uploads"] Built;
    DeleteObjectAnnotation DELETE Object ["annotation", "annotationName"] Absent;
    DeleteObjectTagging DELETE Object ["tagging"] Built;
    AbortMultipartUpload DELETE Object ["uploadId"] Built;
    DeleteObject DELETE Object [] Built;
    // Not in the service model: a browser's form upload, which posts to the bucket itself.
    PostObject POST Bucket [] Absent;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_document_says_what_is_built() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
        let text = std::fs::read_to_string(path).unwrap();
        for row in OPERATIONS.iter().filter(|row| row.operation != Operation::PostObject) {
            let state = if row.state == State::Built { "yes" } else { "not implemented" };
            let line = format!("| {} | {state} |", row.operation.name());
            assert!(text.lines().any(|found| found == line), "docs/operations.md lacks: {line}");
        }
    }
}
