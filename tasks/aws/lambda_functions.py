"""Lambda functions, their layers, what invokes them, and what their policies let anybody do.

Environment variables are not read: many hold secrets.
"""

from __future__ import annotations

from typing import Final

from analysis.iam.resource_policy import Verdict
from loaders.model import Source, id_link, key, outgoing, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.public_policy import actions, anonymous_of, resource
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def _by_policy(function: Source) -> Verdict:
    return anonymous_of(function.item["GetPolicy"], resource("lambda", function.item["FunctionArn"], inside=":"))


def policy_anonymous_actions(function: Source) -> list[str] | None:
    """What the function's own policy lets anybody do; None where that isn't known."""
    return actions(_by_policy(function))


def policy_not_known(function: Source) -> str | None:
    return _by_policy(function).reason


def anonymous_access(function: Source) -> bool | None:
    found = policy_anonymous_actions(function)
    return None if found is None else bool(found)


class AWSLambda(AWSNode, label="AWSLambda", tenant="AWSAccount", arn="lambda:function"):
    id: str = key("FunctionArn")
    arn: str = prop("FunctionArn", index=True)
    name: str | None = prop("FunctionName", index=True)
    version: str | None = prop("Version")
    description: str | None = prop("Description")
    runtime: str | None = prop("Runtime", "None: a container image brings its own.")
    handler: str | None = prop("Handler", "None of a container image.")
    packagetype: str | None = prop("PackageType", "Zip or Image.")
    architectures: list[str] | None = prop("Architectures")
    memory: int | None = prop("MemorySize", "MB.")
    timeout: int | None = prop("Timeout", "Seconds.")
    codesize: int | None = prop("CodeSize", "Bytes.")
    codesha256: str | None = prop("CodeSha256")
    modifieddate: str | None = prop("LastModified")
    revisionid: str | None = prop("RevisionId")
    state: str | None = prop("State")
    statereason: str | None = prop("StateReason")
    statereasoncode: str | None = prop("StateReasonCode")
    lastupdatestatus: str | None = prop("LastUpdateStatus")
    lastupdatestatusreason: str | None = prop("LastUpdateStatusReason")
    lastupdatestatusreasoncode: str | None = prop("LastUpdateStatusReasonCode")
    kmskeyarn: str | None = prop("KMSKeyArn", "None: a key that AWS manages.")
    masterarn: str | None = prop("MasterArn", "Of a function at the edge: the one that it is a replica of.")
    signingjobarn: str | None = prop("SigningJobArn")
    signingprofileversionarn: str | None = prop("SigningProfileVersionArn")
    tracingconfigmode: str | None = prop("TracingConfig.Mode")
    anonymous_access: bool | None = prop(
        anonymous_access, "Its own policy lets anybody in. None: not known, for the reason in policy_not_known."
    )
    anonymous_actions: list[str] | None = prop(
        policy_anonymous_actions,
        "What its own policy lets anybody do. None: not known, for the reason in policy_not_known.",
    )
    policy_not_known: str | None = prop(policy_not_known, "Why it isn't known what its policy lets anybody do.")
    region: str = prop(scope_region)
    relationships = (
        # One fact in the words of three generations.
        id_link("STS_ASSUME_ROLE_ALLOW", "AWSRole", "Role"),
        id_link("STS_ASSUMEROLE_ALLOW", "AWSRole", "Role"),
        id_link("ASSUMES", "AWSRole", "Role"),
        outgoing("HAS", "AWSLambdaLayer", "Layers[].Arn"),
    )


class AWSLambdaLayer(AWSNode, label="AWSLambdaLayer", shared=True):
    """One version of a layer, which functions of any account may use; it never changes."""

    id: str = key("Arn")
    arn: str = prop("Arn", index=True)
    codesize: int | None = prop("CodeSize", "Bytes.")
    signingjobarn: str | None = prop("SigningJobArn")
    signingprofileversionarn: str | None = prop("SigningProfileVersionArn")


FUNCTIONS: Final = ResourceType(
    "aws.lambda.functions",
    Per.REGION,
    # A function that was deleted meanwhile has no policy either, by the same code: it is one that the next run misses.
    fetch=listing("lambda:ListFunctions").detail(
        "lambda:GetPolicy", FunctionName="FunctionArn", absent_codes="ResourceNotFoundException", gap=True
    ),
    yields=(AWSLambda, AWSLambdaLayer.each("Layers[]")),
    aliases=("lambda_function",),
)


def function_arn(mapping: Source) -> str | None:
    """Of the function itself: a mapping may name a version or an alias of it, behind its name."""
    arn: str | None = mapping.item.get("FunctionArn")
    return arn if arn is None else ":".join(arn.split(":")[:7])


class AWSLambdaEventSourceMapping(AWSNode, label="AWSLambdaEventSourceMapping", tenant="AWSAccount"):
    id: str = key("UUID")
    eventsourcearn: str | None = prop("EventSourceArn", "None of a broker that isn't AWS's.", index=True)
    functionarn: str | None = prop("FunctionArn", "With the version or alias, where one is named.")
    state: str | None = prop("State")
    batchsize: int | None = prop("BatchSize")
    bisectbatchonfunctionerror: bool | None = prop("BisectBatchOnFunctionError")
    lastmodified: str | None = prop("LastModified")
    lastprocessingresult: str | None = prop("LastProcessingResult")
    maximumbatchingwindowinseconds: int | None = prop("MaximumBatchingWindowInSeconds")
    maximumrecordage: int | None = prop("MaximumRecordAgeInSeconds", "Seconds; -1: without end.")
    maximumretryattempts: int | None = prop("MaximumRetryAttempts", "-1: without end.")
    parallelizationfactor: int | None = prop("ParallelizationFactor")
    startingposition: str | None = prop("StartingPosition")
    startingpositiontimestamp: str | None = prop("StartingPositionTimestamp")
    tumblingwindowinseconds: int | None = prop("TumblingWindowInSeconds")
    relationships = (id_link("RESOURCE", "AWSLambda", function_arn, incoming=True),)


EVENT_SOURCE_MAPPINGS: Final = ResourceType(
    "aws.lambda.event_source_mappings",
    Per.REGION,
    fetch=listing("lambda:ListEventSourceMappings"),
    yields=(AWSLambdaEventSourceMapping,),
    aliases=("lambda_function",),
)
