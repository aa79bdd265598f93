"""Rules and what they find: each verdict says whether it was judged, on what, and how old that is."""
