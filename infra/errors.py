"""What a person is told when something they can put right is wrong. No traceback: one sentence, and what to do."""


class UserError(Exception):
    """One clear sentence: which setting or command, what is wrong with it, what to do.

    `tradewind` prints it as `tradewind: <sentence>` and exits 2.
    """
