"""device_register, device_list, device_update and device_remove."""

import time
import unittest

from cent import (
    DeviceFilter,
    DeviceListRequest,
    DeviceMetaUpdate,
    DeviceRegisterRequest,
    DeviceRemoveRequest,
    DeviceTopicsUpdate,
    DeviceUpdateRequest,
    DeviceUserUpdate,
)
from cent.dto import DeviceLocaleUpdate, DeviceTimezoneUpdate
from sdk_case import BAD_REQUEST, UNKNOWN_DEVICE, SdkCase, make_name


class Register(SdkCase):
    def test_stores_all_fields(self) -> None:
        token, user, topic = make_name("token"), make_name("user"), make_name("topic")
        before = int(time.time())
        device_id = self.register(
            token=token,
            platform="ios",
            user=user,
            timezone="Europe/Berlin",
            locale="de",
            meta={"app": "1.0", "ключ": "значение"},
            topics=[topic],
        )
        device = self.find(device_id)
        assert device is not None
        self.assertRegex(device_id, r"^[0-7][0-9A-HJKMNP-TV-Z]{25}-fcm$")
        self.assertEqual((device.id, device.provider, device.platform), (device_id, "fcm", "ios"))
        self.assertEqual((device.token, device.user, device.topics), (token, user, [topic]))
        self.assertEqual(device.meta, {"app": "1.0", "ключ": "значение"})
        self.assertEqual((device.model_extra or {}), {"timezone": "Europe/Berlin", "locale": "de"})
        self.assertTrue(before <= device.created_at <= device.updated_at <= time.time() + 1)

    def test_keeps_the_id_of_a_token_and_resets_missing_fields(self) -> None:
        token = make_name("token")
        first = self.register(token=token, user=make_name("user"), meta={"a": "b"}, topics=[make_name("topic")])
        self.assertEqual(self.register(token=token), first)
        device = self.find(first)
        assert device is not None
        self.assertEqual((device.user, device.meta, device.topics), ("", None, None))

    def test_stores_a_new_token_under_the_id_of_the_request(self) -> None:
        device_id, token = self.register(), make_name("token")
        self.assertEqual(self.register(id=device_id, token=token), device_id)
        device = self.find(device_id)
        assert device is not None
        self.assertEqual(device.token, token)

    def test_accepts_each_provider(self) -> None:
        for provider in ("fcm", "hms", "apns"):
            self.assertTrue(self.register(provider=provider).endswith(f"-{provider}"))

    def test_refuses_an_invalid_device(self) -> None:
        good = {"provider": "fcm", "platform": "android", "token": "t"}
        for wrong in (
            {"provider": "pigeon"},
            {"platform": "toaster"},
            {"token": ""},
            {"timezone": "Mars/Olympus"},
            {"id": "not-an-id"},
            {"id": UNKNOWN_DEVICE, "provider": "apns"},
            {"topics": [""]},
        ):
            with self.subTest(wrong):
                request = DeviceRegisterRequest(**{**good, **wrong})
                self.assert_api_error(BAD_REQUEST, self.client.device_register, request)


class List(SdkCase):
    def test_omits_optional_fields_by_default(self) -> None:
        device_id = self.register(meta={"a": "b"}, topics=[make_name("topic")])
        page = self.client.device_list(DeviceListRequest(filter=DeviceFilter(ids=[device_id])))
        self.assertEqual([(item.id, item.meta, item.topics) for item in page.items], [(device_id, None, None)])
        self.assertEqual((page.total_count, page.next_cursor), (None, None))

    def test_adds_the_field_of_each_flag(self) -> None:
        topics = [make_name("topic"), make_name("topic")]
        device_id = self.register(meta={"a": "b"}, topics=topics)
        only = DeviceFilter(ids=[device_id])
        with_meta = self.client.device_list(DeviceListRequest(filter=only, include_meta=True)).items[0]
        self.assertEqual((with_meta.meta, with_meta.topics), ({"a": "b"}, None))
        with_topics = self.client.device_list(DeviceListRequest(filter=only, include_topics=True)).items[0]
        self.assertEqual((with_topics.meta, sorted(with_topics.topics or [])), (None, sorted(topics)))
        counted = self.client.device_list(DeviceListRequest(filter=only, include_total_count=True))
        self.assertEqual(counted.total_count, 1)

    def test_filters_by_each_field_and_by_all_of_them(self) -> None:
        users = [make_name("user"), make_name("user")]
        topics = [make_name("topic"), make_name("topic")]
        a = self.register(user=users[0], topics=[topics[0]])
        b = self.register(user=users[1], topics=[topics[1]], provider="apns", platform="ios")
        c = self.register(user=users[1], topics=topics, provider="hms")
        for expected, fields in (
            ({a, b}, {"ids": [a, b, UNKNOWN_DEVICE]}),
            ({b, c}, {"users": [users[1]]}),
            ({a, b, c}, {"users": users}),
            ({a, c}, {"topics": [topics[0]]}),
            ({a, b, c}, {"topics": topics}),
            ({b, c}, {"users": users, "providers": ["apns", "hms"]}),
            ({a, c}, {"users": users, "platforms": ["android"]}),
            ({c}, {"users": [users[1]], "topics": [topics[0]], "providers": ["hms"], "platforms": ["android"]}),
            (set(), {"users": [users[0]], "topics": [topics[1]]}),
        ):
            with self.subTest(fields):
                items = self.client.device_list(DeviceListRequest(filter=DeviceFilter(**fields))).items
                self.assertEqual({item.id for item in items}, expected)
                self.assertEqual(len(items), len(expected))

    def test_returns_pages_in_the_order_of_ids(self) -> None:
        user = make_name("user")
        ids = [self.register(user=user) for _ in range(10)]
        for limit in (3, 5, 10, 11):
            request = DeviceListRequest(filter=DeviceFilter(users=[user]), include_total_count=True, limit=limit)
            items = self.walk_pages(self.client.device_list, request, total=10)
            self.assertEqual([item.id for item in items], sorted(ids))

    def test_refuses_a_negative_limit_and_an_invalid_cursor(self) -> None:
        self.assert_api_error(BAD_REQUEST, self.client.device_list, DeviceListRequest(limit=-1))
        self.assert_api_error(BAD_REQUEST, self.client.device_list, DeviceListRequest(cursor="x"))


