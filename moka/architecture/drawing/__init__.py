"""How an architecture is drawn: where each part of it goes, and how it looks. Knows nothing of templates."""
