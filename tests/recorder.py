"""Which KMS operations real clients called with success, over a whole run of the tests."""

succeeded: set[str] = set()


def listen(client) -> None:
    """Remembers every operation that this boto3 client of KMS is answered with success."""
    client.meta.events.register("after-call.kms", _note)


def _note(model, http_response, **_) -> None:
    if http_response.status_code == 200:
        succeeded.add(model.name)
