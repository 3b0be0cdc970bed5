"""Accounts and the user: /accounts, /accounts/{account_id}, /user."""

from typing import Any

from falcon.asgi import Request, Response

from originmap.api import envelope, errors
from originmap.api.auth import Guard
from originmap.api.query import page_of, part_of, text_of
from originmap.api.timestamps import timestamp
from originmap.domain.access import READ_USER
from originmap.domain.access_errors import AccountsNotCreatable
from originmap.domain.zone import Account
from originmap.domain.zone_filter import text_matches
from originmap.service.directory import Directory

MAX_PER_PAGE = 50


class AccountList:
    """GET, POST /accounts"""

    refusals = errors.CORE

    def __init__(self, guard: Guard, directory: Directory) -> None:
        self._guard = guard
        self._directory = directory

    async def on_get(self, req: Request, resp: Response) -> None:
        """A page of the accounts in which the caller may do anything, oldest first."""
        caller = self._guard.caller(req)
        page, per_page = page_of(req, MAX_PER_PAGE)
        name = text_of(req, "name")
        found = [
            account
            for account in self._directory.accounts()
            if self._guard.access.sees(caller, account)
            and (name is None or text_matches(name, account.name))
        ]
        if text_of(req, "direction") == "desc":
            found.reverse()
        part = [_account_json(account) for account in part_of(found, page, per_page)]
        resp.data = envelope.page(part, page, per_page, len(found))

    async def on_post(self, req: Request, resp: Response) -> None:
        """Refused to everybody: programs that try are told so, as Cloudflare tells them."""
        self._guard.caller(req)
        raise AccountsNotCreatable


class AccountItem:
    """GET /accounts/{account_id}"""

    refusals = errors.CORE

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def on_get(self, req: Request, resp: Response, account_id: str) -> None:
        """One account."""
        caller = self._guard.caller(req)
        account = self._guard.access.account(caller, account_id)
        resp.data = envelope.success(_account_json(account))


class CurrentUser:
    """GET /user"""

    refusals = errors.CORE

    def __init__(self, guard: Guard, directory: Directory) -> None:
        self._guard = guard
        self._directory = directory

    async def on_get(self, req: Request, resp: Response) -> None:
        """The user whose credential is used, with the accounts that the credential sees."""
        caller = self._guard.caller(req)
        user = self._guard.access.user(caller, READ_USER)
        organizations = [
            {"id": account.id, "name": account.name, "permissions": [], "roles": [],
             "status": "member"}
            for account in self._directory.accounts()
            if self._guard.access.sees(caller, account)
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
        resp.data = envelope.success(answer)


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "created_on": timestamp(account.created_on),
        "id": account.id,
        "name": account.name,
        "settings": {"abuse_contact_email": None, "enforce_twofactor": False},
        "type": "standard",
    }
