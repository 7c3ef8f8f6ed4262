"""The HTTP door: routes, shapes of answers, errors as problem documents. No rule about jobs lives here."""
