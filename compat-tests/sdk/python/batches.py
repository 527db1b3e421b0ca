"""Batches of upstream and push methods, in order and in parallel."""

import unittest
from typing import Any

from cent import (
    BatchRequest,
    BroadcastRequest,
    BroadcastResult,
    CancelPushRequest,
    CancelPushResult,
    CentApiResponseError,
    DeviceFilter,
    DeviceListRequest,
    DeviceListResult,
    DeviceRegisterRequest,
    DeviceRegisterResult,
    FcmPushNotification,
    HistoryRequest,
    HistoryResult,
    InfoRequest,
    PublishRequest,
    PublishResult,
    PushNotification,
    SendPushNotificationRequest,
    SendPushNotificationResult,
    UserTopicListRequest,
    UserTopicListResult,
)
from cent.dto import PushRecipient, UserTopicUpdateRequest, UserTopicUpdateResult
from sdk_case import SdkCase, make_name

BIG = 12345678901234567890123


class Batch(SdkCase):
    def run_batch(self, *requests: Any, parallel: bool) -> list[Any]:
        return self.client.batch(BatchRequest(requests=list(requests), parallel=parallel)).replies

    def check_replies_in_order(self, parallel: bool) -> None:
        user, uid = make_name("user"), make_name("uid")
        send = SendPushNotificationRequest(
            uid=uid,
            recipient=PushRecipient(fcm_tokens=["from-a-batch"]),
            notification=PushNotification(fcm=FcmPushNotification(message={"notification": {"title": "Hello"}})),
        )
        replies = self.run_batch(
            PublishRequest(channel="hist:a", data={"x": 1}),
            PublishRequest(channel="hist:a", data={"x": 2}),
            DeviceRegisterRequest(provider="fcm", platform="android", token=make_name("token"), user=user),
            UserTopicUpdateRequest(user=make_name("user"), op="add", topics=["t"]),
            send,
            HistoryRequest(channel="hist:a", limit=1),
            CancelPushRequest(uid=make_name("uid")),
            DeviceListRequest(filter=DeviceFilter(users=[user])),
            UserTopicListRequest(limit=1),
            parallel=parallel,
        )
        types = [PublishResult, PublishResult, DeviceRegisterResult, UserTopicUpdateResult]
        types += [SendPushNotificationResult, HistoryResult, CancelPushResult, DeviceListResult, UserTopicListResult]
        self.assertEqual([type(reply) for reply in replies], types)
        self.assertEqual((replies[0].offset, replies[0].epoch), (2, "TnZgaUVN"))
        self.assertEqual(replies[5].publications[0].data, {"n": BIG})
        self.assertEqual(replies[4].uid, uid)
        if not parallel:
            self.assertEqual([item.id for item in replies[7].items], [replies[2].id])

    def test_in_sequence_answers_in_order(self) -> None:
        self.check_replies_in_order(parallel=False)

    def test_in_parallel_answers_in_order(self) -> None:
        self.check_replies_in_order(parallel=True)

    def test_of_push_methods_only(self) -> None:
        requests = [
            DeviceRegisterRequest(provider="fcm", platform="android", token=make_name("token")) for _ in range(20)
        ]
        replies = self.run_batch(*requests, parallel=True)
        self.assertEqual(len({reply.id for reply in replies}), 20)

    def test_of_upstream_methods_only(self) -> None:
        publish, history = self.run_batch(
            PublishRequest(channel="hist:a", data={}), HistoryRequest(channel="hist:a", limit=1), parallel=False
        )
        self.assertEqual((publish.offset, history.publications[0].data), (2, {"n": BIG}))


class NodesMethods(SdkCase):
    def test_pass_through(self) -> None:
        self.assertEqual(self.client.publish(PublishRequest(channel="hist:a", data={})).epoch, "TnZgaUVN")
        broadcast = self.client.broadcast(BroadcastRequest(channels=["hist:a", "nope:b", "plain:c"], data={}))
        self.assertIsInstance(broadcast, BroadcastResult)
        codes = [response.error and response.error.code for response in broadcast.responses]
        self.assertEqual(codes, [None, 102, None])
        history = self.client.history(HistoryRequest(channel="hist:a", limit=1))
        self.assertEqual(history.publications[0].data, {"n": BIG})
        self.assertEqual(self.client.info(InfoRequest()).nodes[0].version, "0.0.0 OSS")

    def test_raise_the_nodes_errors(self) -> None:
        with self.assertRaises(CentApiResponseError) as raised:
            self.client.publish(PublishRequest(channel="nope:a", data={}))
        self.assertEqual((raised.exception.code, raised.exception.message), (102, "unknown channel"))


if __name__ == "__main__":
    unittest.main()