class Update(SdkCase):
    def test_changes_only_the_given_fields(self) -> None:
        user, topic = make_name("user"), make_name("topic")
        device_id = self.register(meta={"a": "b"}, topics=[topic], timezone="Europe/Berlin", locale="de")
        for change in (
            {"user_update": DeviceUserUpdate(user=user)},
            {"timezone_update": DeviceTimezoneUpdate(timezone="Asia/Tokyo")},
            {"locale_update": DeviceLocaleUpdate(locale="ja")},
        ):
            self.client.device_update(DeviceUpdateRequest(ids=[device_id], **change))
        device = self.find(device_id)
        assert device is not None
        self.assertEqual((device.user, device.meta, device.topics), (user, {"a": "b"}, [topic]))
        self.assertEqual(device.model_extra, {"timezone": "Asia/Tokyo", "locale": "ja"})
        self.client.device_update(DeviceUpdateRequest(ids=[device_id], meta_update=DeviceMetaUpdate(meta={"c": "d"})))
        changed = self.find(device_id)
        assert changed is not None
        self.assertEqual((changed.meta, changed.topics), ({"c": "d"}, [topic]))

    def test_adds_removes_and_sets_topics(self) -> None:
        device_id = self.register(topics=["a"])
        for op, topics, expected in (
            ("add", ["b", "c"], ["a", "b", "c"]),
            ("remove", ["a"], ["b", "c"]),
            ("set", ["d"], ["d"]),
            ("set", [], []),
        ):
            update = DeviceTopicsUpdate(op=op, topics=topics)
            self.client.device_update(DeviceUpdateRequest(ids=[device_id], topics_update=update))
            self.assertEqual(sorted(self.topics_of(device_id)), expected)

    def test_reaches_all_devices_of_a_user(self) -> None:
        user, other = make_name("user"), make_name("user")
        ids = [self.register(user=user), self.register(user=user)]
        stranger = self.register(user=other)
        self.client.device_update(DeviceUpdateRequest(users=[user], meta_update=DeviceMetaUpdate(meta={"x": "y"})))
        found = [getattr(self.find(one), "meta", "gone") for one in [*ids, stranger]]
        self.assertEqual(found, [{"x": "y"}] * 2 + [None])

    def test_refuses_an_empty_filter_and_an_empty_change(self) -> None:
        change = DeviceUserUpdate(user="u")
        self.assert_api_error(BAD_REQUEST, self.client.device_update, DeviceUpdateRequest(user_update=change))
        self.assert_api_error(BAD_REQUEST, self.client.device_update, DeviceUpdateRequest(ids=[self.register()]))


class Remove(SdkCase):
    def test_removes_by_id_by_user_and_by_both(self) -> None:
        user, other = make_name("user"), make_name("user")
        a, b, c, d = (self.register(user=one) for one in (user, user, other, other))
        self.client.device_remove(DeviceRemoveRequest(ids=[a]))
        self.assertIsNone(self.find(a))
        self.client.device_remove(DeviceRemoveRequest(ids=[b, c], users=[user]))
        self.assertIsNone(self.find(b))
        self.assertIsNotNone(self.find(c), "is of another user")
        self.client.device_remove(DeviceRemoveRequest(users=[other]))
        self.assertIsNone(self.find(c))
        self.assertIsNone(self.find(d))

    def test_succeeds_for_an_unknown_device(self) -> None:
        self.client.device_remove(DeviceRemoveRequest(ids=[UNKNOWN_DEVICE]))

    def test_refuses_an_empty_filter(self) -> None:
        self.assert_api_error(BAD_REQUEST, self.client.device_remove, DeviceRemoveRequest())


if __name__ == "__main__":
    unittest.main()
