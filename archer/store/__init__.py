"""The job store: jobs, attempts, events, idempotency keys and leases behind `interface.Store`; SQL stays inside."""
