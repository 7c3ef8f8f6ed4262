"""`moka apply` and `moka diff`: what a deploy does with rendered manifests, by hand, with the same code.

From here to the cluster's API server, or through the function that a deploy uses, for whom the API server is out of reach.
"""
