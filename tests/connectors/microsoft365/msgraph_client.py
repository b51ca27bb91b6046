"""Asks the emulator things through Microsoft's own SDK and prints what that understood, as JSON.

Runs in an interpreter of its own (the SDK is no dependency of ours): `python msgraph_client.py` with a JSON object on
standard input: url, token, ca_file, drive, item, removed, locked, folder.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import Any

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_core import GraphClientFactory


class Given(AccessTokenProvider):
    """The token that we were given."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_authorization_token(self, uri: str, additional_authentication_context: Any = None) -> str:
        return self._token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator(["localhost"])


async def ask(asked: dict[str, str]) -> dict[str, Any]:
    """What the SDK made of the answers."""
    trusted = ssl.create_default_context(cafile=asked["ca_file"])
    async with httpx.AsyncClient(verify=trusted, trust_env=False) as plain:
        http = GraphClientFactory.create_with_default_middleware(client=plain)  # without it no redirect is followed
        provider = BaseBearerTokenAuthenticationProvider(Given(asked["token"]))
        adapter = GraphRequestAdapter(provider, client=http)
        adapter.base_url = asked["url"]
        client = GraphServiceClient(request_adapter=adapter)
        items = client.drives.by_drive_id(asked["drive"]).items
        item = await items.by_drive_item_id(asked["item"]).get()
        label = await items.by_drive_item_id(asked["item"]).retention_label.get()
        page = await items.by_drive_item_id("root").delta.get()
        names, pages = [each.name for each in page.value], 1
        while page.odata_next_link:
            page = await items.by_drive_item_id("root").delta.with_url(page.odata_next_link).get()
            names += [each.name for each in page.value]
            pages += 1
        after = await items.by_drive_item_id("root").delta.with_url(page.odata_delta_link).get()
        content = await items.by_drive_item_id(asked["item"]).content.get()
        return {
            "name": item.name,
            "size": item.size,
            "e_tag": item.e_tag,
            "hash": item.file.hashes.quick_xor_hash,
            "created": item.created_date_time.isoformat(),
            "label": label.name,
            "behaviour": str(label.retention_settings.behavior_during_retention_period),
            "names": names,
            "pages": pages,
            "after": len(after.value),
            "content": content.decode(),
            "removed": await _code(items.by_drive_item_id(asked["removed"]).get()),
            "locked": await _code(items.by_drive_item_id(asked["locked"]).delete()),
        }


async def _code(call: Any) -> list[Any]:
    try:
        await call
    except ODataError as error:
        return [error.response_status_code, error.error.code]
    return []


print(json.dumps(asyncio.run(ask(json.load(sys.stdin)))))  # noqa: T201 - this is how it answers
