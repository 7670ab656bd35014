"""What users of pytest rely on, with pytest itself and the plugins that they have; `make pytest` runs this."""

import re
import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent

PREAMBLE = """
import asyncio
import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aioresponses import AioResponsesTestCase
from aioresponses import aioresponses as Mock

SITE = "http://example.com/"

async def get(url=SITE):
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            return await response.text()
"""
AUTO, STRICT = "auto", "strict"


@pytest.fixture
def run(pytester, monkeypatch):
    """Return a function that runs tests in a pytest of their own, and returns its result."""
    # Where these are set, pytest prints whole messages once more in its summary.
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)

    def run(source, *options, mode=AUTO, conftest=""):
        pytester.makepyfile(PREAMBLE + textwrap.dedent(source))
        pytester.makeconftest(textwrap.dedent(conftest))
        return pytester.runpytest_subprocess(
            "-W", "error", "-p", "no:cacheprovider", f"--asyncio-mode={mode}",
            "-o", "asyncio_default_fixture_loop_scope=function", *options,
        )

    return run


def examples_of(page):
    """Return the Python blocks of a page, each with the text block that follows it or None."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^\.\. code-block:: (\w+)\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    blocks = [(language, textwrap.dedent(code).strip()) for language, code in found]
    return [
        (code, following[1] if following[0] == "text" else None)
        for (language, code), following in zip(blocks, [*blocks[1:], ("", "")])
        if language == "python"
    ]


def test_the_program_of_the_readme(pytester):
    program, _ = examples_of("README.rst")[0]
    pytester.makepyfile(program)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_decorator_for_those_who_move_over(pytester):
    [decorated] = [code for code, _ in examples_of("docs/migrating.rst") if "@aioresponses()" in code]
    pytester.makepyfile(decorated)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_examples_of_the_documentation(run, pytester):
    pytester.makepyfile(weather=(ROOT / "tests" / "examples" / "weather.py").read_text(encoding="utf-8"))
    given = "from weather import WeatherClient\nWEATHER = 'https://api.example.com/weather'"
    for page in sorted((ROOT / "docs").glob("*.rst")):
        for example, shown in examples_of(page):
            if "import pytest" in example:
                check_example(run(f"{given}\n{example}"), shown)


def test_the_recipes_for_pytest(run):
    checked = []
    for page in sorted((ROOT / "docs" / "cookbook").glob("*.rst")):
        recipe = ""
        for example, shown in examples_of(page):
            recipe += f"{example}\n\n"
            if "import pytest" in example:
                check_example(run(recipe), shown)
                checked.append((page.stem, shown is not None))
    assert checked == [("with_pytest", False), ("with_pytest", True)]


def check_example(result, shown):
    """Check that tests pass or, if a failure is shown, that one of them fails with it."""
    outcomes = result.parseoutcomes()
    if shown is None:
        assert outcomes.keys() == {"passed"}
    else:
        assert outcomes["failed"] == 1 and outcomes.keys() <= {"failed", "passed"}
        assert shown in result.stdout.str()


def test_decorated_functions_and_methods(run):
    run(
        """
        from unittest.mock import MagicMock, patch
        from hypothesis import given, settings, strategies

        def check(mock):
            mock.get(SITE, body="x")
            assert asyncio.run(get()) == "x"
            mock.assert_called_once()

        async def check_here(mock):
            mock.get(SITE, body="x")
            assert await get() == "x"
            mock.assert_called_once()

        @Mock()
        def test_alone(m):
            check(m)

        @Mock()
        async def test_coroutine(m):
            await check_here(m)

        @Mock()
        async def test_beside_the_fixture(aioresponses, m):
            aioresponses.get(SITE, body="outside")
            await check_here(m)
            assert (m is aioresponses, aioresponses.calls, await get()) == (False, [], "outside")

        @Mock(param="m")
        def test_by_name(m, tmp_path):
            check(m)
            assert tmp_path.is_dir()

        @pytest.mark.parametrize("n", [1, 2])
        @Mock()
        async def test_of_parameters(tmp_path, n, m):
            await check_here(m)
            assert n in (1, 2) and tmp_path.is_dir()

        @Mock()
        @pytest.mark.parametrize("n", [1, 2])
        def test_around_parameters(n, m):
            check(m)

        @pytest.fixture
        @Mock()
        def fixture(tmp_path, m):
            check(m)
            return tmp_path

        def test_of_a_decorated_fixture(fixture):
            assert fixture.is_dir()

        @pytest.fixture
        @Mock()
        def generated(tmp_path, m):
            m.get(SITE, body="generated", repeat=True)
            yield m
            assert m.active and m.call_count == 1

        @pytest.fixture
        @Mock()
        async def generated_later(tmp_path, m):
            m.get(SITE, body="generated", repeat=True)
            yield m
            assert m.active and m.call_count == 1

        async def test_of_a_generator(generated):
            assert await get() == "generated"

        async def test_of_an_async_generator(generated_later):
            assert await get() == "generated"

        class TestPlain:
            @Mock()
            def test_method(self, m):
                check(m)

            @Mock()
            async def test_coroutine(self, tmp_path, m):
                await check_here(m)
                assert tmp_path.is_dir()

            @staticmethod
            @Mock()
            def test_static(tmp_path, m):
                check(m)

            @patch("os.getcwd")
            @Mock()
            def test_patched_around(self, getcwd, m):
                check(m)
                assert isinstance(getcwd, MagicMock)

            @Mock()
            @patch("os.getcwd")
            def test_patched_within(self, m, getcwd, tmp_path):
                check(m)
                assert isinstance(getcwd, MagicMock) and tmp_path.is_dir()

            @given(n=strategies.integers())
            @settings(max_examples=5)
            @Mock()
            def test_hypothesis(self, n, m):
                check(m)

        @given(strategies.integers())
        @settings(max_examples=5)
        @Mock()
        async def test_hypothesis_of_a_coroutine(n, m):
            await check_here(m)

        @Mock()
        @given(n=strategies.integers())
        @settings(max_examples=5)
        def test_hypothesis_within(n, m):
            m.get(SITE, body=str(n))
            assert asyncio.run(get()) == str(n)
        """
    ).assert_outcomes(passed=19)


def test_the_marker_configures_the_fixture(run):
    run(
        """
        pytestmark = pytest.mark.aioresponses(latency=1, passthrough=["http://127.0.0.1"])

        def test_of_the_module(aioresponses):
            assert (aioresponses.latency, aioresponses._passthrough) == (1, ["http://127.0.0.1"])

        @pytest.mark.aioresponses(latency=0, passthrough_unmatched=True)
        class TestOfTheClass:
            def test_closer(self, aioresponses):
                assert (aioresponses.latency, aioresponses._passthrough) == (0, ["http://127.0.0.1"])
                assert aioresponses.passthrough_unmatched

            @pytest.mark.aioresponses(latency=None)
            def test_closest(self, aioresponses):
                assert aioresponses.latency is None
                assert aioresponses.passthrough_unmatched

        def test_of_another_fixture(fixture):
            assert fixture.latency == 1

        @pytest.fixture
        def fixture(aioresponses):
            return aioresponses
        """
    ).assert_outcomes(passed=4)


def test_a_marker_that_is_wrong_is_an_error(run):
    result = run(
        """
        @pytest.mark.aioresponses(latenzy=0)
        def test_misspelled(aioresponses):
            pass

        @pytest.mark.aioresponses(latency="0")
        def test_of_a_wrong_type(aioresponses):
            pass

        @pytest.mark.aioresponses(latenzy=0)
        def test_without_the_fixture():
            pass

        @pytest.mark.strict(False)
        def test_of_an_argument_of_strict(aioresponses):
            pass

        @pytest.mark.strict(False)
        def test_of_another_s_marker_of_that_name():
            pass
        """
    )
    result.assert_outcomes(passed=1, errors=4)
    result.stdout.fnmatch_lines([
        "pytest.mark.aioresponses takes no argument 'latenzy'; its arguments are passthrough=, *, assert_no_leaks=",
        "pytest.mark.aioresponses: latency: expected seconds or None, got '0'",
        "pytest.mark.strict takes no arguments; for a test that is not strict, write pytest.mark.aioresponses(strict=*",
    ])
    result.stdout.no_fnmatch_line("*another exception occurred*")


def test_strict_mocks_of_every_fixture(run):
    result = run(
        """
        def swallow(call):
            assert call.url == "another"

        @pytest.mark.strict
        @pytest.mark.parametrize("name", ["aioresponses", "other"])
        class TestStrict:
            def test_unused(self, name, request):
                request.getfixturevalue(name).get(SITE)

        @pytest.mark.strict
        def test_unused(aioresponses):
            aioresponses.get(SITE)

        @pytest.mark.strict
        def test_unused_by_another_fixture(other):
            other.get(SITE)

        @pytest.mark.aioresponses(assert_all_mocked=True)
        async def test_swallowed(other):
            other.get(SITE, callback=swallow)
            try:
                await get()
            except AssertionError:
                pass

        @pytest.mark.strict
        @pytest.mark.aioresponses(strict=False)
        def test_strict_counts_which_stands_closest(aioresponses):
            aioresponses.get(SITE)

        @pytest.mark.aioresponses(strict=False)
        @pytest.mark.strict
        def test_lenient(other):
            other.get(SITE)
        """,
        conftest="""
        import pytest
        from aioresponses import aioresponses

        @pytest.fixture
        def other():
            with aioresponses() as mock:
                yield mock
        """,
    )
    result.assert_outcomes(failed=5, passed=2)


def test_another_plugin_s_fixture_of_the_same_name(run):
    """As that of pytest-aioresponses."""
    result = run(
        """
        @pytest.mark.strict
        def test_unused(aioresponses):
            aioresponses.get(SITE)

        def test_lenient(aioresponses):
            aioresponses.get(SITE)
        """,
        conftest="""
        import pytest
        from aioresponses import aioresponses as Mock

        @pytest.fixture
        def aioresponses():
            with Mock() as mock:
                yield mock
        """,
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["1 mock was never used:", "  GET http://example.com/"])


def test_the_servers_of_a_test_answer(run):
    run(
        """
        def application():
            async def forward(request):
                return web.Response(text=f"real, and {await get()}")

            made = web.Application()
            made.router.add_get("/", forward)
            return made

        async def test_the_client_of_a_plugin(aiohttp_client, aioresponses):
            client = await aiohttp_client(application())
            aioresponses.get(SITE, body="mocked")
            async with client.get("/") as response:
                assert await response.text() == "real, and mocked"
            assert [call.url for call in aioresponses.calls] == [SITE]

        async def test_the_client_of_a_plugin_that_is_older_than_the_mock(client):
            with Mock(strict=True) as mock:
                mock.get(SITE, body="mocked")
                async with client.get("/") as response:
                    assert await response.text() == "real, and mocked"

        @pytest.fixture
        async def client(aiohttp_client):
            return await aiohttp_client(application())

        @pytest.mark.strict
        async def test_the_server_of_a_plugin(aioresponses, aiohttp_server):
            server = await aiohttp_server(application())
            aioresponses.get(SITE, body="mocked")
            assert await get(server.make_url("/")) == "real, and mocked"
            assert [call.url for call in aioresponses.calls] == [str(server.make_url("/")), SITE]

        class TestCase(AioResponsesTestCase):
            async def test_client(self):
                self.mock.get(SITE, body="mocked")
                async with TestClient(TestServer(application())) as client:
                    async with client.get("/") as response:
                        self.assertEqual(await response.text(), "real, and mocked")
                self.assertCallCount(1)
        """
    ).assert_outcomes(passed=4)


def test_a_refused_request_shows_the_line_of_the_user_and_the_note(run):
    result = run(
        """
        async def test_refused(aioresponses):
            aioresponses.get(SITE + "users")
            await get()

        def test_failing_assertion(aioresponses):
            aioresponses.assert_called_once()

        @pytest.mark.strict
        async def test_swallowed(aioresponses):
            def check(call):
                assert call.method == "POST"

            aioresponses.get(SITE, callback=check)
            try:
                await get()
            except AssertionError:
                pass
        """
    )
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines([
        ">           async with session.get(url) as response:",
        "E           aiohttp.client_exceptions.ClientConnectionError: Connection refused: GET http://example.com/",
        "E           aioresponses: no mock answers GET http://example.com/",
        "E           Registered mocks, the closest first:",
        "E             GET http://example.com/users: path differs: mock has '/users', request has '/'",
    ])
    result.stdout.fnmatch_lines([
        ">       aioresponses.assert_called_once()",
        "E       AssertionError: Expected one call, but there were none.",
    ])
    shown = result.stdout.str()
    for part in ("aioresponses/", "aiohttp/", "traceback entries are hidden"):
        assert part not in shown.partition("short test summary")[0]


def test_full_trace_shows_all_frames(run):
    result = run("async def test_refused(aioresponses):\n    await get()\n", "--full-trace")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*/aioresponses/_interception.py:*: ClientConnectionError"])


def test_a_run_without_mocks_does_not_import_aiohttp(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_modules(request):
            assert request.config.pluginmanager.hasplugin("aioresponses_plugin")
            assert [name for name in ("aiohttp", "aioresponses.core") if name in sys.modules] == []

        def test_marker_and_fixture_are_there(request):
            assert request.getfixturevalue("aioresponses").active
            assert "aiohttp" in sys.modules
        """
    )
    # The plugin that imports aiohttp in every run.
    pytester.runpytest_subprocess("-p", "no:aiohttp", "-p", "no:pytest_aiohttp").assert_outcomes(passed=2)


