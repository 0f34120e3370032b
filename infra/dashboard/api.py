"""The JSON API: what the page shows, for other programs; and the few changes. /api/openapi.json describes it."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from infra.dashboard import acts, views
from infra.dashboard.access import COOKIE, MARK, SESSION_S
from infra.dashboard.service import Service
from streams.records import Domain

_BEARER: Final = "bearer "


class SignIn(BaseModel):
    token: Annotated[str, Field(min_length=1, max_length=1_000)]


class Health(BaseModel):
    reading: str
    told: str


def bearer_of(request: Request) -> str | None:
    """The token that a request carries itself."""
    given = request.headers.get("authorization", "")
    return given[len(_BEARER) :] if given.lower().startswith(_BEARER) else None


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers. `may_look` and `may_act` raise Refused."""

    running: Service

    def may_look(self, request: Request) -> None:
        session = request.cookies.get(COOKIE)
        self.running.access.may_look(session, bearer_of(request), self.running.monotonic())

    def may_act(self, request: Request) -> None:
        session, mark = request.cookies.get(COOKIE), request.headers.get(MARK)
        self.running.access.may_act(session, bearer_of(request), mark, self.running.monotonic())

    # ---- Looking ----------------------------------------------------------------------------------------------------

    async def overview(self) -> views.Overview:
        """Everything at once."""
        return self.running.overview()

    async def flow(self) -> views.Flow:
        """What flows, how fast, and how far the workers are behind."""
        return self.running.overview().flow

    async def dead_letters(self) -> views.DeadLetters:
        """Messages that couldn't be read, with their reasons."""
        return self.running.overview().letters

    async def recommendations(self) -> views.Recommendations:
        """Hit rate of the slates against plain rules on the same baskets."""
        return self.running.overview().recommendations

    async def campaigns(self) -> views.Ads:
        """Spend and pace per campaign."""
        return self.running.overview().ads

    async def stock(self) -> views.Stock:
        """Cover and stock-outs per SKU."""
        return self.running.overview().stock

    async def policies(self) -> views.Policies:
        """Versions of the policy with the gate's evidence."""
        return self.running.overview().policy

    async def entities(self, domain: Domain, count: Annotated[int, Query(ge=1, le=500)] = 50) -> views.EntityList:
        """Users, campaigns or SKUs that were decided about last."""
        return self.running.entities(domain, count)

    async def why(self, domain: Domain, entity: Annotated[str, Query(min_length=1, max_length=600)]) -> views.WhyView:
        """Why the last action of one of them was taken: exact terms of the score, prior and belief."""
        found = self.running.why(domain, entity)
        if found is None:
            raise HTTPException(404, f"no decision about {entity!r} is kept")
        return found

    async def health(self) -> Health:
        """How the reader stands with the brokers. Needs no token: it tells nothing of anyone."""
        return Health(reading=self.running.following.state, told=self.running.following.told)

    # ---- Signing in -------------------------------------------------------------------------------------------------

    async def sign_in(self, asked: SignIn, request: Request) -> Response:
        """Sign in with the token: a cookie that no script can read and no other site can send."""
        name = self.running.access.sign_in(asked.token, self.running.monotonic())
        answer = Response(status_code=204)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, name, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        self.running.access.sign_out(request.cookies.get(COOKIE))
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    # ---- Changes ----------------------------------------------------------------------------------------------------

    async def promote(self, asked: acts.Promote) -> acts.Done:
        """Have a version serve."""
        return await acts.promote(self.running.settings, asked)

    async def rollback(self, asked: acts.Rollback) -> acts.Done:
        """Have the version serve again that served before, and hold it there."""
        return await acts.rollback(self.running.settings, asked)

    async def forget(self, asked: acts.Forget) -> acts.Done:
        """Have all that is kept of one user removed."""
        return await acts.forget(self.running.settings, asked)


def routes(running: Service) -> APIRouter:
    """Everything under /api."""
    made = Api(running)
    router = APIRouter(prefix="/api")
    looking = APIRouter(dependencies=[Depends(made.may_look)], tags=["look"])
    for path, look in (
        ("/overview", made.overview),
        ("/flow", made.flow),
        ("/dead-letters", made.dead_letters),
        ("/recommendations", made.recommendations),
        ("/campaigns", made.campaigns),
        ("/stock", made.stock),
        ("/policies", made.policies),
        ("/entities/{domain}", made.entities),
        ("/why/{domain}", made.why),
    ):
        looking.add_api_route(path, look)
    changing = APIRouter(dependencies=[Depends(made.may_act)], tags=["change"])
    changing.add_api_route("/policies/promote", made.promote, methods=["POST"])
    changing.add_api_route("/policies/rollback", made.rollback, methods=["POST"])
    changing.add_api_route("/forget", made.forget, methods=["POST"])
    router.include_router(looking)
    router.include_router(changing)
    router.add_api_route("/health", made.health, tags=["look"])
    router.add_api_route("/session", made.sign_in, methods=["POST"], status_code=204, tags=["session"])
    router.add_api_route("/session", made.sign_out, methods=["DELETE"], status_code=204, tags=["session"])
    return router
