"""A client of the node that calls push methods through its RPC proxy.

    client.py ADDRESS TOKEN CALLS

CALLS is a JSON list of [method, data]. Prints the outcomes as a JSON list: {"data": …} or {"error": …}.
"""

import asyncio
import json
import sys

from centrifuge import Client
from centrifuge.exceptions import ReplyError


async def call(client, method, data):
    try:
        return {"data": (await client.rpc(method, data)).data}
    except ReplyError as error:
        return {"error": {"code": error.code, "message": error.message, "temporary": error.temporary}}


async def main(address, token, calls):
    client = Client(address, token=token)
    await client.connect()
    print(json.dumps([await call(client, method, data) for method, data in calls]))
    await client.disconnect()


asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
