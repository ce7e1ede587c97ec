"""A Django site with django-oauth-toolkit. Its sign-in page is that of Django's admin.

argv: the port, the folder for the database. Standard input: JSON with the applications, the person and the password.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path
from jwcrypto import jwk


def main() -> None:
    """Run the site until the process is ended."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    wanted = json.load(sys.stdin)
    configure(f"http://127.0.0.1:{port}", folder)
    call_command("migrate", verbosity=0)
    add(wanted)
    with make_server("127.0.0.1", port, get_wsgi_application()) as server:
        server.serve_forever()


def configure(base: str, folder: Path) -> None:
    """Set Django up."""
    key = jwk.JWK.generate(kty="RSA", size=2048).export_to_pem(private_key=True, password=None).decode()
    scopes = dict.fromkeys(("openid", "profile", "email"), "a scope")
    settings.configure(
        SECRET_KEY="for one run",
        DEBUG=True,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        LOGIN_URL="/admin/login/",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "db.sqlite3"}},
        INSTALLED_APPS=[
            *("django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes"),
            *("django.contrib.sessions", "django.contrib.messages", "oauth2_provider"),
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key,
            "SCOPES": scopes,
            "OAUTH_DEVICE_VERIFICATION_URI": f"{base}/o/device/",
            "DEVICE_FLOW_INTERVAL": 1,
        },
    )
    django.setup()


def add(wanted: dict) -> None:
    """Add the person and the applications."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after the set-up
    from oauth2_provider.models import get_application_model  # noqa: PLC0415 - after the set-up

    get_user_model().objects.create_superuser(wanted["person"], wanted["email"], wanted["password"])
    for application in wanted["applications"]:
        get_application_model().objects.create(algorithm="RS256", **application)


def urls() -> list:
    """Return the addresses of the site."""
    from oauth2_provider.urls import metadata_urlpatterns  # noqa: PLC0415 - after the set-up

    return [
        path("admin/", admin.site.urls),
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        *metadata_urlpatterns,
    ]


def __getattr__(name: str) -> list:
    if name == "urlpatterns":
        return urls()
    raise AttributeError(name)


if __name__ == "__main__":
    sys.modules["django_site"] = sys.modules["__main__"]
    main()
