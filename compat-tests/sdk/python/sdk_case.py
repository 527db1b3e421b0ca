"""Shared by the scripts: the SDK's client for the server under test, and unique names."""

import os
import unittest
import uuid
from typing import Any, Callable, Optional

from cent import CentApiResponseError, Client, Device, DeviceFilter, DeviceListRequest, DeviceRegisterRequest

API = os.environ["CENTRIPUSH_TEST_API"]
KEY = os.environ["CENTRIPUSH_TEST_KEY"]

NOT_FOUND = 104
BAD_REQUEST = 107
CONFLICT = 113

UNKNOWN_DEVICE = "01ARZ3NDEKTSV4RRFFQ69G5FAV-fcm"


def make_name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex}"


class SdkCase(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.client = Client(API, KEY)
        self.addCleanup(self.client.close)

    def register(self, **fields: Any) -> str:
        """Registers a device, an Android phone on FCM unless told otherwise, and returns its id."""
        # A device token of APNs is hexadecimal.
        token = uuid.uuid4().hex * 2 if fields.get("provider") == "apns" else make_name("token")
        fields = {"provider": "fcm", "platform": "android", "token": token, **fields}
        return self.client.device_register(DeviceRegisterRequest(**fields)).id

    def find(self, device_id: str) -> Optional[Device]:
        """The device in a list of the server; None when it does not exist."""
        request = DeviceListRequest(filter=DeviceFilter(ids=[device_id]), include_meta=True, include_topics=True)
        items = self.client.device_list(request).items
        self.assertLessEqual(len(items), 1)
        return items[0] if items else None

    def topics_of(self, device_id: str) -> list[str]:
        device = self.find(device_id)
        assert device is not None
        return device.topics or []

    def assert_api_error(self, code: int, call: Callable[[Any], Any], request: Any) -> None:
        with self.assertRaises(CentApiResponseError) as raised:
            call(request)
        self.assertEqual(raised.exception.code, code)

    def walk_pages(self, call: Callable[[Any], Any], request: Any, total: int) -> list[Any]:
        """Returns all items of a list by its cursors. Every page must report `total` items."""
        items = []
        while True:
            page = call(request)
            self.assertEqual(page.total_count, total)
            items += page.items
            self.assertLessEqual(len(items), total, "a page came twice")
            if not page.next_cursor:
                return items
            self.assertEqual(len(page.items), request.limit, "only the last page may be short")
            request = request.model_copy(update={"cursor": page.next_cursor})
