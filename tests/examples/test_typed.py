"""How to write tests with types: mypy and pyright pass all of this in their strict modes.

Where there is a `type: ignore`, both find something wrong: they are asked to report those that are not needed.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any
from unittest.mock import ANY, call

from aiohttp import ClientResponse, ClientSession, ClientTimeout, FormData, MultipartWriter
from aiohttp.payload import BytesPayload
from yarl import URL

from aioresponses import (
    AioResponsesTestCase,
    CallbackResult,
    Fault,
    FilePart,
    Group,
    RequestCall,
    RequestMatch,
    ServerSentEvent,
    aioresponses,
)
from aioresponses.matchers import ABSENT, one_of, regex, subset, unordered

USERS = "https://api.example.com/users"


class Response(ClientResponse):
    pass


def by_call(call: RequestCall) -> CallbackResult:
    return CallbackResult(payload={"id": call.match_info["id"]})


def by_url(url: URL, **kwargs: Any) -> CallbackResult:
    return CallbackResult(payload={"url": str(url), "json": kwargs.get("json")})


def by_url_and_objects(uri: URL, **kwargs: object) -> CallbackResult | None:
    return CallbackResult(status=202) if kwargs else None


async def by_call_later(call: RequestCall) -> CallbackResult:
    await asyncio.sleep(0)
    return CallbackResult(body=call.body)


async def by_url_later(url: URL, **kwargs: Any) -> None:
    await asyncio.sleep(0)


def looks(call: RequestCall) -> None:
    assert call.json() == {"name": "Ada"}


class Service:
    def by_call(self, call: RequestCall) -> CallbackResult:
        return CallbackResult(text_of(call))

    def __call__(self, url: URL, **kwargs: Any) -> CallbackResult:
        return CallbackResult(status=404)


def text_of(call: RequestCall) -> str:
    return call.method.lower()


def user_of(call: RequestCall) -> dict[str, str]:
    return {"id": call.match_info["id"]}


def pieces() -> Iterator[bytes]:
    yield b"a"


async def pieces_of(call: RequestCall) -> AsyncIterator[str]:
    yield call.method


async def events_of(call: RequestCall) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent({"id": 7}, event=call.method)


def is_large(call: RequestCall) -> bool:
    return len(call.body) > 1000


def is_small(call: RequestCall) -> tuple[bool, str]:
    return not is_large(call), "it is large"


def no_argument() -> CallbackResult:
    return CallbackResult()


def two_arguments(call: RequestCall, more: int) -> str:
    return call.method * more


async def text_later(call: RequestCall) -> str:
    return call.method


def register_users(api: Group) -> RequestMatch:
    return api.get("/users/{id}", payload=user_of, repeat=True)


def dumps(value: Any) -> bytes:
    return str(value).encode()


class RegisteringTest(AioResponsesTestCase):
    """What can be said of a mock; nothing is asked for here."""

    def test_urls_and_methods(self) -> None:
        self.mock.get(USERS)
        self.mock.post(URL(USERS), status=201)
        self.mock.delete(re.compile(r"/users/\d+$"), repeat=2)
        self.mock.add(f"{USERS}/{{id:[0-9]+}}", "PURGE", optional=True)
        api = self.mock.host("https://api.example.com", headers={"Server": "x"}, match_headers={"Authorization": ANY})
        handle = register_users(api)
        self.assertEqual((handle.call_count, handle.called), (0, False))
        handle.remove()

    def test_every_method_and_url(self) -> None:
        self.mock.any(USERS, status=503)
        self.mock.any(ANY, status=503)
        self.mock.get(ANY)
        handle = self.mock.add(USERS, None)
        self.mock.add(USERS, method=None)
        self.assertEqual(handle.method, "*")

    def test_groups(self) -> None:
        api = self.mock.host(URL("https://api.example.com"))
        api.any("/{path:.*}", status=503)
        api.get(re.compile(r"/users/\d+$"), optional=True)
        api.post(ANY, override=True)
        api.add(URL("/users"), None)
        calls: list[RequestCall] = api.calls
        self.assertEqual((calls, api.called, api.call_count), ([], False, 0))

    def test_overriding_and_passing_through(self) -> None:
        self.mock.get(USERS, payload=[], repeat=True, optional=True)
        self.mock.get(USERS, status=500, override=True)
        self.mock.add(USERS, override=True, passthrough=True)
        self.mock.get(USERS, passthrough=True, repeat=2)
        self.mock.host("https://api.example.com").get("/", override=True, passthrough=True)
        aioresponses(passthrough=["http://127.0.0.1", URL("http://[::1]"), "https://*.internal.example"])
        aioresponses(passthrough=[re.compile(r"https?://127\.")])

    def test_arguments_that_do_not_fit(self) -> None:
        wrong: list[Callable[[], object]] = [
            lambda: self.mock.get(USERS, override="yes"),  # type: ignore[arg-type]
            lambda: self.mock.get(USERS, passthrough=["http://127.0.0.1"]),  # type: ignore[arg-type]
            lambda: self.mock.add(USERS, 5),  # type: ignore[arg-type]
            lambda: self.mock.any(5),  # type: ignore[arg-type]
            lambda: self.mock.any(USERS, method="GET"),  # type: ignore[call-arg]
            lambda: self.mock.host(re.compile("x")),  # type: ignore[arg-type]
            lambda: aioresponses(passthrough=[5]),  # type: ignore[list-item]
        ]
        for register in wrong:
            with self.assertRaises(TypeError):
                register()

    def test_replies(self) -> None:
        self.mock.get(USERS, payload=[{"name": "Ada"}], headers={"Age": 7}, cookies={"a": "b"}, reason="Fine")
        self.mock.get(USERS, body="text", content_type=None, headers=[("X", "1"), ("X", "2")], delay=0.5)
        self.mock.get(USERS, exception=OSError("no"))
        self.mock.get(USERS, exception=ConnectionResetError)
        self.mock.get(USERS, timeout=True)
        self.mock.get(USERS, fault=Fault.HANG)
        self.mock.get(USERS, response_class=Response)
        self.mock.get(USERS, replies=[{"status": 503}, OSError(), CallbackResult(status=200), {"payload": user_of}])

    def test_bodies_that_are_streamed(self) -> None:
        self.mock.get(USERS, body=[b"a", "b"])
        self.mock.get(USERS, body=io.BytesIO(b"a"))
        self.mock.get(USERS, body=pieces)
        self.mock.get(USERS, body=pieces())
        self.mock.get(USERS, body=pieces_of)
        self.mock.get(USERS, body=text_of)
        self.mock.get(USERS, body=lambda: "now")
        self.mock.get(USERS, body=MultipartWriter("mixed"))
        self.mock.get(USERS, body=FormData({"name": "Ada"}))
        self.mock.get(USERS, body=BytesPayload(b"x", content_type="image/png"))
        self.mock.get(USERS, body=lambda: FormData({"name": "Ada"}))
        self.mock.get(USERS, body=lambda call: call.method.lower())
        self.mock.get(USERS, events=["tick", {"id": 7}, ServerSentEvent("tock", id="8")])
        self.mock.get(USERS, events=events_of)
        self.mock.get(USERS, events=lambda call: [call.method.lower()])

    def test_payloads_of_the_call(self) -> None:
        self.mock.get(USERS, payload=user_of)
        self.mock.get(USERS, payload=lambda call: {"method": call.method.lower()})
        self.mock.get(USERS, payload=dict)

    def test_callbacks(self) -> None:
        service = Service()
        self.mock.get(USERS, callback=by_call)
        self.mock.get(USERS, callback=by_url)
        self.mock.get(USERS, callback=by_url_and_objects)
        self.mock.get(USERS, callback=by_call_later)
        self.mock.get(USERS, callback=by_url_later)
        self.mock.get(USERS, callback=looks, status=201)
        self.mock.get(USERS, callback=service)
        self.mock.get(USERS, callback=service.by_call)
        self.mock.get(USERS, callback=lambda call: CallbackResult(body=call.method.lower()))
        self.mock.get(USERS, callback=lambda url, **kwargs: CallbackResult(body=url.path))
        self.mock.add(USERS, callback=lambda call: CallbackResult(body=call.method.lower()))

    def test_functions_that_do_not_fit(self) -> None:
        wrong: list[Callable[[], RequestMatch]] = [
            lambda: self.mock.get(USERS, callback=no_argument),  # type: ignore[arg-type]
            lambda: self.mock.get(USERS, callback=[by_call]),  # type: ignore[arg-type]
            lambda: self.mock.get(USERS, body=text_later),  # type: ignore[arg-type]
            lambda: self.mock.get(USERS, body=two_arguments),  # type: ignore[arg-type]
            lambda: self.mock.get(USERS, events=two_arguments),  # type: ignore[arg-type]
            lambda: self.mock.get(USERS, match=no_argument),  # type: ignore[arg-type]
        ]
        for register in wrong:
            with self.assertRaises(TypeError):
                register()

    def test_conditions(self) -> None:
        self.mock.get(USERS, match_query={"page": "1"}, match_headers={"X": regex("^a")})
        self.mock.post(USERS, match_json=subset({"role": one_of("author", "admin"), "tags": unordered(["a"])}))
        self.mock.post(USERS, match_form={"file": FilePart(filename="a.csv")})
        self.mock.post(USERS, match_body=re.compile(b"a+"))
        self.mock.post(USERS, match=is_large)
        self.mock.post(USERS, match=[is_small, lambda call: call.method.islower()])
        self.mock.get(USERS, match_headers={"Authorization": ABSENT}, match_query=subset({"page": one_of("1", ABSENT)}))


class AssertionsTest(AioResponsesTestCase):
    """What was asked for, and the assertions about it."""

    latency = 0
    passthrough = ["http://127.0.0.1", re.compile(r"https://\w+\.internal\.example/")]

    async def test_calls(self) -> None:
        self.mock.post(USERS, status=201, payload={"id": 7})
        session = self.client_session(timeout=ClientTimeout(total=5))
        async with session.post(USERS, json={"name": "Ada"}, headers={"X": "1"}) as response:
            self.assertEqual(await response.json(), {"id": 7})
        self.assertCalledOnce(USERS, "POST")
        self.assertNotCalled(method="GET")
        self.assertCallsEqual([("POST", USERS)])
        self.assertCallOrder([USERS])
        self.assertJsonBody({"name": ANY}, USERS)
        self.assertRequestHeaders({"X": "1"}, URL(USERS))
        self.assertMaxConcurrency(1)
        self.mock.assert_called_once_with(USERS, "POST", json={"name": "Ada"}, headers={"X": "1"})
        [made] = self.mock.calls
        name: str = made.json()["name"]
        headers: Mapping[str, str] = made.headers
        self.assertEqual((name, headers["X"], made.url, made.kwargs["json"]), ("Ada", "1", USERS, ANY))
        [request] = self.mock.requests["POST", URL(USERS)]
        self.assertIs(request, made)

    async def test_calls_by_text(self) -> None:
        self.mock.get(USERS)
        await self.client_session().get(USERS)
        requests = self.mock.requests
        calls: list[RequestCall] = requests["GET", USERS]
        found: list[RequestCall] | None = requests.get(("get", USERS))
        self.assertIs(found, calls)
        self.assertIs(requests.get(("POST", USERS), []) or requests.setdefault(("GET", URL(USERS)), []), calls)
        self.assertIn(("GET", USERS), requests)
        assert ("GET", USERS) in requests and ("PUT", URL(USERS)) not in requests
        by_key: dict[tuple[str, URL], list[RequestCall]] = requests
        self.assertEqual(by_key, requests)
        methods: list[str] = [method for method, _ in requests]
        urls: list[URL] = [url for _, url in requests]
        self.assertEqual((methods, urls), (["GET"], [URL(USERS)]))
        popped: list[RequestCall] = requests.pop(("GET", USERS))
        requests["GET", USERS] = popped
        del requests["GET", USERS]
        nothing: str | list[RequestCall] = requests.pop(("GET", USERS), "nothing")
        self.assertEqual(nothing, "nothing")
        self.mock.requests = {}

    async def test_mocks_groups_and_conditions(self) -> None:
        api = self.mock.host("https://api.example.com")
        create = api.post("/users", repeat=True)
        session = self.client_session()
        await session.post(USERS, json={"type": "created"})
        await session.post(USERS, json={"type": "deleted"})
        self.assertCallCount(2, create)
        self.assertCallCount(1, api, "POST", match_json=subset({"type": "created"}))
        self.assertCalled(create, match=is_small)
        self.assertCalledOnce(USERS, match_body=re.compile(b"deleted"))
        self.assertNotCalled(match_headers={"X": ABSENT}, match_form={"a": "1"})
        self.assertCalledAtLeast(1, match=[is_small, lambda call: call.method.isupper()])
        self.assertCalledAtMost(1, USERS, match_json={"type": "created"}, msg="why")
        self.assertCallOrder([create, api])
        self.assertCallOrder([
            (None, api),
            ("POST", create, {"match_json": {"type": "deleted"}, "match": lambda call: call.method.isupper()}),
        ])
        self.assertCallsEqual([USERS, ("POST", USERS)])
        self.assertCallsEqual([create], url=create, method="POST", match_json={"type": "created"})
        self.assertCalledBefore(
            (None, api, {"match_json": {"type": "created"}}), ("POST", USERS, {"match_json": {"type": "deleted"}})
        )
        self.assertMaxConcurrency(1, api, match_json=ANY)
        self.assertConcurrent(create, at_least=1, match_json=ANY)
        self.assertJsonBody({"type": "created"}, create, index=0, match_headers={"X": ABSENT})
        self.assertQueryEqual({}, api)
        self.assertQueryEqual("", USERS, match_json=ANY)
        self.mock.assert_any_call(create, match_json={"type": "created"})
        self.mock.assert_called_with(api, "POST", match_json={"type": "deleted"})
        self.mock.assert_has_calls([call(create), call(USERS, "POST", match_json={"type": "deleted"})])
        deleted: list[RequestCall] = self.mock.calls_of(USERS, "POST", match_json={"type": "deleted"})
        self.assertEqual(self.mock.calls_of(create, match=lambda call: b"deleted" in call.body), deleted)
        self.assertEqual((api.called, api.call_count, api.calls), (True, 2, create.calls))

    def test_conditions_that_are_none(self) -> None:
        wrong: list[Callable[[], object]] = [
            lambda: self.assertCalled(USERS, json=1),  # type: ignore[call-arg]
            lambda: self.mock.calls_of(USERS, match_param=1),  # type: ignore[call-arg]
            lambda: self.mock.calls_of(5),  # type: ignore[arg-type]
        ]
        for claim in wrong:
            with self.assertRaises(TypeError):
                claim()


@aioresponses()
def decorated(mock: aioresponses) -> None:
    mock.get(USERS)


@aioresponses(param="mock", passthrough=[URL("http://127.0.0.1")], strict=True, json_dumps=dumps, latency=0)
async def decorated_coroutine(mock: aioresponses) -> None:
    mock.get(USERS)


async def with_block() -> int:
    with aioresponses(assert_all_called=True, assert_all_mocked=True) as outer:
        outer.get(USERS, status=204)
        async with aioresponses(passthrough_unmatched=True) as mock, ClientSession() as session:
            mock.latency = 0.1
            async with session.get(USERS) as response:
                return response.status


def by_hand() -> list[RequestCall]:
    mock = aioresponses()
    mock.start()
    try:
        mock.clear()
        mock.reset()
    finally:
        mock.stop()
    return mock.calls
