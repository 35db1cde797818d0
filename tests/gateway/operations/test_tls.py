import ssl

import aiohttp
import pytest

from tests.gateway.doubles import ScriptedUpstream
from tests.gateway.operations.certificates import write_certificate
from vivavoce.errors import VivaVoceError
from vivavoce.gateway import GatewaySettings, create_app, listen
from vivavoce.gateway.operations.tls import Certificate, certificate_of


async def _status(url, trusted):
    """Ask a server whose certificate is to be this one."""
    context = ssl.create_default_context(cafile=trusted)
    async with aiohttp.ClientSession() as client, client.get(f"{url}/web/none", ssl=context) as response:
        return response.status


class TestCertificate:
    async def test_it_is_shown_and_can_be_replaced(self, tmp_path):
        one, two = write_certificate(tmp_path, "one"), write_certificate(tmp_path, "two")
        certificate = Certificate(*one)
        app = create_app(GatewaySettings(port=0, tls_cert=one[0], tls_key=one[1]), ScriptedUpstream())
        async with listen(app, certificate=certificate) as listening:
            assert listening.url.startswith("https://127.0.0.1:")
            assert await _status(listening.url, one[0]) == 404
            trusted = one[0].read_bytes()
            for old, new in zip(one, two, strict=True):
                old.write_bytes(new.read_bytes())
            certificate.read()
            assert await _status(listening.url, two[0]) == 404
            one[0].write_bytes(trusted)
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await _status(listening.url, one[0])

    def test_what_does_not_fit_changes_nothing(self, tmp_path):
        one, two = write_certificate(tmp_path, "one"), write_certificate(tmp_path, "two")
        certificate = Certificate(*one)
        before = certificate.context
        one[1].write_bytes(two[1].read_bytes())
        with pytest.raises(VivaVoceError, match=r"one\.pem and .*one\.key: KEY_VALUES_MISMATCH"):
            certificate.read()
        assert certificate.context is before

    def test_one_file_may_have_both(self, tmp_path):
        cert, key = write_certificate(tmp_path)
        both = tmp_path / "both.pem"
        both.write_bytes(cert.read_bytes() + key.read_bytes())
        assert certificate_of(GatewaySettings(tls_cert=both)).context

    def test_a_key_with_a_password_is_refused_and_nobody_is_asked(self, tmp_path):
        with pytest.raises(VivaVoceError, match="without a password"):
            Certificate(*write_certificate(tmp_path, password=b"hunter2"))

    def test_what_is_not_there_is_named(self, tmp_path):
        with pytest.raises(VivaVoceError, match=r"none\.pem: No such file"):
            certificate_of(GatewaySettings(tls_cert=tmp_path / "none.pem"))

    def test_a_key_alone_is_too_little(self, tmp_path):
        with pytest.raises(VivaVoceError, match="VIVAVOCE_TLS_CERT with it"):
            certificate_of(GatewaySettings(tls_key=tmp_path / "key.pem"))

    def test_without_one_there_is_none(self):
        assert certificate_of(GatewaySettings()) is None
