"""Archer's pages: what jobs there are, and everything about one, with a button that ends it.

Made on the server, complete without JavaScript, from the same service as the API. What a foreign page could forge, a form or
a cookie's request, is refused before it gets here (`archer.api.door`).
"""
