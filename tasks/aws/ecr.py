"""ECR repositories, the images in them by tag, and the images themselves by digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.provider import Per, ResourceType, Source, incoming, key, listing, outgoing, parent, prop


class ECRRepository(RegionalNode, label="ECRRepository", tenant="AWSAccount", arn="ecr:repository"):
    id: str = key("repositoryArn")
    arn: str = prop("repositoryArn", index=True)
    name: str | None = prop("repositoryName", index=True)
    uri: str | None = prop("repositoryUri", index=True)
    created_at: str | None = prop("createdAt")


def in_repository(repository: Source) -> Iterator[dict[str, Any]]:
    """Each image once per tag, with the URI by which it is pulled; an untagged image by its digest."""
    uri = repository.item["repositoryUri"]
    for image in repository.item["DescribeImages"]["imageDetails"]:
        for tag in image.get("imageTags") or ():
            yield {**image, "tag": tag, "uri": f"{uri}:{tag}"}
        if not image.get("imageTags"):
            digest = image.get("imageDigest")
            yield {**image, "tag": None, "uri": f"{uri}@{digest}" if digest else None}


class ECRRepositoryImage(RegionalNode, label="ECRRepositoryImage", tenant="AWSAccount"):
    id: str = key("uri")
    uri: str = prop("uri", index=True)
    tag: str | None = prop("tag", "None for an untagged image, identified by its digest.", index=True)
    repo_uri: str | None = prop(parent("repositoryUri"))
    image_pushed_at: str | None = prop("imagePushedAt")
    image_size_bytes: int | None = prop("imageSizeInBytes", "Compressed, in bytes.")
    image_manifest_media_type: str | None = prop("imageManifestMediaType")
    artifact_media_type: str | None = prop("artifactMediaType")
    last_recorded_pull_time: str | None = prop("lastRecordedPullTime", "None: no pull recorded.")
    relationships = (
        incoming("REPO_IMAGE", "ECRRepository", parent("repositoryArn")),
        outgoing("IMAGE", "ECRImage", "imageDigest"),
    )


class ECRImage(AWSNode, label="ECRImage", shared=True):
    """The content of an image: shared by all repositories, regions and accounts that hold the same image."""

    id: str = key("imageDigest")
    digest: str = prop("imageDigest", index=True)


REPOSITORIES: Final = ResourceType(
    "aws.ecr.repositories",
    Per.REGION,
    fetch=listing("ecr:DescribeRepositories", not_found_codes="RepositoryNotFoundException").detail(
        "ecr:DescribeImages", repositoryName="repositoryName"
    ),
    yields=(ECRRepository, ECRRepositoryImage.each(in_repository), ECRImage.each("DescribeImages.imageDetails[]")),
)
