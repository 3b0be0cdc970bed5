"""Accounts and the user: /accounts, /accounts/{account_id}, /user."""

from typing import Any

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.query import page_of, part_of, text_of
from originmap.api.timestamps import timestamp
from originmap.domain.access.errors import AccountsNotCreatable
from originmap.domain.access.permissions import READ_USER
from originmap.domain.zone.filter import text_matches
from originmap.domain.zone.zone import Account
from originmap.service.access.access import Access
from originmap.service.access.directory import Directory

MAX_PER_PAGE = 50


class AccountRoutes:
    """GET, POST /accounts, GET /accounts/{account_id}, GET /user"""

    def __init__(self, access: Access, directory: Directory) -> None:
        self._access = access
        self._directory = directory

    def list_accounts(self, request: Request) -> Response:
        """A page of the accounts in which the caller has any permission, oldest first."""
        page, per_page = page_of(request, MAX_PER_PAGE)
        name = text_of(request, "name")
        accounts = [
            account
            for account in self._visible(request)
            if name is None or text_matches(name, account.name)
        ]
        if text_of(request, "direction") == "desc":
            accounts.reverse()
        part = [_account_json(account) for account in part_of(accounts, page, per_page)]
        return Response(envelope.page(part, page, per_page, len(accounts)))

    def create_account(self, request: Request) -> Response:
        """Always an error, with Cloudflare's own code and text."""
        raise AccountsNotCreatable

    def get_account(self, request: Request) -> Response:
        """One account."""
        account = self._access.account(request.caller, request.arguments["account_id"])
        return Response(envelope.success(_account_json(account)))

    def get_user(self, request: Request) -> Response:
        """The user of the credential, with the accounts that the credential has access to."""
        user = self._access.user(request.caller, READ_USER)
        organizations = [
            {"id": account.id, "name": account.name, "permissions": [], "roles": [],
             "status": "member"}
            for account in self._visible(request)
        ]  # fmt: skip
        answer = {
            "betas": [], "country": None, "created_on": timestamp(user.created_on),
            "email": user.email, "first_name": None, "has_business_zones": False,
            "has_enterprise_zones": False, "has_pro_zones": False, "id": user.id,
            "last_name": None, "modified_on": timestamp(user.created_on),
            "organizations": organizations, "suspended": False, "telephone": None,
            "two_factor_authentication_enabled": False,
            "two_factor_authentication_locked": False, "zipcode": None,
        }  # fmt: skip
        return Response(envelope.success(answer))

    def _visible(self, request: Request) -> list[Account]:
        accounts = self._directory.accounts()
        return [account for account in accounts if self._access.sees(request.caller, account)]


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "created_on": timestamp(account.created_on),
        "id": account.id,
        "name": account.name,
        "settings": {"abuse_contact_email": None, "enforce_twofactor": False},
        "type": "standard",
    }
