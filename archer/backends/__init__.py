"""Places where attempts run, behind `interface.Backend`: `local` here, Kubernetes later, with the same states."""