def test_a_run_without_the_plugin(run):
    run("@Mock()\nasync def test_decorated(m):\n    m.get(SITE, body='x')\n    assert await get() == 'x'\n",
        "-p", "no:aioresponses_plugin").assert_outcomes(passed=1)


OF_A_MODULE = """
MARK

@FIXTURE
async def mock():
    with Mock() as mock:
        mock.get(SITE, body="of the module", repeat=True)
        yield mock

async def test_first(mock):
    assert await get() == "of the module"
    assert mock.call_count == 1

async def test_second(mock, aioresponses):
    aioresponses.get(SITE, body="of the test")
    assert [await get(), await get()] == ["of the test", "of the module"]
    assert (mock.call_count, aioresponses.call_count) == (2, 2)

async def test_in_tasks_and_threads(mock):
    assert await asyncio.gather(get(), get()) == ["of the module"] * 2
    assert await asyncio.to_thread(asyncio.run, get()) == "of the module"
    assert await asyncio.get_running_loop().run_in_executor(None, asyncio.run, get()) == "of the module"

def test_of_a_plain_function(mock):
    assert asyncio.run(get()) == "of the module"
"""


@pytest.mark.parametrize("mode", [AUTO, STRICT])
def test_a_mock_of_an_async_fixture_of_a_module_with_pytest_asyncio(run, mode):
    source = OF_A_MODULE.replace("MARK", "import pytest_asyncio")
    fixture = "pytest_asyncio.fixture(scope='module', loop_scope='module')"
    mark = "@pytest.mark.asyncio(loop_scope='module')\nasync def test"
    run(source.replace("FIXTURE", fixture).replace("async def test", mark), mode=mode).assert_outcomes(passed=4)


