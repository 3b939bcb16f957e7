"""The server-side encryption modes, as arguments of boto3."""

import base64
import enum
import hashlib
import json

CUSTOMER_KEY = bytes(range(1, 33))


class Mode(enum.Enum):
    SSE_S3 = "sse-s3"
    SSE_KMS = "sse-kms"
    BUCKET_KEY = "bucket-key"
    DSSE_KMS = "dsse-kms"
    SSE_C = "sse-c"

    def write(self, key_arn: str) -> dict:
        """Arguments of PutObject, CopyObject and CreateMultipartUpload."""
        match self:
            case Mode.SSE_S3:
                return {"ServerSideEncryption": "AES256"}
            case Mode.SSE_KMS:
                context = base64.b64encode(json.dumps({"project": "tests"}).encode()).decode()
                return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn, "SSEKMSEncryptionContext": context}
            case Mode.BUCKET_KEY:
                return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn, "BucketKeyEnabled": True}
            case Mode.DSSE_KMS:
                return {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": key_arn}
            case Mode.SSE_C:
                return self.read()

    def read(self) -> dict:
        """Arguments of GetObject, HeadObject and UploadPart."""
        if self is not Mode.SSE_C:
            return {}
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": CUSTOMER_KEY}

    def source(self) -> dict:
        """Arguments of CopyObject and UploadPartCopy that open the source."""
        if self is not Mode.SSE_C:
            return {}
        return {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": CUSTOMER_KEY}

    def headers(self, key_arn: str) -> dict[str, str]:
        """The same as HTTP headers, for clients that have no names for them."""
        match self:
            case Mode.SSE_S3:
                return {"x-amz-server-side-encryption": "AES256"}
            case Mode.SSE_KMS:
                return {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key_arn}
            case Mode.BUCKET_KEY:
                return Mode.SSE_KMS.headers(key_arn) | {"x-amz-server-side-encryption-bucket-key-enabled": "true"}
            case Mode.DSSE_KMS:
                return Mode.SSE_KMS.headers(key_arn) | {"x-amz-server-side-encryption": "aws:kms:dsse"}
            case Mode.SSE_C:
                return {
                    "x-amz-server-side-encryption-customer-algorithm": "AES256",
                    "x-amz-server-side-encryption-customer-key": base64.b64encode(CUSTOMER_KEY).decode(),
                    "x-amz-server-side-encryption-customer-key-MD5": base64.b64encode(
                        hashlib.md5(CUSTOMER_KEY).digest()
                    ).decode(),
                }
