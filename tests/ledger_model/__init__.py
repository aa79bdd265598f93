"""The ledger as a model: its real Lua scripts, explored in every order that a small run allows.

`python -m tests.ledger_model` explores it and prints its size; `search` says what is explored, `promises` what must
hold in every state, `mutations` which broken ledgers must be found out.
"""
