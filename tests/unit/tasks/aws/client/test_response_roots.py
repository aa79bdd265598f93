"""The response to one operation of S3 is not taken for the response to another one, without contents."""

from __future__ import annotations

import pytest
from botocore.parsers import ResponseParserError
from botocore.session import get_session

from tasks.aws.client.response_roots import check_root

_XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ACL = f"<AccessControlPolicy {_XMLNS}><Owner/><AccessControlList/></AccessControlPolicy>"
VERSIONING = f'<?xml version="1.0" encoding="UTF-8"?>\n<VersioningConfiguration {_XMLNS}/>'
S3 = get_session().get_service_model("s3")


def check(operation: str, body: str, status: int = 200) -> None:
    check_root(
        {"status_code": status, "body": body.encode(), "headers": {}}, S3.operation_model(operation).output_shape
    )


@pytest.mark.parametrize(
    ("operation", "body"), [("GetBucketAcl", VERSIONING), ("GetBucketVersioning", ACL), ("GetBucketPolicy", ACL)]
)
def test_the_response_of_another_operation_is_refused(operation: str, body: str) -> None:
    with pytest.raises(ResponseParserError, match=f"not a {operation}Output, but a (Version|Access)"):
        check(operation, body)


def test_its_own_response_is_taken() -> None:
    check("GetBucketAcl", ACL)
    check("GetBucketVersioning", VERSIONING)
    check("GetBucketPolicy", '{"Version": "2012-10-17", "Statement": []}')


def test_an_error_is_read_as_one() -> None:
    check("GetBucketAcl", "<Error><Code>AccessDenied</Code></Error>", 403)
