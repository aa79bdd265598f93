"""Classifies AWS error codes and botocore's own errors.

Sources: botocore's retry rules (throttling and transient codes), and the common errors in each service's API reference.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from botocore import exceptions
from botocore.parsers import ResponseParserError

from tasks.aws.client.credentials import AsksForMfa, service_model
from tasks.clients.response_limits import ResponseLimitExceeded
from tasks.failures import Failure

_CLASSES: Final[dict[Failure, frozenset[str]]] = {
    Failure.THROTTLED: frozenset(
        {
            "BandwidthLimitExceeded",
            "DependencyThrottle",
            "DependentServiceRequestThrottlingFault",
            "EC2ThrottledException",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequests",
            "TooManyRequestsException",
            "TransactionInProgressException",
        }
    ),
    Failure.TRANSIENT: frozenset(
        {
            "DependencyTimeoutException",
            "DependentServiceUnavailableFault",
            "InternalError",
            "InternalException",
            "InternalFailure",
            "InternalServerError",
            "InternalServerErrorException",
            "InternalServiceError",
            "InternalServiceErrorException",
            "InternalServiceException",
            "KMSInternalException",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "Unavailable",
        }
    ),
    Failure.DENIED: frozenset(
        {
            "AccessDenied",
            "AccessDeniedException",
            "AllAccessDisabled",
            "AuthorizationError",
            "AuthorizationErrorException",
            "NotAuthorized",
            "UnauthorizedException",
            "UnauthorizedOperation",
        }
    ),
    Failure.NOT_ENABLED: frozenset({"OptInRequired", "SubscriptionRequiredException"}),
    Failure.EXPIRED: frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}),
}
_CLASS_OF_CODE: Final = {code: failure for failure, codes in _CLASSES.items() for code in codes}

# Returned in a region that is not enabled for the account, and for keys that no longer exist: another call has to find
# out which.
MAYBE_NOT_ENABLED: Final = frozenset(
    {"AuthFailure", "InvalidClientTokenId", "InvalidToken", "UnrecognizedClientException"}
)

_CLASS_OF_ERROR: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    (exceptions.NoCredentialsError, Failure.DENIED),
    (exceptions.PartialCredentialsError, Failure.DENIED),
    (exceptions.CredentialRetrievalError, Failure.DENIED),
    (exceptions.ProfileNotFound, Failure.DENIED),
    (exceptions.ConfigParseError, Failure.DENIED),
    (exceptions.InvalidConfigError, Failure.DENIED),  # a profile without a source of credentials
    (exceptions.SSOError, Failure.DENIED),
    (exceptions.TokenRetrievalError, Failure.DENIED),
    (AsksForMfa, Failure.DENIED),
    (ResponseParserError, Failure.INVALID_RESPONSE),
    (ResponseLimitExceeded, Failure.INVALID_RESPONSE),
    (exceptions.HTTPClientError, Failure.TRANSIENT),
    (exceptions.ConnectionError, Failure.TRANSIENT),
)


def code_of(error: Exception) -> str:
    """AWS's error code, or the name of botocore's own error."""
    if isinstance(error, exceptions.ClientError):
        return str(error.response.get("Error", {}).get("Code", "")).removeprefix("Client.").removeprefix("Server.")
    return type(error).__name__


def classify(error: Exception, service: str = "") -> Failure:
    """The class of an error: by its code, else by the service's model, else by its HTTP status."""
    if not isinstance(error, exceptions.ClientError):
        return next((failure for kind, failure in _CLASS_OF_ERROR if isinstance(error, kind)), Failure.UNEXPECTED)
    code = code_of(error)
    if code in _CLASS_OF_CODE:
        return _CLASS_OF_CODE[code]
    if service and (failure := _by_model(service, code)):
        return failure
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code.startswith("NoSuch") or "NotFound" in code or status == 404:
        return Failure.NOT_FOUND
    if status >= 500:
        return Failure.TRANSIENT
    if status == 429:
        return Failure.THROTTLED
    return Failure.DENIED if status == 403 and code not in MAYBE_NOT_ENABLED else Failure.UNEXPECTED


@cache
def _by_model(service: str, code: str) -> Failure | None:
    """By the traits of the error in botocore's model: whether it may be retried, and whether it means throttling."""
    shape = service_model(service).shape_for_error_code(code)  # type: ignore[arg-type]  # its stub says int
    if shape is None:
        return None
    retryable = shape.metadata.get("retryable")
    if retryable is not None:
        return Failure.THROTTLED if retryable.get("throttling") else Failure.TRANSIENT
    return Failure.TRANSIENT if shape.metadata.get("fault") else None
