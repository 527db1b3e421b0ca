"""Real-time first: a publication, and a push three seconds later unless a client acknowledges the publication.

    push_unless_acknowledged.py TOKEN           sends both in one batch
    push_unless_acknowledged.py TOKEN SENTINEL  then cancels the push, and schedules another one a second after it

Prints `send_at` of the (first) push, in Unix seconds.
"""

import json
import sys
import time
import uuid

from cent import (
    BatchRequest,
    CancelPushRequest,
    Client,
    FcmPushNotification,
    PublishRequest,
    PushNotification,
    SendPushNotificationRequest,
)
from cent.dto import PushRecipient
from sdk_case import API, KEY

AHEAD_SECONDS = 3


def push_to(token: str, send_at: int) -> SendPushNotificationRequest:
    return SendPushNotificationRequest(
        uid=str(uuid.uuid4()),
        send_at=send_at,
        recipient=PushRecipient(fcm_tokens=[token]),
        notification=PushNotification(fcm=FcmPushNotification(message={"notification": {"title": "Missed"}})),
    )


token, *sentinel = sys.argv[1:]

with Client(API, KEY) as client:
    # `send_at` has whole seconds, so it is three seconds ahead only right after a second begins.
    time.sleep(1 - time.time() % 1)
    send_at = int(time.time()) + AHEAD_SECONDS
    push = push_to(token, send_at)
    publish = PublishRequest(channel="user:42", data={"id": push.uid})
    sent, published = client.batch(BatchRequest(requests=[push, publish])).replies
    assert (sent.uid, published.epoch) == (push.uid, "TnZgaUVN"), (sent, published)
    if sentinel:
        client.cancel_push(CancelPushRequest(uid=push.uid))
        client.send_push_notification(push_to(sentinel[0], send_at + 1))

print(json.dumps(send_at))
