"""The pages under docs/reference, made from the code that they describe: `python -m infra.reference` writes them.

Each module gives one page as text. Nothing here is loaded by a worker.
"""
