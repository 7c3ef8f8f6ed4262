"""`moka images`: which container images an environment needs, and how they get into its registry.

Ours are built from this tree, the others are copied whole, every architecture, under the digest that they have upstream.
Nothing here knows Kubernetes; the lists are `k8s_manifests.images` and `k8s_manifests.own_images`.
"""
