"""The core of the socket contract, spoken by the client that existing scripts use: websockets. Argument: the base URL."""

import asyncio
import json
import re
import sys
from datetime import datetime

import requests
import websockets

BASE = sys.argv[1]
SOCKET = BASE.replace("http", "ws", 1) + "/ws/chat"
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")


def account(name):
    credentials = {"username": name, "password": "correct horse battery"}
    requests.post(BASE + "/api/auth/register", json=credentials).raise_for_status()
    return requests.post(BASE + "/api/auth/login", json=credentials).json()["access_token"]


async def frame(socket):
    text = await asyncio.wait_for(socket.recv(), 20)
    assert isinstance(text, str), text
    return json.loads(text)


async def message(socket):
    """The next frame that tells of no one's presence: bob may still be told that alice came just before him."""
    while True:
        seen = await frame(socket)
        if seen.get("event") != "joined" and seen["type"] != "presence":
            return seen


def same(seen, wanted, what):
    assert seen == wanted, f"{what}: {seen!r}, not {wanted!r}"


async def main():
    tokens = {name: account(name) for name in ("alice", "bob")}
    for url in (SOCKET, SOCKET + "?token=nonsense"):
        try:
            await websockets.connect(url)
        except websockets.exceptions.InvalidStatus as refusal:
            same(refusal.response.status_code, 401, "a refusal comes before the upgrade")
        else:
            raise AssertionError("a socket without a login")

    alice = await websockets.connect(f"{SOCKET}?token={tokens['alice']}")
    first = await frame(alice)
    same((first["type"], first["message"]), ("system", "Connected as alice"), "the first frame")
    for field in ("event", "user_id", "session", "epoch", "heartbeat_ms", "limits", "rooms"):
        assert field in first, (field, first)
    same([room["name"] for room in first["rooms"]], ["general"], "rooms")

    bob = await websockets.connect(SOCKET, additional_headers={"Authorization": f"Bearer {tokens['bob']}"})
    same((await frame(bob))["message"], "Connected as bob", "the first frame")
    joined = {"type": "system", "message": "bob joined the chat", "event": "joined", "usernames": ["bob"]}
    same(await frame(alice), joined, "the others are told")

    text = 'hi 🌍 "quoted" \\ <b>é\u0301</b>\n\ttwo lines'
    await alice.send(json.dumps({"type": "message", "content": text}))
    seen = [await message(alice), await message(bob)]
    for told in seen:
        same((told["type"], told["username"], told["content"]), ("message", "alice", text), "a message")
        assert TIME.match(told["timestamp"]), told
        datetime.fromisoformat(told["timestamp"])
    same(seen[0], seen[1], "the sender sees what the others see")
    assert isinstance(seen[0]["id"], int) and seen[0]["seq"] == seen[0]["id"] and seen[0]["room"] == "general"

    # Without a `ref` there was no `ack`: the answer to the next frame is the next that comes.
    await alice.send('{"type":"message","content":"second","ref":"r1"}')
    both = {f["type"]: f for f in (await frame(alice), await frame(alice))}
    same(set(both), {"message", "ack"}, "a message and its ack")
    ack = both["ack"]
    same((ack["ref"], ack["room"], ack["duplicate"]), ("r1", "general", False), "ack")
    same((ack["id"], ack["timestamp"]), (both["message"]["id"], both["message"]["timestamp"]), "ack")
    same((await message(bob))["content"], "second", "bob sees it")

    history = requests.get(BASE + "/api/chat/messages", params={"token": tokens["bob"]}).json()
    same([m["content"] for m in history], [text, "second"], "history")
    same([m["created_at"] for m in history], [seen[0]["timestamp"], ack["timestamp"]], "one time for one message")

    await alice.send("this is no JSON")
    error = await frame(alice)
    same(error["type"], "error", "error")
    assert isinstance(error["code"], str) and isinstance(error["detail"], str), error

    await bob.close()
    left = {"type": "system", "message": "bob left the chat", "event": "left", "usernames": ["bob"]}
    same(await frame(alice), left, "the others are told")
    await alice.close()
    same(alice.close_code, 1000, "an ordinary end")


asyncio.run(main())
print("the core of the socket contract is kept")
