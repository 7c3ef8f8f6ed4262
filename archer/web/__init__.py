"""Archer's read-only pages: what jobs there are, and everything about one.

Made on the server, complete without JavaScript, from the same service as the API. They refuse to change anything: a page
that cannot write needs no protection against forged forms.
"""
