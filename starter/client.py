"""The connection to Temporal: where it is, how to say that it does not answer, and which search attributes it must know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError

from pipelines.attributes import KEYWORDS
from pipelines.errors import SettingsError, Unavailable
from pipelines.settings import Settings
from starter.temporal_errors import from_rpc

CONNECT_SECONDS = 10.0


def connect_config(settings: Settings) -> ClientConnectConfig:
    """Temporal's own configuration (TEMPORAL_ADDRESS, TEMPORAL_PROFILE, its file: address, namespace, TLS, API key), and for what
    it leaves open the local stack's. Raises SettingsError when that configuration is wrong."""
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        remedy = "Check TEMPORAL_PROFILE, the other TEMPORAL_ variables and Temporal's configuration file"
        raise SettingsError(f"Temporal's client configuration cannot be used: {error}", remedy) from None
    config.setdefault("target_host", f"127.0.0.1:{settings.ports.temporal}")
    config.setdefault("namespace", settings.temporal_namespace)
    return config


def is_embedded(settings: Settings) -> bool:
    """True when nothing else is configured, so that Temporal is the local stack's."""
    return connect_config(settings)["target_host"] == f"127.0.0.1:{settings.ports.temporal}"


async def connect(settings: Settings, *, interceptors: Sequence[Any] = (), patience: float = CONNECT_SECONDS) -> Client:
    """A client that speaks pydantic. Raises Unavailable when the server does not answer within `patience` seconds."""
    config = connect_config(settings)
    address = config["target_host"]
    try:
        async with asyncio.timeout(patience):
            return await Client.connect(**config, data_converter=pydantic_data_converter, interceptors=interceptors)
    except RPCError as error:
        raise from_rpc(error, f"Temporal at {address}") from None
    except (RuntimeError, TimeoutError):
        remedy = "Start the local stack with 'switchyard up', or set TEMPORAL_ADDRESS to the server's host:port"
        raise Unavailable(f"Temporal does not answer at {address}", remedy) from None


async def missing_search_attributes(client: Client) -> list[str]:
    """Names that Switchyard's workflows use and the namespace does not have yet."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    return [name for name in KEYWORDS if name not in known]


async def register_search_attributes(client: Client) -> list[str]:
    """Have all of Switchyard's search attributes in the namespace; returns those that were added. Repeating it is harmless.

    Raises Denied or Unavailable: a hosted cluster wants them made by its administrator (`tcld`, or its web page).
    """
    try:
        missing = await missing_search_attributes(client)
        if missing:
            kinds = dict.fromkeys(missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
            )
    except RPCError as error:
        raise from_rpc(error, "registering search attributes") from None
    return missing
