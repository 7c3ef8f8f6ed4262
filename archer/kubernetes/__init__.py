"""What Archer needs of a Kubernetes API server, without any knowledge of Spark: access, a client, and a reflector."""
