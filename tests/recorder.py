"""Which operations real clients called with success, over a whole run of the tests."""

import collections

SERVICES = ("kms", "iam", "sts", "cloudtrail")

# Service to the names of operations.
succeeded: dict[str, set[str]] = collections.defaultdict(set)


def listen(client) -> None:
    """Remembers every operation that this boto3 client is answered with success."""
    service = client.meta.service_model.service_name
    if service in SERVICES:
        client.meta.events.register(f"after-call.{service}", _note)


def _note(model, http_response, **_) -> None:
    if http_response.status_code == 200:
        succeeded[model.service_model.service_name].add(model.name)
