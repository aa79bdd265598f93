"""The pool of AWS clients: one per key, a limited number, none closed while in use. Real clients that send nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import ProfileNotFound, UnknownServiceError

from tasks.aws.client.client_pool import Clients

ACCESS = {"partition": "aws"}
CONFIG = AioConfig()


def with_clients(work: Callable[[Clients], Awaitable[None]], *, max_unused: int = 2) -> None:
    async def run() -> None:
        clients = Clients(max_unused=max_unused)
        try:
            await work(clients)
        finally:
            await clients.close()

    asyncio.run(run())


async def used(clients: Clients, region: str, service: str = "ec2") -> Any:
    async with clients.use(ACCESS, region, service, CONFIG) as client:
        return client


def test_concurrent_users_share_one_client() -> None:
    async def work(clients: Clients) -> None:
        found = await asyncio.gather(*(used(clients, "eu-west-1") for _ in range(10)))
        assert len(set(map(id, found))) == len(clients) == 1

    with_clients(work)


def test_the_least_recently_used_client_is_closed() -> None:
    async def work(clients: Clients) -> None:
        first, second = await used(clients, "eu-west-1"), await used(clients, "us-east-1")
        assert await used(clients, "eu-west-1") is first
        await used(clients, "ap-southeast-2")
        assert len(clients) == 2
        assert await used(clients, "eu-west-1") is first
        assert await used(clients, "us-east-1") is not second

    with_clients(work)


def test_a_client_in_use_is_not_closed() -> None:
    async def work(clients: Clients) -> None:
        async with clients.use(ACCESS, "eu-west-1", "ec2", CONFIG) as held:
            for region in ("us-east-1", "us-east-2", "us-west-2"):
                await used(clients, region)
            assert len(clients) == 2
            assert await used(clients, "eu-west-1") is held

    with_clients(work)


def test_accounts_share_a_client_and_profiles_do_not() -> None:
    async def work(clients: Clients) -> None:
        async with (
            clients.use({"role": "arn:aws:iam::111111111111:role/reader"}, "eu-west-1", "ec2", CONFIG) as first,
            clients.use({"role": "arn:aws:iam::222222222222:role/reader"}, "eu-west-1", "ec2", CONFIG) as second,
        ):
            assert first is second
        with pytest.raises(ProfileNotFound):
            async with clients.use({"profile": "absent"}, "eu-west-1", "ec2", CONFIG):
                pass

    with_clients(work)


def test_a_client_that_could_not_be_built_is_not_kept() -> None:
    async def work(clients: Clients) -> None:
        with pytest.raises(UnknownServiceError):
            await used(clients, "eu-west-1", "no-such-service")
        assert len(clients) == 0

    with_clients(work)
