"""The page itself: made by templates, then kept up to date by what changed of it, sent as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from sse_starlette import EventSourceResponse

from infra.dashboard import charts, wording
from infra.dashboard.access import COOKIE, Refused
from infra.dashboard.api import bearer_of
from infra.dashboard.service import VIEWERS, Service
from streams.records import Domain

FRAGMENTS: Final = (
    "status",
    "tiles",
    "flow",
    "recommendations",
    "ads",
    "stock",
    "why_head",
    "why",
    "policy",
    "letters",
    "entities",
)
STATIC: Final = Path(__file__).parent / "static"
_YEAR_S: Final = 31_536_000
_ID: Final = 600  # characters

Chosen = Annotated[Domain | None, Query(description="whose decision to explain")]
Entity = Annotated[str | None, Query(max_length=_ID)]


@cache
def templates() -> Environment:
    """The templates: everything they are given is escaped."""
    found = Environment(
        loader=PackageLoader("infra.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(wording.FILTERS)
    return found


@cache
def assets() -> dict[str, Path]:
    """What is served beside the page, by a name that changes with its contents."""
    plotly = Path(str(files("plotly").joinpath("package_data", "plotly.min.js")))
    found = [*STATIC.iterdir(), plotly]
    return {f"{path.name}": path for path in found}


@cache
def mark_of(name: str) -> str:
    """A file's hash, so that browsers may keep it for good."""
    return sha256(assets()[name].read_bytes()).hexdigest()[:12]


@dataclass(slots=True, kw_only=True)
class Look:
    """What one viewer sees: whose decision is explained, and what was sent already."""

    running: Service
    domain: Domain | None
    entity: str | None
    sent: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def context(self) -> dict[str, Any]:
        """What every template is given."""
        domain, entity = self._chosen()
        return {
            "now": self.running.overview(),
            "domains": get_args(Domain),
            "domain": domain,
            "entity": entity,
            "asked": self.entity is not None,
            "why": self.running.why(domain, entity) if entity else None,
            "entities": self.running.entities(domain).newest,
        }

    def _chosen(self) -> tuple[Domain, str]:
        """Whose decision is explained: as asked for, else of whom there is one; from then on it stays."""
        if self.entity is not None and self.domain is not None:
            return self.domain, self.entity
        if self.domain is None:
            found = self.running.first()
        else:
            newest = self.running.entities(self.domain, 1).newest
            found = (self.domain, newest[0]) if newest else None
        if found is None:
            return self.domain or "recommendation", self.entity or ""
        self.domain, self.entity = found[0], self.entity or found[1]
        return self.domain, self.entity

    def update(self) -> dict[str, Any]:
        """The fragments and charts that differ from what was sent before."""
        given = self.context()
        fresh: dict[str, Any] = {
            f"at-{name}": templates().get_template(f"_{name}.html").render(given) for name in FRAGMENTS
        }
        fresh |= charts.charts(given["now"])
        fresh |= charts.of_decision(given["why"]) if given["why"] is not None else {}
        packed = {name: orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY) for name, value in fresh.items()}
        changed = {name: fresh[name] for name, raw in packed.items() if self.sent.get(name) != raw}
        gone = [name for name in self.sent if name not in packed]
        self.sent = packed
        return {
            "html": {name: value for name, value in changed.items() if isinstance(value, str)},
            "charts": {name: value for name, value in changed.items() if not isinstance(value, str)},
            "gone": gone,
        }


@dataclass(frozen=True, slots=True)
class Pages:
    """The handlers."""

    running: Service

    def looks(self, request: Request) -> bool:
        """Whether whoever asks may look."""
        try:
            session = request.cookies.get(COOKIE)
            self.running.access.may_look(session, bearer_of(request), self.running.monotonic())
        except Refused:
            return False
        return True

    async def page(self, request: Request, domain: Chosen = None, entity: Entity = None) -> Response:
        if not self.looks(request):
            return RedirectResponse("sign-in", status_code=303)
        access = self.running.access
        given = Look(running=self.running, domain=domain, entity=entity or None).context()
        signed_in = access.is_signed_in(request.cookies.get(COOKIE), self.running.monotonic())
        return _page("page.html", **given, can_act=access.token is not None, signed_in=signed_in)

    async def sign_in(self) -> Response:
        return _page("sign_in.html", possible=self.running.access.token is not None)

    async def live(self, request: Request, domain: Chosen = None, entity: Entity = None) -> Response:
        if not self.looks(request):
            return Response("sign in with the token first", status_code=401)
        if self.running.viewers >= VIEWERS:
            return Response(f"{VIEWERS} pages are open already: close one, then reload", status_code=503)
        look = Look(running=self.running, domain=domain, entity=entity or None)
        return EventSourceResponse(_updates(look), headers={"Cache-Control": "no-store"})

    async def static(self, name: str) -> Response:
        path = assets().get(name)
        if path is None:
            return Response("there is no such file", status_code=404)
        return FileResponse(path, headers={"Cache-Control": f"public, max-age={_YEAR_S}, immutable"})


def routes(running: Service) -> APIRouter:
    """The page, its events, and what it is made of."""
    made = Pages(running)
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    for path, handler in (
        ("/", made.page),
        ("/sign-in", made.sign_in),
        ("/live", made.live),
        ("/static/{name}", made.static),
    ):
        router.add_api_route(path, handler, response_model=None)
    return router


def _page(name: str, **given: Any) -> HTMLResponse:
    return HTMLResponse(templates().get_template(name).render(given, mark_of=mark_of))


async def _updates(look: Look) -> AsyncGenerator[dict[str, str]]:
    running = look.running
    running.viewers += 1
    try:
        while True:
            yield {"event": "update", "data": orjson.dumps(look.update(), option=orjson.OPT_SERIALIZE_NUMPY).decode()}
            await asyncio.sleep(running.every_s)
    finally:
        running.viewers -= 1
