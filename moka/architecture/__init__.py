"""`moka draw ENV`: a picture of an environment's architecture, read from what would be deployed.

Only the synthesised templates count, never the environment file nor the Python objects that wrote them: each thing in the picture
carries the keys of the resources that it was read from, and what is taken out of a template is gone from the picture. Resources that
have no place in it are counted at its foot, by type, so that nothing is lost silently. What exists already and is only named by the
templates is marked as such, and what they do not tell is not made up. AWS is asked nothing.
"""
