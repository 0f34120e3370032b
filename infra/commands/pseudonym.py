"""`tradewind pseudonym`: what a user is called in what Tradewind keeps and says."""

from typing import Annotated, Final

import typer

from infra.errors import UserError

app: Final = typer.Typer(add_completion=False)


@app.command()
def pseudonym(
    *,
    user: Annotated[str, typer.Argument(metavar="USER", help="The user_id, as it stands in your events.")],
) -> None:
    """Print the pseudonym of a user, by the key in TRADEWIND_USER_KEY: it stands in actions, decisions and state.

    There is no way back from a pseudonym but to try out the ids, which needs the key. No broker is asked.

    Example: `tradewind pseudonym household-1021`.
    """
    from infra import settings
    from infra.privacy.pseudonyms import pseudonyms

    users = pseudonyms(settings.load())
    if users is None:
        raise UserError("users go by their own ids: set TRADEWIND_USER_KEY, to a secret of 16 characters or more")
    print(users.of(user))
