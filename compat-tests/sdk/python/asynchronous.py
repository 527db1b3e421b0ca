"""The SDK's asynchronous client: concurrent requests, and errors."""

import asyncio
import unittest

from cent import (
    AsyncClient,
    BatchRequest,
    CentApiResponseError,
    CentUnauthorizedError,
    DeviceFilter,
    DeviceListRequest,
    DeviceRegisterRequest,
    DeviceRemoveRequest,
    HistoryRequest,
    PublishRequest,
)
from sdk_case import API, BAD_REQUEST, KEY, make_name


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.client = AsyncClient(API, KEY)
        self.addAsyncCleanup(self.client._session.close)

    async def test_answers_each_of_many_concurrent_requests(self) -> None:
        user = make_name("user")
        requests = [
            DeviceRegisterRequest(provider="fcm", platform="android", token=make_name("token"), user=user)
            for _ in range(50)
        ]
        registered = await asyncio.gather(*map(self.client.device_register, requests))
        listed = await self.client.device_list(DeviceListRequest(filter=DeviceFilter(users=[user])))
        self.assertEqual([device.id for device in listed.items], sorted(result.id for result in registered))

    async def test_answers_a_batch_of_push_and_upstream_methods(self) -> None:
        commands = [
            PublishRequest(channel="hist:a", data={}),
            DeviceRegisterRequest(provider="fcm", platform="android", token=make_name("token")),
            HistoryRequest(channel="hist:a", limit=1),
        ]
        for parallel in (False, True):
            batch = await self.client.batch(BatchRequest(requests=commands, parallel=parallel))
            publish, register, history = batch.replies
            self.assertEqual((publish.offset, register.id[-4:], history.offset), (2, "-fcm", 1))

    async def test_raises_the_errors_of_the_api(self) -> None:
        with self.assertRaises(CentApiResponseError) as raised:
            await self.client.device_remove(DeviceRemoveRequest())
        self.assertEqual(raised.exception.code, BAD_REQUEST)

    async def test_is_refused_with_another_key(self) -> None:
        stranger = AsyncClient(API, "another-key")
        self.addAsyncCleanup(stranger._session.close)
        with self.assertRaises(CentUnauthorizedError):
            await stranger.device_list(DeviceListRequest())


if __name__ == "__main__":
    unittest.main()
