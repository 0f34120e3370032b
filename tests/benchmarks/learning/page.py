"""docs/learning.md: what each table measures, what it has to reach, and what it printed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.learning.plots import drawn

INTRODUCTION: Final = """# How well it learns

`make learn-bench` runs the tables below and writes this page: each block is what its command printed, with the day
and the time it took. Every table has the same four-way ablation where the truth is known: no prior of ours (`none` or
a plain rule), a flat prior, the meta-learned one (`meta`), and an oracle's, which knows the population that the
entities come from. Settings were chosen on other seeds than those shown. Where a plain rule wins, the table shows it.

`tradewind evaluate TASK` measures one policy on one instance of the same tasks.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    table: str
    title: str
    text: str


SECTIONS: Final = (
    Section(
        table="replenishment",
        title="Replenishment",
        text="""\
Lost sales, cost per period against the optimum by value iteration. One network serves every instance;
nothing is trained while it is measured. To reach: a mean gap of at most 0.5% over sixteen Poisson
instances, none above 1.5%, with the demand known; at most 3% where it has to be inferred from censored
sales. Where demand is known there is no belief and so no prior to take away: `flat-prior` and `oracle-prior` are `meta`
itself, and `none` is the rule that the network corrects. Where it isn't, `oracle-prior` is told the demand from the
start: what `meta` is behind it is what having to infer costs.""",
    ),
    Section(
        table="bidding",
        title="Bidding",
        text="""\
Value lost against the fractional knapsack in hindsight, second-price auctions under a budget. To reach,
with the budget for 30%: a loss of at most .015 in 1,000 auctions and .004 in 10,000, no budget passed,
and after prices have jumped in mid-flight half the loss of cold dual pacing. `limit` is told the market
before the jump and, from the jump on, the one after it: the gap from it to `meta` is what learning costs. `told-move`
learns as `meta` does, but is told when prices move, and by which factor. `meta-shop` is `meta` after ten earlier
campaigns of the same market, none of them with a jump, of which it knows what their own bids showed
(`tradewind evaluate bidding --earlier`; a worker's campaigns take along less: the learner's prior over μ and prices).
In 1,000 auctions at ×1.5, `meta`, which knows no shop, doesn't reach half the loss of cold dual pacing, and `told-move`
doesn't either, so no quicker detection could: what is left is mostly the price of learning the market at the start,
which a flight without a jump pays too. `meta-shop` has paid it before. In 10,000 auctions at ×1.5 even `limit` hardly
gets there. Spending faster than the budget lasts would buy a part of the loss, as prices that rise reward that, and
lose as much where they stay or fall.
Where prices don't move alike but the market changes its shape as well, learning from the newest auctions alone would be
a little quicker than suspecting a move first.""",
    ),
    Section(
        table="first_price",
        title="Bidding, first price",
        text="""\
The same auctions, but the winner pays its bid and nobody is told a price. Hindsight knows each price to beat and pays
just that, so that much of the loss can't be avoided by anyone: compare with `oracle-prior`, which is told how prices
and values are spread. The second column is the value won as a share of what that one wins. Dual pacing bids value
over μ, without shading; warm it is told the μ that spends the budget. In the one market of the first cases `flat-prior`
is level with `meta` or a little ahead, as bounds on prices are soon learned from; over campaigns drawn from the
population `meta` is. After a jump the oracle prior is told the mean of both halves, which neither of them is, so that
here it can be beaten.""",
    ),
    Section(
        table="objectives",
        title="Bidding for several objectives",
        text="""\
Second-price auctions whose value is a weighted sum of the rates of clicks and conversions and of revenue. What the
weights mean is seen in the last block: each objective buys most of what it names, and gives up the rest for it.""",
    ),
    Section(
        table="pricing",
        title="Dynamic pricing",
        text="""\
Regret in money against the best price of products with linear demand that is learned from their sales. `none` keeps
each product's first price; `greedy` sets the best price by what is believed and never tries another; `shipped-prior`
starts every product from the prior that ships, and `meta` goes on learning it from product to product. `oracle-prior`
knows the population and the noise, and its regret is half of ours: so much would be to gain from a prior. While demand
stays as it is, `meta` gains next to nothing of it over `flat-prior` in a hundred products: it is ahead in the first
periods of a product, and behind in the later ones. Where demand changes, it gains more.
The oracle knows of no change in mid-task: there it is no bound, and ours, which drops what it knew when sales surprise
it, is ahead of it.""",
    ),
    Section(
        table="bandit",
        title="Linear bandit",
        text="""\
Regret per task of tasks that come one after another from one population. To reach in tasks 100 to 200: at
most 1.05 of the oracle prior's, the flat prior's at least twice it; with weights that change in mid-task
at most 1.10. Vowpal Wabbit plays the same tasks in the same run.""",
    ),
    Section(
        table="cold_start",
        title="Cold start",
        text="""\
RMSE of the ratings of users who were never seen before, after a few of their ratings (MovieLens 100k). The
first ratings by time are told; those after the 20th are predicted, whatever was told. To reach: .991 after 5,
.978 after 20. The level of all rows hangs on who is held out: one user of 737 ratings, the first five of them above
the items' usual and their mean 1.8, is among those of seeds 2, 6 and 9, and lifts every row there. So the differences
between rows are what counts. `meta` moves a new user's prior by which items they rated first, by how they rated them,
and by who else came to rate the item that is asked about. There is no oracle prior: nobody knows what users' tastes
were drawn from.""",
    ),
    Section(
        table="next_basket",
        title="Next basket",
        text="""\
Recall and nDCG at 10 of the next basket, each rule on the same baskets (Complete Journey 2017, and shops
that nobody tuned for). To reach: 5% above the strongest plain rule, level with it for households that are
new. `flat-prior` starts from weights that nothing was learned from, and goes on learning as `meta` does; `none` learns
nothing from this log: it keeps the shipped weights as they are. There is no oracle prior: nobody knows what
households' tastes were drawn from.""",
    ),
    Section(
        table="encoder",
        title="The encoder of a user's history",
        text="""\
Attention over what a user touched last, in drawn shops: as it ships, and as a shop's own learner makes it while the log
runs, each version serving once it has passed the gate. A slate asked for where a visit begins hears nothing of
it: what differs there is chance.""",
    ),
    Section(
        table="slow_loop",
        title="The slow loop of slates",
        text="""\
The live agents over drawn shops and Complete Journey households, by the flat prior, by the one that ships, and beside
the learner: only the prior over weights, and how much is explored, may change. The later half of the questions is
judged. No oracle prior is known. The last line is of a shop whose prior is the best there is already: there nothing
should be published.""",
    ),
)


def page(printed: Path, pictures: Path) -> str:
    """The page as Markdown, from the texts in `printed`; its pictures are drawn into `pictures`."""
    parts = [INTRODUCTION]
    for section in SECTIONS:
        parts.append(f"## {section.title}\n\n{section.text}\n")
        parts += [f"![{title}](learning/{name})\n" for name, title in drawn(section.table, printed, pictures)]
        text = printed / f"{section.table}.txt"
        parts.append(f"```\n{text.read_text().strip()}\n```\n" if text.is_file() else "*Not run yet.*\n")
    return "\n".join(parts)
