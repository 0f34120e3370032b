"""Workers as actors of a Ray cluster: the same work, asked in the same bytes. `pip install 'tradewind[ray]'`.

The machines of the cluster need Tradewind installed, and the settings (TRADEWIND_*) that reach Kafka; files of history
must lie where each of them sees them.
"""

from collections.abc import Sequence
from typing import Any, cast

from infra.errors import UserError
from infra.history.work import Served


def library() -> Any:
    """Ray, connected: to the cluster that RAY_ADDRESS names, or else one that it starts on this machine."""
    try:
        import ray
    except ImportError as error:
        raise UserError("--engine ray needs Ray: `pip install 'tradewind[ray]'` adds it") from error
    if not ray.is_initialized():
        try:
            cast(Any, ray).init(include_dashboard=False, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise UserError(f"no Ray cluster answers: {error}; check RAY_ADDRESS") from error
    return ray


class Actor:
    """A worker on the cluster."""

    def __init__(self, ray: Any, order: bytes, workers: int) -> None:
        self.ray = ray
        cores = ray.cluster_resources().get("CPU", 1)
        # All must be there at once, so where there are fewer cores they share: one that waited would wait for ever.
        self._actor = ray.remote(Served).options(num_cpus=min(1, cores / workers)).remote(order)
        self.under_way: Any = None

    def ask(self, request: bytes) -> None:
        self.under_way = self._actor.ask.remote(request)

    def answer(self) -> bytes:
        try:
            return self.ray.get(self.under_way)
        except self.ray.exceptions.RayError as error:
            raise UserError(f"a worker on the Ray cluster is gone: {error}; go on with --checkpoint") from error

    def close(self) -> None:
        self.ray.kill(self._actor)


def ready(actors: Sequence[Actor]) -> list[Actor]:
    """Those that have answered; waits for the first."""
    done, _ = actors[0].ray.wait([actor.under_way for actor in actors], num_returns=1)
    return [actor for actor in actors if actor.under_way in done]