def test_a_mock_of_an_async_fixture_of_a_module_with_anyio(run):
    source = OF_A_MODULE.replace("MARK", """
@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"
""")
    source = source.replace("FIXTURE", "pytest.fixture(scope='module')").replace("mock():", "mock(anyio_backend):")
    source = source.replace("async def test", "@pytest.mark.anyio\nasync def test")
    run(source, mode=STRICT).assert_outcomes(passed=4)


RECORDED = """
    async def ask():
        async def answer(request):
            return web.Response(text="ok")

        application = web.Application()
        application.router.add_get("/", answer)
        async with TestServer(application) as server:
            assert await get(server.make_url("/")) == "ok"

    @pytest.mark.cassette
    def test_auto():
        asyncio.run(ask())

    @pytest.mark.cassette(path="auto", match_on=["method"])
    @pytest.mark.parametrize("path", ["a", "A", "a/b"])
    def test_parameters(path, aioresponses):
        asyncio.run(ask())

    class TestUsers:
        @pytest.mark.cassette(match_on=["method"])
        @pytest.mark.cassette(mode="all", match_on=["url"])
        def test_users(self):
            asyncio.run(ask())

        class TestMore:
            @pytest.mark.cassette
            def test_users(self):
                asyncio.run(ask())

    @pytest.mark.cassette(path="failed.har")
    def test_failing():
        asyncio.run(ask())
        assert False

    @pytest.mark.cassette(path="failed.har")
    def test_skipped():
        asyncio.run(ask())
        pytest.skip("no")

    @pytest.mark.strict
    @pytest.mark.cassette(path="failed.har")
    def test_unused(aioresponses):
        asyncio.run(ask())
        aioresponses.get("http://example.com/")

    @pytest.fixture
    def recorded(aioresponses, request):
        with aioresponses.cassette(f"{request.node.name}.har"):
            yield

    def test_a_fixture(recorded):
        asyncio.run(ask())

    def test_a_fixture_of_a_failing_test(recorded):
        asyncio.run(ask())
        assert False

    @pytest.fixture
    def failing():
        yield
        assert False

    @pytest.mark.cassette(path="failed.har")
    def test_a_teardown_that_fails_after_ours(failing):
        asyncio.run(ask())

    @pytest.mark.cassette(path="failed.har")
    def test_a_teardown_that_fails_before_ours(aioresponses, failing):
        asyncio.run(ask())

    def test_a_teardown_that_fails_after_the_block_of_a_fixture(failing, recorded):
        asyncio.run(ask())

    @pytest.mark.xfail(strict=True)
    @pytest.mark.cassette(path="failed.har")
    def test_that_should_fail():
        asyncio.run(ask())
"""

