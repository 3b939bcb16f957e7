"""Names of what the format counts."""

from enum import Enum


class AlgorithmSuite(Enum):
    """The algorithm suites: length of the AES-GCM key, how it is derived, whether a message commits to it and whether it is signed.

    >>> from strongroom import AlgorithmSuite
    >>> AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY.is_committing()
    True
    >>> AlgorithmSuite.get_by_id(0x0578).is_signing()
    True
    """

    AES_128_GCM_IV12_TAG16 = 0x0014
    AES_192_GCM_IV12_TAG16 = 0x0046
    AES_256_GCM_IV12_TAG16 = 0x0078
    AES_128_GCM_IV12_TAG16_HKDF_SHA256 = 0x0114
    AES_192_GCM_IV12_TAG16_HKDF_SHA256 = 0x0146
    AES_256_GCM_IV12_TAG16_HKDF_SHA256 = 0x0178
    AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256 = 0x0214
    AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384 = 0x0346
    AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384 = 0x0378
    AES_256_GCM_HKDF_SHA512_COMMIT_KEY = 0x0478
    AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384 = 0x0578

    @property
    def algorithm_id(self) -> int:
        """The number that stands in a header."""
        return self.value

    @classmethod
    def get_by_id(cls, algorithm_id: int) -> "AlgorithmSuite":
        """By that number."""
        return cls(algorithm_id)

    def is_committing(self) -> bool:
        """Whether a message commits to its data key, so that no other one opens it to anything."""
        return self.value in (0x0478, 0x0578)

    def is_signing(self) -> bool:
        """Whether a message is signed."""
        return self.value in (0x0214, 0x0346, 0x0378, 0x0578)

    def safe_to_cache(self) -> bool:
        """Whether several messages may share a data key: where each derives a key of its own from it."""
        return self.value > 0x0078


#: As AWS's package calls it, too.
Algorithm = AlgorithmSuite


class CommitmentPolicy(Enum):
    """Whether messages have to commit to their data key. The last one is what a client does unless it is told otherwise."""

    #: Write without commitment, read both: for readers that are too old to read it.
    FORBID_ENCRYPT_ALLOW_DECRYPT = 0
    #: Write with commitment, read both: for old messages.
    REQUIRE_ENCRYPT_ALLOW_DECRYPT = 1
    #: Write and read with commitment alone.
    REQUIRE_ENCRYPT_REQUIRE_DECRYPT = 2


class Release(Enum):
    """When a stream gives the plaintext of a signed message."""

    #: After its signature was verified; until then it is held in memory, up to ``hold_limit`` bytes.
    VERIFIED = 0
    #: Each frame when its tag is right. Until the stream has ended without an error, what was read is what anybody who can open the
    #: message may have written, and must be undone if an error comes.
    FRAMES = 1


class PaddingScheme(Enum):
    """How a data key is padded before RSA encrypts it."""

    PKCS1 = "PKCS1"
    OAEP_SHA1_MGF1 = "OAEP_SHA1_MGF1"
    OAEP_SHA256_MGF1 = "OAEP_SHA256_MGF1"
    OAEP_SHA384_MGF1 = "OAEP_SHA384_MGF1"
    OAEP_SHA512_MGF1 = "OAEP_SHA512_MGF1"


class SerializationVersion(Enum):
    """Versions of the message format: the second one is that of suites with commitment."""

    V1 = 1
    V2 = 2


class ContentType(Enum):
    """How the data lies in a message."""

    #: In one piece with one tag, as old clients wrote it.
    NO_FRAMING = 1
    #: In frames, each with a tag.
    FRAMED_DATA = 2
