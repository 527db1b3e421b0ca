"""send_push_notification, cancel_push and update_push_status. The caller checks the pushes at FCM."""

import time
import unittest
from typing import Any

from cent import (
    ApnsPushNotification,
    CancelPushRequest,
    DeviceFilter,
    FcmPushNotification,
    HmsPushNotification,
    PushNotification,
    SendPushNotificationRequest,
    UpdatePushStatusRequest,
)
from cent.dto import PushRecipient
from sdk_case import BAD_REQUEST, CONFLICT, SdkCase, make_name

FCM_HELLO = PushNotification(fcm=FcmPushNotification(message={"notification": {"title": "Hello"}}))


def to_tokens(*tokens: str, **fields: Any) -> SendPushNotificationRequest:
    fields = {"recipient": PushRecipient(fcm_tokens=list(tokens)), "notification": FCM_HELLO, **fields}
    return SendPushNotificationRequest(**fields)


class Send(SdkCase):
    def send(self, **fields: Any) -> str:
        return self.client.send_push_notification(SendPushNotificationRequest(**fields)).uid

    def test_reaches_fcm_by_filter_token_topic_and_condition(self) -> None:
        self.register(token="by-filter", user="reached")
        for recipient in (
            PushRecipient(filter=DeviceFilter(users=["reached"], providers=["fcm"], platforms=["android"])),
            PushRecipient(fcm_tokens=["by-token-1", "by-token-2"]),
            PushRecipient(fcm_topic="by-topic"),
            PushRecipient(fcm_condition="'by-condition' in topics"),
        ):
            self.assertTrue(self.send(recipient=recipient, notification=FCM_HELLO))

    def test_accepts_each_provider(self) -> None:
        self.register(provider="apns", platform="ios", user="many")
        self.register(provider="hms", user="many")
        apns = ApnsPushNotification(headers={"apns-priority": "10"}, payload={"aps": {"alert": "Hello"}})
        hms = HmsPushNotification(message={"notification": {"title": "Hello"}})
        everywhere = PushNotification(fcm=FCM_HELLO.fcm, apns=apns, hms=hms)
        for recipient in (
            PushRecipient(filter=DeviceFilter(users=["many"])),
            PushRecipient(apns_tokens=["ab" * 32]),
            PushRecipient(hms_tokens=["h"]),
            PushRecipient(hms_topic="t"),
            PushRecipient(hms_condition="'t' in topics"),
        ):
            self.assertTrue(self.send(recipient=recipient, notification=everywhere))

    def test_accepts_every_option(self) -> None:
        fcm = FcmPushNotification(message={"notification": {"title": "Hello"}})
        uid = make_name("uid")
        answered = self.client.send_push_notification(
            to_tokens(
                "with-options",
                notification=PushNotification(fcm=fcm, expire_at=int(time.time()) + 3600),
                uid=uid,
                send_at=int(time.time()) - 1,
                analytics_uid="campaign",
                optimize_for_reliability=True,
            )
        )
        self.assertEqual(answered.uid, uid)

    def test_makes_a_uid_if_none_is_given(self) -> None:
        uids = {self.client.send_push_notification(to_tokens("without-uid")).uid for _ in range(2)}
        self.assertEqual(len(uids), 2)

    def test_sends_the_same_request_once(self) -> None:
        request = to_tokens("once", uid=make_name("uid"))
        answers = [self.client.send_push_notification(request).uid for _ in range(3)]
        self.assertEqual(answers, [request.uid] * 3)

    def test_refuses_another_request_with_the_same_uid(self) -> None:
        uid = make_name("uid")
        self.client.send_push_notification(to_tokens("first", uid=uid))
        self.assert_api_error(CONFLICT, self.client.send_push_notification, to_tokens("second", uid=uid))

    def test_refuses_a_request_without_a_valid_recipient_or_notification(self) -> None:
        for wrong in (
            {"recipient": PushRecipient()},
            {"recipient": PushRecipient(filter=DeviceFilter())},
            {"recipient": PushRecipient(fcm_tokens=[], fcm_topic="")},
            {"recipient": PushRecipient(fcm_tokens=["never"], fcm_topic="never")},
            {"notification": PushNotification()},
            {"notification": PushNotification(fcm=FcmPushNotification(message="text"))},
            {"notification": PushNotification(hms=HmsPushNotification(message={}))},
            {"uid": "{never}"},
            {"send_at": -1},
        ):
            with self.subTest(wrong):
                self.assert_api_error(BAD_REQUEST, self.client.send_push_notification, to_tokens("never", **wrong))


class Cancel(SdkCase):
    def test_stops_a_scheduled_send_and_one_that_arrives_after_it(self) -> None:
        waiting, later = make_name("uid"), make_name("uid")
        self.client.send_push_notification(to_tokens("never", uid=waiting, send_at=int(time.time()) + 3600))
        self.client.cancel_push(CancelPushRequest(uid=waiting))
        self.client.cancel_push(CancelPushRequest(uid=waiting))
        self.client.cancel_push(CancelPushRequest(uid=later))
        self.assertEqual(self.client.send_push_notification(to_tokens("never", uid=later)).uid, later)

    def test_needs_a_uid(self) -> None:
        self.assert_api_error(BAD_REQUEST, self.client.cancel_push, CancelPushRequest(uid=""))


class Status(SdkCase):
    def test_accepts_delivered_and_interacted(self) -> None:
        for status in ("delivered", "interacted"):
            request = UpdatePushStatusRequest(analytics_uid="u", status=status, device_id=self.register(), msg_id="m")
            self.client.update_push_status(request)

    def test_refuses_other_values(self) -> None:
        for status, uid in (("eaten", "u"), ("", "u"), ("delivered", "")):
            request = UpdatePushStatusRequest(analytics_uid=uid, status=status, device_id="d")
            self.assert_api_error(BAD_REQUEST, self.client.update_push_status, request)


if __name__ == "__main__":
    unittest.main()
