"""What a boto3 client was refused with."""

import pytest
from botocore.exceptions import ClientError


def refused(call, **arguments) -> str:
    """The code of the error that this call is answered with."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error.value.response["Error"]["Code"]
