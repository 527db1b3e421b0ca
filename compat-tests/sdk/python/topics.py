"""device_topic_update, device_topic_list, user_topic_update and user_topic_list."""

import unittest

from cent import (
    DeviceTopicFilter,
    DeviceTopicListRequest,
    DeviceTopicUpdateRequest,
    UserTopicListRequest,
)
from cent.dto import UserTopicFilter, UserTopicUpdateRequest
from sdk_case import BAD_REQUEST, NOT_FOUND, UNKNOWN_DEVICE, SdkCase, make_name


class DeviceTopics(SdkCase):
    def test_are_added_removed_and_set(self) -> None:
        device_id = self.register(topics=["a"])
        for op, topics, expected in (
            ("add", ["a", "b"], ["a", "b"]),
            ("remove", ["a", "unknown"], ["b"]),
            ("set", ["c", "d"], ["c", "d"]),
            ("set", [], []),
        ):
            self.client.device_topic_update(DeviceTopicUpdateRequest(device_id=device_id, op=op, topics=topics))
            self.assertEqual(sorted(self.topics_of(device_id)), expected)

    def test_of_an_unknown_device_are_not_found(self) -> None:
        request = DeviceTopicUpdateRequest(device_id=UNKNOWN_DEVICE, op="add", topics=["a"])
        self.assert_api_error(NOT_FOUND, self.client.device_topic_update, request)

    def test_are_not_changed_by_an_invalid_request(self) -> None:
        device_id = self.register(topics=["a"])
        for op, topics in (("replace", ["b"]), ("add", []), ("remove", []), ("add", [""])):
            request = DeviceTopicUpdateRequest(device_id=device_id, op=op, topics=topics)
            self.assert_api_error(BAD_REQUEST, self.client.device_topic_update, request)
        self.assertEqual(self.topics_of(device_id), ["a"])

    def test_are_listed_with_the_device_on_request(self) -> None:
        token, topic = make_name("token"), make_name("topic")
        device_id = self.register(token=token, topics=[topic])
        only = DeviceTopicFilter(topics=[topic])
        plain = self.client.device_topic_list(DeviceTopicListRequest(filter=only))
        found = [(item.topic, item.device.id, item.device.token) for item in plain.items]
        self.assertEqual(found, [(topic, device_id, "")])
        self.assertIsNone(plain.total_count)
        full = self.client.device_topic_list(
            DeviceTopicListRequest(filter=only, include_device=True, include_total_count=True)
        )
        [item] = full.items
        self.assertEqual((item.id, item.device.id, item.device.token), (plain.items[0].id, device_id, token))
        self.assertEqual((item.device.provider, item.device.platform), ("fcm", "android"))
        self.assertEqual(full.total_count, 1)

    def test_are_filtered_by_each_field(self) -> None:
        user, prefix = make_name("user"), make_name("topic")
        news, sport = f"{prefix}:news", f"{prefix}:sport"
        a = self.register(user=user, topics=[news, sport])
        b = self.register(topics=[news], provider="apns", platform="ios")
        for expected, fields in (
            ({(a, news), (a, sport), (b, news)}, {"topic_prefix": prefix}),
            ({(a, sport)}, {"topics": [sport]}),
            ({(a, news), (a, sport)}, {"device_ids": [a]}),
            ({(a, news), (a, sport)}, {"device_users": [user]}),
            ({(b, news)}, {"topics": [news], "device_providers": ["apns"]}),
            ({(a, news)}, {"topics": [news], "device_platforms": ["android"]}),
            (set(), {"device_ids": [b], "topics": [sport]}),
        ):
            with self.subTest(fields):
                request = DeviceTopicListRequest(filter=DeviceTopicFilter(**fields))
                items = self.client.device_topic_list(request).items
                self.assertEqual({(item.device.id, item.topic) for item in items}, expected)
                self.assertEqual(len(items), len(expected))

    def test_are_listed_page_by_page(self) -> None:
        prefix = make_name("topic")
        ids = [self.register(topics=[f"{prefix}:a", f"{prefix}:b"]) for _ in range(4)]
        request = DeviceTopicListRequest(
            filter=DeviceTopicFilter(topic_prefix=prefix), include_total_count=True, limit=3
        )
        items = self.walk_pages(self.client.device_topic_list, request, total=8)
        expected = sorted((one, f"{prefix}:{name}") for one in ids for name in "ab")
        self.assertEqual(sorted((item.device.id, item.topic) for item in items), expected)
        self.assertEqual(len({item.id for item in items}), 8)


