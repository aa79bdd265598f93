"""Lambda functions, their layers and event sources, and what their policies allow anybody to do.

Environment variables are not read: they often contain secrets.
"""

from __future__ import annotations

from typing import Final

from analysis.iam.resource_policy import Verdict
from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.aws.vocabulary.public_policy import ANONYMOUS_ACTIONS, NOT_KNOWN, PublicPolicy, resource, verdict_on_response
from tasks.provider import Per, ResourceType, Source, id_link, key, listing, outgoing, prop


def _verdict(function: Source) -> Verdict:
    of = resource("lambda", function.item["FunctionArn"], separator=":")
    return verdict_on_response(function.item["GetPolicy"], of)


_POLICY: Final = PublicPolicy(_verdict)


class AWSLambda(RegionalNode, label="AWSLambda", tenant="AWSAccount", arn="lambda:function"):
    id: str = key("FunctionArn")
    arn: str = prop("FunctionArn", index=True)
    name: str | None = prop("FunctionName", index=True)
    version: str | None = prop("Version")
    description: str | None = prop("Description")
    runtime: str | None = prop("Runtime", "None for a container image.")
    handler: str | None = prop("Handler", "None for a container image.")
    packagetype: str | None = prop("PackageType", "Zip or Image.")
    architectures: list[str] | None = prop("Architectures")
    memory: int | None = prop("MemorySize", "In MB.")
    timeout: int | None = prop("Timeout", "In seconds.")
    codesize: int | None = prop("CodeSize", "In bytes.")
    codesha256: str | None = prop("CodeSha256")
    modifieddate: str | None = prop("LastModified")
    revisionid: str | None = prop("RevisionId")
    state: str | None = prop("State")
    statereason: str | None = prop("StateReason")
    statereasoncode: str | None = prop("StateReasonCode")
    lastupdatestatus: str | None = prop("LastUpdateStatus")
    lastupdatestatusreason: str | None = prop("LastUpdateStatusReason")
    lastupdatestatusreasoncode: str | None = prop("LastUpdateStatusReasonCode")
    kmskeyarn: str | None = prop("KMSKeyArn", "None: a key managed by AWS.")
    masterarn: str | None = prop("MasterArn", "For a Lambda@Edge replica, the original function.")
    signingjobarn: str | None = prop("SigningJobArn")
    signingprofileversionarn: str | None = prop("SigningProfileVersionArn")
    tracingconfigmode: str | None = prop("TracingConfig.Mode")
    anonymous_access: bool | None = prop(
        _POLICY.anonymous_access,
        "Whether its policy allows anybody to use it. None: not known, see policy_not_known.",
    )
    anonymous_actions: list[str] | None = prop(_POLICY.anonymous_actions, ANONYMOUS_ACTIONS)
    policy_not_known: str | None = prop(_POLICY.not_known, NOT_KNOWN)
    relationships = (
        # The same fact under the names of three schema versions.
        id_link("STS_ASSUME_ROLE_ALLOW", "AWSRole", "Role"),
        id_link("STS_ASSUMEROLE_ALLOW", "AWSRole", "Role"),
        id_link("ASSUMES", "AWSRole", "Role"),
        outgoing("HAS", "AWSLambdaLayer", "Layers[].Arn"),
    )


class AWSLambdaLayer(AWSNode, label="AWSLambdaLayer", shared=True):
    """One version of a layer, immutable. Functions of any account may use it."""

    id: str = key("Arn")
    arn: str = prop("Arn", index=True)
    codesize: int | None = prop("CodeSize", "In bytes.")
    signingjobarn: str | None = prop("SigningJobArn")
    signingprofileversionarn: str | None = prop("SigningProfileVersionArn")


FUNCTIONS: Final = ResourceType(
    "aws.lambda.functions",
    Per.REGION,
    # A function deleted in the meantime gives the same code as one without a policy: the next run removes it.
    fetch=listing("lambda:ListFunctions").detail(
        "lambda:GetPolicy", FunctionName="FunctionArn", absent_codes="ResourceNotFoundException", gap=True
    ),
    yields=(AWSLambda, AWSLambdaLayer.each("Layers[]")),
    aliases=("lambda_function",),
)


def function_arn(mapping: Source) -> str | None:
    """The function's own ARN: a mapping's ARN may end with a version or an alias."""
    arn: str | None = mapping.item.get("FunctionArn")
    return arn if arn is None else ":".join(arn.split(":")[:7])


class AWSLambdaEventSourceMapping(AWSNode, label="AWSLambdaEventSourceMapping", tenant="AWSAccount"):
    id: str = key("UUID")
    eventsourcearn: str | None = prop("EventSourceArn", "None for a broker outside AWS.", index=True)
    functionarn: str | None = prop("FunctionArn", "Including the version or alias, if any.")
    state: str | None = prop("State")
    batchsize: int | None = prop("BatchSize")
    bisectbatchonfunctionerror: bool | None = prop("BisectBatchOnFunctionError")
    lastmodified: str | None = prop("LastModified")
    lastprocessingresult: str | None = prop("LastProcessingResult")
    maximumbatchingwindowinseconds: int | None = prop("MaximumBatchingWindowInSeconds")
    maximumrecordage: int | None = prop("MaximumRecordAgeInSeconds", "In seconds; -1: unlimited.")
    maximumretryattempts: int | None = prop("MaximumRetryAttempts", "-1: unlimited.")
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
