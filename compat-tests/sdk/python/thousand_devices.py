"""A thousand devices. The commands `register`, `list` and `send` print JSON."""

import json
import sys

from cent import (
    BatchRequest,
    Client,
    DeviceFilter,
    DeviceListRequest,
    DeviceRegisterRequest,
    FcmPushNotification,
    PushNotification,
    SendPushNotificationRequest,
)
from cent.dto import PushRecipient
from sdk_case import API, KEY

DEVICES = 1000
IN_TOPIC = 605
DEAD = 5
BATCH = 100


def token_of(number: int) -> str:
    """The first five have dead tokens. They belong to the 605 in the topic."""
    return f"unregistered-{number}" if number < DEAD else f"phone-{number}"


def register(client: Client) -> None:
    """Prints the tokens of the devices in the topic."""
    requests = [
        DeviceRegisterRequest(
            provider="fcm",
            platform="android",
            token=token_of(number),
            topics=["news" if number < IN_TOPIC else "sport"],
        )
        for number in range(DEVICES)
    ]
    ids = set()
    for start in range(0, DEVICES, BATCH):
        batch = client.batch(BatchRequest(requests=requests[start : start + BATCH], parallel=True))
        ids |= {reply.id for reply in batch.replies}
    assert len(ids) == DEVICES, len(ids)
    print(json.dumps([request.token for request in requests[:IN_TOPIC]]))


def list_tokens(client: Client) -> None:
    """Prints the tokens of all stored devices."""
    tokens, cursor = [], ""
    while True:
        page = client.device_list(DeviceListRequest(cursor=cursor, limit=300, include_total_count=True))
        tokens += [device.token for device in page.items]
        if not page.next_cursor:
            assert page.total_count == len(tokens), (page.total_count, len(tokens))
            break
        cursor = page.next_cursor
    print(json.dumps(tokens))


def send(client: Client) -> None:
    """Sends a message, given as JSON, to the topic."""
    message = json.loads(sys.argv[2])
    request = SendPushNotificationRequest(
        recipient=PushRecipient(filter=DeviceFilter(topics=["news"])),
        notification=PushNotification(fcm=FcmPushNotification(message=message)),
    )
    print(json.dumps(client.send_push_notification(request).uid))


with Client(API, KEY) as client:
    {"register": register, "list": list_tokens, "send": send}[sys.argv[1]](client)
