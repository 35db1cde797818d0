"""The certificate that the gateway shows, where it speaks TLS itself."""

import ssl
from pathlib import Path

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.operations.settings import OperationSettings

__all__ = ["Certificate", "certificate_of"]


class Certificate:
    """A certificate with its key, in the files of an administrator, who replaces them from time to time."""

    def __init__(self, cert: Path, key: Path | None = None) -> None:
        """Without ``key``, the key is in the same file. Raises `VivaVoceError` for files that do not fit."""
        self._files = cert, key
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        """For a listening socket; it keeps its identity when the files are read again."""
        self.read()

    def read(self) -> None:
        """Read the files, for connections from now on. Where they do not fit, the old ones stay, and it raises."""
        for context in (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), self.context):
            try:
                # A key with a password cannot be used: without the third argument, OpenSSL would ask the terminal.
                context.load_cert_chain(*self._files, password=lambda: "")
            except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                cert, key = self._files
                why = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
                raise VivaVoceError(
                    "VIVAVOCE_TLS_CERT, VIVAVOCE_TLS_KEY: expected a certificate and its key, in PEM and without a "
                    f"password, in {cert}{f' and {key}' if key else ''}: {why}."
                ) from error


def certificate_of(settings: OperationSettings) -> Certificate | None:
    """Return the certificate of the settings, if there is one. Raises `VivaVoceError` where it cannot be used."""
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise VivaVoceError("VIVAVOCE_TLS_KEY: expected VIVAVOCE_TLS_CERT with it.")
        return None
    return Certificate(settings.tls_cert, settings.tls_key)
