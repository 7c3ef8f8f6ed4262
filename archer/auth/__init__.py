"""Who asks, how they proved it, and what they may do. Nothing here knows HTTP's routes or SQL."""
