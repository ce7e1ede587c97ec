"""The endpoints that this process's environment names."""

from __future__ import annotations

import os

from ...sansio.model.overrides import EndpointOverrides
from ..errors import EndpointError


def overrides_from_environment() -> EndpointOverrides:
    """Return the endpoints that the environment names for OpenAI's issuer.

    Raises:
        EndpointError: An endpoint cannot be used.
    """
    problem = ""
    try:
        return EndpointOverrides.read(os.environ)
    except ValueError as error:
        problem = str(error)
    raise EndpointError(problem)
