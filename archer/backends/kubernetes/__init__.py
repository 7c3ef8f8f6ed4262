"""The Kubernetes backend: each attempt is a SparkApplication, which the Spark operator turns into pods.

Archer creates and deletes applications and never edits one. What became of an attempt is read from two places that are
compared: the application's status, which the operator writes, and the driver pod, which a finalizer keeps for us (D14).
"""
