"""The base of every AWS node model."""

from __future__ import annotations

from loaders.model import Node


class AWSNode(Node, prefix="AWS"):
    """Carries its label as in 2020, `EC2Instance`, and as today, `AWSEC2Instance`: queries of either generation run."""
