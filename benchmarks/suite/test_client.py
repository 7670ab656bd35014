"""The tests: twenty for each of five kinds of things. What answers them is chosen by the variable SUITE_WITH."""

from __future__ import annotations

import os
from typing import Any

from aiohttp import ClientResponseError

from .adapters import CASES, Sent
from .client import Client, Invalid

Case: Any = CASES[os.environ["SUITE_WITH"]]()


class OfUsers(Case):  # type: ignore[misc]
    kind = "users"

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.client = Client(self.base, "a-token")
        self.addAsyncCleanup(self.client.close)

    def thing(self, number: int = 7) -> dict[str, Any]:
        return {"id": number, "name": f"{self.kind} {number}", "tags": ["a", "b"], "active": True}

    async def test_one(self) -> None:
        self.reply("GET", f"{self.kind}/7", payload=self.thing())
        self.assertEqual(await self.client.one(self.kind, 7), self.thing())

    async def test_one_that_is_not_there(self) -> None:
        self.reply("GET", f"{self.kind}/7", 404)
        self.assertIsNone(await self.client.one(self.kind, 7))

    async def test_token(self) -> None:
        self.reply("GET", f"{self.kind}/7", payload=self.thing())
        await self.client.one(self.kind, 7)
        self.assertEqual(self.sent("GET", f"{self.kind}/7"), [Sent("Bearer a-token", None)])

    async def test_unauthorized(self) -> None:
        self.reply("GET", f"{self.kind}/7", 401)
        with self.assertRaises(ClientResponseError) as raised:
            await self.client.one(self.kind, 7)
        self.assertEqual(raised.exception.status, 401)

    async def test_text_of_many_scripts(self) -> None:
        thing = {**self.thing(), "name": "Ærøskøbing 東京 Київ"}
        self.reply("GET", f"{self.kind}/7", payload=thing)
        self.assertEqual(await self.client.one(self.kind, 7), thing)

    async def test_ten_at_once(self) -> None:
        for number in range(10):
            self.reply("GET", f"{self.kind}/{number}", payload=self.thing(number))
        found = await self.client.several(self.kind, range(10))
        self.assertEqual(found, [self.thing(number) for number in range(10)])

    async def test_one_of_several_that_is_not_there(self) -> None:
        self.reply("GET", f"{self.kind}/1", payload=self.thing(1))
        self.reply("GET", f"{self.kind}/2", 404)
        self.assertEqual(await self.client.several(self.kind, [1, 2]), [self.thing(1), None])

    async def test_all_on_one_page(self) -> None:
        self.reply("GET", self.kind, payload={"items": [self.thing(1), self.thing(2)]})
        self.assertEqual(await self.client.all(self.kind), [self.thing(1), self.thing(2)])

    async def test_all_on_three_pages(self) -> None:
        self.reply("GET", self.kind, payload={"items": [self.thing(1)], "next": f"{self.kind}?page=2"})
        self.reply("GET", f"{self.kind}?page=2", payload={"items": [self.thing(2)], "next": f"{self.kind}?page=3"})
        self.reply("GET", f"{self.kind}?page=3", payload={"items": [self.thing(3)]})
        self.assertEqual([thing["id"] for thing in await self.client.all(self.kind)], [1, 2, 3])

    async def test_all_of_none(self) -> None:
        self.reply("GET", self.kind, payload={"items": []})
        self.assertEqual(await self.client.all(self.kind), [])

    async def test_all_that_are_active(self) -> None:
        self.reply("GET", f"{self.kind}?active=yes", payload={"items": [self.thing()]})
        self.assertEqual(await self.client.all(self.kind, active="yes"), [self.thing()])
        self.assertEqual(len(self.sent("GET", f"{self.kind}?active=yes")), 1)

    async def test_create(self) -> None:
        self.reply("POST", self.kind, 201, Location=f"/{self.kind}/8")
        self.assertEqual(await self.client.create(self.kind, {"name": "Ada"}), 8)
        self.assertEqual(self.sent("POST", self.kind), [Sent("Bearer a-token", {"name": "Ada"})])

    async def test_create_what_is_invalid(self) -> None:
        self.reply("POST", self.kind, 422, payload={"name": "is missing"})
        with self.assertRaises(Invalid) as raised:
            await self.client.create(self.kind, {})
        self.assertEqual(raised.exception.args, ({"name": "is missing"},))

    async def test_creates_nothing_twice(self) -> None:
        self.reply("POST", self.kind, 503)
        with self.assertRaises(ClientResponseError):
            await self.client.create(self.kind, {"name": "Ada"})
        self.assertEqual(len(self.sent("POST", self.kind)), 1)

    async def test_update(self) -> None:
        self.reply("PUT", f"{self.kind}/7", payload={**self.thing(), "active": False})
        updated = await self.client.update(self.kind, 7, {"active": False})
        self.assertFalse(updated["active"])
        self.assertEqual(self.sent("PUT", f"{self.kind}/7")[0].document, {"active": False})

    async def test_delete(self) -> None:
        self.reply("DELETE", f"{self.kind}/7", 204)
        self.assertTrue(await self.client.delete(self.kind, 7))

    async def test_delete_what_is_not_there(self) -> None:
        self.reply("DELETE", f"{self.kind}/7", 404)
        self.assertFalse(await self.client.delete(self.kind, 7))

    async def test_asks_again_when_the_service_is_not_available(self) -> None:
        self.reply("GET", f"{self.kind}/7", 503)
        self.reply("GET", f"{self.kind}/7", payload=self.thing())
        self.assertEqual(await self.client.one(self.kind, 7), self.thing())
        self.assertEqual(len(self.sent("GET", f"{self.kind}/7")), 2)

    async def test_gives_up_after_three_attempts(self) -> None:
        for _ in range(3):
            self.reply("GET", f"{self.kind}/7", 503)
        with self.assertRaises(ClientResponseError):
            await self.client.one(self.kind, 7)
        self.assertEqual(len(self.sent("GET", f"{self.kind}/7")), 3)

    async def test_create_update_and_delete(self) -> None:
        self.reply("POST", self.kind, 201, Location=f"/{self.kind}/9")
        self.reply("PUT", f"{self.kind}/9", payload=self.thing(9))
        self.reply("DELETE", f"{self.kind}/9", 204)
        number = await self.client.create(self.kind, {"name": "Ada"})
        self.assertEqual(await self.client.update(self.kind, number, {"name": "Ada L."}), self.thing(9))
        self.assertTrue(await self.client.delete(self.kind, number))


class OfOrders(OfUsers):
    kind = "orders"


class OfInvoices(OfUsers):
    kind = "invoices"


class OfParcels(OfUsers):
    kind = "parcels"


class OfRefunds(OfUsers):
    kind = "refunds"
