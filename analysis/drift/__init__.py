"""Drift of query results between two times, in the files of Cartography's `cartography-detectdrift` of 2020.

state      the rows of a query at one time, as texts, and how two of them differ (`state.py`)
directory  what belongs to one query: its template, its states, and shortcuts to these (`directory.py`)
"""
