"""The function that an event source invokes."""

from __future__ import annotations

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.lambda_functions import function_arn

OF = Scope(type="aws.lambda.event_source_mappings", tenant="111122223333", region="eu-west-1")
ORDERS = "arn:aws:lambda:eu-west-1:111122223333:function:orders"


@pytest.mark.parametrize("named", [ORDERS, f"{ORDERS}:live", f"{ORDERS}:7", f"{ORDERS}:$LATEST"])
def test_a_version_or_alias_belongs_to_its_function(named: str) -> None:
    assert function_arn(Source({"FunctionArn": named}, OF)) == ORDERS
