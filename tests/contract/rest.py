"""The core of the REST contract, spoken by the client that existing scripts use: requests. Argument: the base URL."""

import re
import sys
from datetime import datetime, timedelta, timezone

import requests

BASE = sys.argv[1]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")
ALICE = {"username": "alice", "password": "correct horse battery"}


def same(seen, wanted, what):
    assert seen == wanted, f"{what}: {seen!r}, not {wanted!r}"


def is_time(text):
    assert TIME.match(text), text
    # What old clients do with it; their reader knows no `Z`.
    age = datetime.now(timezone.utc) - datetime.fromisoformat(text)
    assert abs(age) < timedelta(minutes=2), text


def problem(answer, status, detail=None):
    same(answer.status_code, status, answer.text)
    same(answer.headers["content-type"].split(";")[0], "application/problem+json", "type")
    body = answer.json()
    assert isinstance(body["detail"], str) and body["detail"], body
    same(body["status"], status, "status")
    if detail is not None:
        same(body["detail"], detail, "detail")
    return body


def main():
    front = requests.get(BASE + "/")
    same(front.status_code, 200, "GET /")
    body = front.json()
    assert isinstance(body["message"], str) and isinstance(body["version"], str), body
    for name, path in {
        "register": "/api/auth/register",
        "login": "/api/auth/login",
        "messages": "/api/chat/messages",
        "websocket": "/ws/chat",
    }.items():
        assert path in body["endpoints"][name], body["endpoints"]
    page = requests.get(BASE + "/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    same((page.status_code, page.headers["content-type"].split(";")[0]), (200, "text/html"), "the page")

    made = requests.post(BASE + "/api/auth/register", json={**ALICE, "email": "alice@example.org"})
    same(made.status_code, 201, made.text)
    same(set(made.json()), {"id", "username", "created_at"}, "a new user")
    same(made.json()["username"], "alice", "name")
    assert isinstance(made.json()["id"], int)
    is_time(made.json()["created_at"])
    problem(requests.post(BASE + "/api/auth/register", json=ALICE), 400, "Username already registered")

    login = requests.post(BASE + "/api/auth/login", json=ALICE)
    same(login.status_code, 200, login.text)
    tokens = login.json()
    same(set(tokens), {"access_token", "token_type", "expires_in", "refresh_token"}, "tokens")
    same((tokens["token_type"], tokens["expires_in"]), ("bearer", 1800), "tokens")
    wrong = requests.post(BASE + "/api/auth/login", json={**ALICE, "password": "wrong horse battery"})
    unknown = requests.post(BASE + "/api/auth/login", json={**ALICE, "username": "nobody"})
    bodies = [problem(answer, 401, "Incorrect username or password") for answer in (wrong, unknown)]
    for answer, body in zip((wrong, unknown), bodies):
        same(answer.headers["www-authenticate"], "Bearer", "challenge")
        del body["request_id"]
    same(bodies[0], bodies[1], "a wrong password and an unknown name")

    messages = BASE + "/api/chat/messages"
    token = tokens["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    for answer in (requests.get(messages), requests.get(messages, params={"token": token + "x"})):
        problem(answer, 401)
        same(answer.headers["www-authenticate"].split(" ")[0], "Bearer", "challenge")
    same(requests.get(messages, headers=bearer).json(), [], "no messages yet")
    for n in range(60):
        sent = requests.post(BASE + "/api/rooms/general/messages", json={"content": f"n° {n} 🌍"}, headers=bearer)
        if sent.status_code == 429:
            assert int(sent.headers["retry-after"]) >= 1
            break
        same(sent.status_code, 201, sent.text)
        count = n + 1
    assert count >= 30, count
    latest = requests.get(messages, headers=bearer)
    same(latest.status_code, 200, latest.text)
    same([m["content"] for m in latest.json()], [f"n° {n} 🌍" for n in range(count)][-50:], "oldest first")
    same(requests.get(messages, params={"token": token}).json(), latest.json(), "token in the URL")
    few = requests.get(messages, params={"token": token, "limit": 5}).json()
    same(few, latest.json()[-5:], "limit")
    for message in few:
        assert {"id", "user_id", "username", "content", "created_at"} <= set(message), message
        same((message["user_id"], message["username"]), (made.json()["id"], "alice"), "who")
        is_time(message["created_at"])

    for path in ("/docs", "/redoc"):
        page = requests.get(BASE + path)
        same((page.status_code, page.headers["content-type"].split(";")[0]), (200, "text/html"), path)
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page.text), f"{path} loads from elsewhere"
    api = requests.get(BASE + "/openapi.json").json()
    assert api["openapi"].startswith("3.1"), api["openapi"]
    assert {"/api/auth/register", "/api/auth/login", "/api/chat/messages"} <= set(api["paths"]), list(api["paths"])
    assert requests.get(BASE + "/asyncapi.json").json()["asyncapi"]
    for path in ("/health", "/ready"):
        same(requests.get(BASE + path).status_code, 200, path)


main()
print("the core of the REST contract is kept")
