"""Rules and what they find: each answer says whether it was judged, on what, and how old that is."""
