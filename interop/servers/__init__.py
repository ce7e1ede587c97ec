"""The servers, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .canaille import Canaille
from .dex import Dex
from .django_oauth_toolkit import DjangoOAuthToolkit
from .glewlwyd import Glewlwyd
from .hydra import Hydra
from .keycloak import Keycloak
from .lemonldap import LemonLdap
from .oidc_provider import OidcProvider

if TYPE_CHECKING:
    from ..sites import Server

SERVERS: tuple[Server, ...] = (
    OidcProvider(),
    Keycloak(),
    Hydra(),
    Dex(),
    Canaille(),
    DjangoOAuthToolkit(),
    Glewlwyd(),
    LemonLdap(),
)