class UserTopics(SdkCase):
    def topics_of_user(self, user: str) -> list[str]:
        request = UserTopicListRequest(filter=UserTopicFilter(users=[user]))
        return sorted(item.topic for item in self.client.user_topic_list(request).items)

    def test_reach_the_devices_that_the_user_has_and_gets(self) -> None:
        user, topic = make_name("user"), make_name("topic")
        before = self.register(user=user, topics=["own"])
        self.client.user_topic_update(UserTopicUpdateRequest(user=user, op="add", topics=[topic]))
        after = self.register(user=user)
        self.assertEqual(sorted(self.topics_of(before)), ["own", topic])
        self.assertEqual(self.topics_of(after), [topic])
        self.client.user_topic_update(UserTopicUpdateRequest(user=user, op="remove", topics=[topic]))
        self.assertEqual((self.topics_of(before), self.topics_of(after)), (["own"], []))

    def test_are_added_removed_and_set(self) -> None:
        user = make_name("user")
        for op, topics, expected in (
            ("add", ["a", "b"], ["a", "b"]),
            ("remove", ["a"], ["b"]),
            ("set", ["c"], ["c"]),
            ("set", [], []),
        ):
            self.client.user_topic_update(UserTopicUpdateRequest(user=user, op=op, topics=topics))
            self.assertEqual(self.topics_of_user(user), expected)

    def test_are_filtered_by_user_topic_and_prefix(self) -> None:
        users, prefix = [make_name("user"), make_name("user")], make_name("topic")
        topics = [f"{prefix}:a", f"{prefix}:b"]
        self.client.user_topic_update(UserTopicUpdateRequest(user=users[0], op="set", topics=topics))
        self.client.user_topic_update(UserTopicUpdateRequest(user=users[1], op="set", topics=topics[:1]))
        for expected, fields in (
            ({(users[0], topics[0]), (users[0], topics[1])}, {"users": [users[0]]}),
            ({(users[0], topics[0]), (users[1], topics[0])}, {"topics": [topics[0]]}),
            ({(users[0], topics[1])}, {"topics": [topics[1]], "topic_prefix": prefix}),
            (set(), {"users": [users[1]], "topics": [topics[1]]}),
        ):
            with self.subTest(fields):
                request = UserTopicListRequest(filter=UserTopicFilter(**fields))
                items = self.client.user_topic_list(request).items
                self.assertEqual({(item.user, item.topic) for item in items}, expected)

    def test_are_listed_page_by_page(self) -> None:
        users, prefix = [make_name("user") for _ in range(4)], make_name("topic")
        for user in users:
            topics = [f"{prefix}:a", f"{prefix}:b"]
            self.client.user_topic_update(UserTopicUpdateRequest(user=user, op="set", topics=topics))
        request = UserTopicListRequest(filter=UserTopicFilter(topic_prefix=prefix), include_total_count=True, limit=3)
        items = self.walk_pages(self.client.user_topic_list, request, total=8)
        expected = sorted((user, f"{prefix}:{name}") for user in users for name in "ab")
        self.assertEqual(sorted((item.user, item.topic) for item in items), expected)
        self.assertEqual(len({item.id for item in items}), 8)

    def test_are_not_changed_by_an_invalid_request(self) -> None:
        for op, topics in (("replace", ["b"]), ("add", []), ("remove", [])):
            request = UserTopicUpdateRequest(user="u", op=op, topics=topics)
            self.assert_api_error(BAD_REQUEST, self.client.user_topic_update, request)


if __name__ == "__main__":
    unittest.main()