INTERRUPTED = RECORDED + """
    def test_interrupted(recorded):
        asyncio.run(ask())
        INTERRUPT
"""


def test_cassettes(run, pytester, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    run(RECORDED).assert_outcomes(passed=10, failed=4, skipped=1, errors=3)
    recorded = sorted(path.relative_to(pytester.path).as_posix() for path in pytester.path.rglob("*.har"))
    assert len(recorded) == 7
    assert recorded[0] == "cassettes/test_cassettes/TestUsers.TestMore.test_users.har"
    assert recorded[1] == "cassettes/test_cassettes/TestUsers.test_users.har"
    assert recorded[2] == "cassettes/test_cassettes/test_auto.har"
    assert recorded[3].startswith("cassettes/test_cassettes/test_parameters[A]-")
    assert recorded[4] == "cassettes/test_cassettes/test_parameters[a].har"
    assert recorded[5].startswith("cassettes/test_cassettes/test_parameters[a_b]-")
    assert recorded[6] == "test_a_fixture.har"


@pytest.mark.parametrize("interrupt", ["raise KeyboardInterrupt", "pytest.exit('no')"])
def test_an_interrupted_test_records_nothing(run, pytester, monkeypatch, interrupt):
    monkeypatch.delenv("CI", raising=False)
    run(INTERRUPTED.replace("INTERRUPT", interrupt), "-k", "test_interrupted")
    assert not list(pytester.path.rglob("*.har"))


def test_a_wrong_marker_of_a_cassette(run):
    result = run("""
        @pytest.mark.cassette(mode="record")
        def test_mode():
            pass

        @pytest.mark.cassette(match="url")
        def test_argument():
            pass
    """)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([
        "pytest.mark.cassette: mode: expected one of 'none', 'once', 'new', 'all', got 'record'",
        "pytest.mark.cassette takes no argument 'match'; its arguments are path=, mode=, match_on=, filter=, *",
    ])


LEAKING = """
pytestmark = pytest.mark.aioresponses(assert_no_leaks=True)

class Client:
    def __init__(self):
        self.session = aiohttp.ClientSession()
        self.task = asyncio.create_task(self.refresh(), name="refreshing")

    async def refresh(self):
        await asyncio.sleep(60)

    async def get(self):
        return await self.session.get(SITE)

    async def close(self):
        self.task.cancel()
        await self.session.close()
"""

LEFT_BEHIND = [
    "*ERROR at teardown of *",
    "3 things were left behind:",
    "  ClientSession never closed",
    "    created at *.py:* in __init__",
    "  GET http://example.com/ -> 200: response holds its connection, neither read nor released",
    "    requested at *.py:* in get",
    "  task 'refreshing' still running: Client.refresh",
    "    created at *.py:* in __init__",
]


def test_what_is_left_behind_is_looked_at_after_all_fixtures_of_the_test(run):
    run(
        LEAKING + textwrap.dedent("""
        @pytest.fixture
        async def before():
            client = Client()
            yield client
            await client.close()

        @pytest.fixture
        async def after(aioresponses):
            client = Client()
            yield client
            await client.close()

        @pytest.fixture(scope="module")
        def wide():
            loop = asyncio.new_event_loop()
            session = loop.run_until_complete(new_session())
            yield session
            loop.run_until_complete(session.close())
            loop.close()

        async def new_session():
            return aiohttp.ClientSession()

        async def test_fixture_before(before, aioresponses):
            aioresponses.get(SITE, body=b"x" * 10 ** 6)
            (await before.get()).release()

        async def test_fixture_after(aioresponses, after):
            aioresponses.get(SITE, body=b"x" * 10 ** 6)
            (await after.get()).release()

        def test_wider_fixture(aioresponses, request):
            assert not request.getfixturevalue("wide").closed

        async def test_client_of_a_server(aioresponses, aiohttp_client):
            client = await aiohttp_client(web.Application())
            async with client.get("/") as response:
                assert response.status == 404

        async def test_application_with_a_task(aioresponses):
            async def in_background(app):
                client = Client()
                yield
                await client.close()

            app = web.Application()
            app.cleanup_ctx.append(in_background)
            aioresponses.mount(SITE, app)
            async with aiohttp.ClientSession() as session:
                assert (await session.get(SITE)).status == 404

        async def test_skipped(aioresponses):
            task = asyncio.create_task(asyncio.sleep(60))
            pytest.skip()
        """)
    ).assert_outcomes(passed=5, skipped=1)


def test_what_is_left_behind_with_pytest_asyncio(run):
    result = run(
        LEAKING + textwrap.dedent("""
        things = []

        async def test_leaving(aioresponses):
            aioresponses.get(SITE, body=b"x" * 10 ** 6)
            client = Client()
            things.extend([client, await client.get()])

        async def test_failing(aioresponses):
            task = asyncio.create_task(asyncio.sleep(60))
            assert False
        """), "-W", "ignore"
    )
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(LEFT_BEHIND)


def test_what_is_left_behind_with_anyio(run):
    result = run(
        LEAKING + textwrap.dedent("""
        things = []

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_leaving(aioresponses):
            aioresponses.get(SITE, body=b"x" * 10 ** 6)
            client = Client()
            things.extend([client, await client.get()])
        """), "-W", "ignore", mode=STRICT
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(LEFT_BEHIND)


VIRTUAL_TIME = """
MARK
import time
from aioresponses import VirtualClock

@FIXTURE
async def session():
    async with aiohttp.ClientSession() as session:
        yield session
        await asyncio.sleep(0.01)

@pytest.mark.virtual_time
async def test_marker(session, aioresponses):
    aioresponses.get(SITE, delay=60)
    began = time.monotonic()
    await session.get(SITE)
    assert time.monotonic() - began == 60

async def test_fixture(virtual_clock, session):
    await asyncio.sleep(3600)
    assert virtual_clock.elapsed == 3600

@pytest.mark.virtual_time(limit=3)
class TestLimit:
    async def test_enough(self):
        for _ in range(3):
            await asyncio.sleep(3600)

    @pytest.mark.virtual_time(limit=5)
    async def test_more(self, virtual_clock):
        for _ in range(5):
            await asyncio.sleep(3600)
        assert virtual_clock.elapsed == 5 * 3600

    def test_of_a_plain_function(self, virtual_clock):
        asyncio.run(asyncio.sleep(3600))
        assert virtual_clock.elapsed == 3600

class TestCase(AioResponsesTestCase):
    virtual_time = True

    async def test_case(self):
        await asyncio.sleep(3600)

async def test_without():
    began = time.perf_counter()
    await asyncio.sleep(0.05)
    assert time.perf_counter() - began >= 0.04
"""

STUCK = """
MARK

@pytest.mark.virtual_time
async def test_forever():
    await asyncio.Event().wait()

@pytest.mark.virtual_time
async def test_swallowed():
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass

@pytest.mark.virtual_time(limit=5)
async def test_endless():
    while True:
        await asyncio.sleep(1)

class TestCase(AioResponsesTestCase):
    virtual_time = True

    async def test_case(self):
        await asyncio.Event().wait()

async def test_after_them(virtual_clock):
    await asyncio.sleep(3600)
"""

STUCK_FIXTURES = """
@pytest.fixture
async def waits_before(virtual_clock):
    await asyncio.Event().wait()

@pytest.fixture
async def waits_after(virtual_clock, aioresponses):
    yield
    await asyncio.Event().wait()

@pytest.mark.parametrize("number", [1, 2])
async def test_before(number, waits_before):
    pass

@pytest.mark.parametrize("number", [1, 2])
async def test_after(number, waits_after):
    await asyncio.sleep(3600)

async def test_after_them(virtual_clock, aioresponses):
    assert virtual_clock.elapsed == 0
    await asyncio.sleep(3600)
"""

OF_PLUGINS = {
    "pytest-asyncio": ("import pytest_asyncio", "pytest_asyncio.fixture", "@pytest.mark.asyncio\n", ""),
    "anyio": (
        "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n", "pytest.fixture", "@pytest.mark.anyio\n",
        "anyio_backend",
    ),
}


@pytest.fixture(params=OF_PLUGINS)
def run_with(run, request):
    """Return a function that runs a source with a plugin that runs coroutine functions."""
    mark, fixture, marker, argument = OF_PLUGINS[request.param]

    def run_with(source):
        source = source.replace("MARK", mark).replace("FIXTURE", fixture).replace("session():", f"session({argument}):")
        source = re.sub("^( *)async def test(?!_case)", rf"\1{marker}\1async def test", source, flags=re.M)
        return run(source, mode=STRICT)

    return run_with


def test_virtual_time(run_with):
    run_with(VIRTUAL_TIME).assert_outcomes(passed=7)


def test_tests_that_wait_forever(run_with):
    result = run_with(STUCK)
    result.assert_outcomes(failed=4, passed=1)
    text = result.stdout.str()
    assert text.count("The test waits forever: no timer, no socket and no other thread") >= 3
    assert "The test does not end: the clock has jumped 5 times without a request." in text
    for name in ("test_forever", "test_swallowed", "test_endless", "test_case"):
        assert re.search(rf"waits at \S+:\d+ in {name}$", text, re.MULTILINE)


def test_fixtures_that_wait_forever(run):
    result = run(STUCK_FIXTURES)
    result.assert_outcomes(errors=4, passed=3)
    text = result.stdout.str()
    assert "CancelledError" not in text
    for name in ("waits_before", "waits_after"):
        assert len(re.findall(rf"waits at \S+:\d+ in {name}$", text, re.MULTILINE)) == 2


@pytest.mark.parametrize("session", ["function", "session"])
def test_uvloop_is_refused(run, session):
    result = run(
        f"""
        import uvloop
        from aioresponses import VirtualClock

        @pytest.fixture(scope="session")
        def event_loop_policy():
            return uvloop.EventLoopPolicy()

        @pytest.mark.virtual_time
        @pytest.mark.asyncio(loop_scope="{session}")
        async def test_refused(aioresponses):
            await asyncio.sleep(0)

        def test_refused_by_a_factory():
            with pytest.raises(RuntimeError, match="Virtual time needs asyncio's default event loop"):
                with VirtualClock(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(asyncio.sleep(0))
        """,
        "-W", "ignore::DeprecationWarning",
    )
    assert result.parseoutcomes() in ({"failed": 1, "passed": 1}, {"errors": 1, "passed": 1})
    result.stdout.fnmatch_lines(["*RuntimeError: Virtual time needs asyncio's default event loop*"])
