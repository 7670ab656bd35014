"""Notes stay short, however long the URLs, the queries and the conditions are."""

import re

from yarl import URL

from ..support import SITE, MessageTestCase, note_of

LONG = "x" * 100_000


class CutTest(MessageTestCase):
    async def note(self, url=SITE, method="GET", **options):
        note = await note_of(self.client_session(), method, url, **options)
        self.assertLess(max(map(len, note.splitlines())), 1600)
        return note

    async def reason(self, url=SITE, **options):
        """Return what the note says of the mock that came closest."""
        return (await self.note(url, **options)).splitlines()[2].partition("used 0 of 1: ")[2]

    async def test_many_parameters_that_differ(self):
        self.mock.get(URL(SITE).with_query({f"own{number}": number for number in range(20_000)}))
        note = await self.note(URL(SITE).with_query({f"other{number}": number for number in range(20_000)}))
        self.assertEqual(
            note.splitlines()[2].rpartition(": ")[2],
            "own0='0' is missing; own1='1' is missing; own10='10' is missing; own100='100' is missing; "
            "own1000='1000' is missing; … and 39995 more",
        )

    async def test_long_names_and_values_and_many_of_one_name(self):
        for own, asked, reason in (
            ({"a": LONG}, {}, f"a='{'x' * 60}… (99940 more characters)' is missing"),
            ({LONG: "a"}, {}, f"{'x' * 60}… (99940 more characters)='a' is missing"),
            (
                {"a": [str(number) for number in range(1000)]}, {"a": ["1", "2"]},
                "a: mock has ['0', '1', '10', '100', '101', … and 995 more], request has ['1', '2']",
            ),
        ):
            self.mock.clear()
            self.mock.get(URL(SITE).with_query(own))
            note = await self.note(URL(SITE).with_query(asked))
            self.assertTrue(note.endswith(f": query differs: {reason}"), note)

    async def test_long_urls_of_requests_and_mocks(self):
        for url in (SITE + LONG, SITE + "?" + LONG, f"http://{'.'.join(['x' * 60] * 4)}.example/"):
            self.mock.clear()
            self.mock.get(url)
            await self.note(SITE)
            self.mock.clear()
            self.mock.get(SITE)
            await self.note(url)

    async def test_a_long_redirect(self):
        self.mock.get(SITE + LONG, status=302, headers={"Location": "/" + LONG[:8000]})
        await self.note(SITE + LONG)

    async def test_long_conditions(self):
        self.mock.post(SITE, match_json={LONG: LONG}, match_headers={"X-Long": LONG, "X": LONG})
        await self.note(method="POST", json={LONG: [LONG]}, headers={"X-Long": "y" * 5000})
        self.mock.clear()
        self.mock.post(re.compile(LONG), match_json={LONG: LONG})
        await self.note(method="POST")

    async def test_a_condition_that_raises(self):
        def condition(call):
            raise ValueError

        self.mock.get(re.compile(SITE + f"|{LONG}"), match=condition)
        with self.assertRaises(ValueError) as raised:
            await self.client_session().get(SITE)
        [note] = raised.exception.__notes__
        self.assertLess(len(note), 700)
