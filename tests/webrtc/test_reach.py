import pytest

from vivavoce.webrtc.reach import Reach, reach

PASSWORD = "aPasswordOfTwentyTwoChars"
DIGEST = ":".join(["AB"] * 32)
HOST = "1 1 udp 2130706431 192.0.2.7 40000 typ host"
MIRROR = "2 1 udp 1694498815 198.51.100.7 50000 typ srflx raddr 192.0.2.7 rport 40000"


def described(
    fragment="anew",
    password=PASSWORD,
    *,
    sections=("audio", "application"),
    candidates=(HOST,),
    digest=DIGEST,
    others="anew",
):
    """Return a description; what is said after the first section has the fragment ``others``."""
    lines = ["v=0", "o=- 1 2 IN IP4 192.0.2.7", "s=-", "t=0 0"]
    for number, kind in enumerate(sections):
        audio = kind == "audio"
        lines += [
            "m=audio 40000 UDP/TLS/RTP/SAVPF 96"
            if audio
            else "m=application 40000 UDP/DTLS/SCTP webrtc-datachannel",
            "c=IN IP4 192.0.2.7",
            *(["a=rtpmap:96 opus/48000/2", "a=sendrecv", "a=rtcp-mux"] if audio else ["a=sctp-port:5000"]),
            f"a=mid:{number}",
            *(f"a=candidate:{one}" for one in candidates),
            f"a=ice-ufrag:{others if number and fragment == 'anew' else fragment}",
            f"a=ice-pwd:{password}",
            f"a=fingerprint:sha-256 {digest}",
            "a=setup:actpass",
        ]
    return "\r\n".join(lines) + "\r\n"


BEFORE = described("before")


class TestReach:
    def test_says_who_the_peer_is_now_and_where(self):
        assert reach(described(candidates=(HOST, MIRROR)), BEFORE) == Reach("anew", PASSWORD, (HOST, MIRROR))

    def test_a_peer_may_name_no_address(self):
        assert reach(described(candidates=()), BEFORE).candidates == ()

    def test_what_each_section_says_is_told_once(self):
        assert reach(described(), BEFORE).candidates == (HOST,)

    @pytest.mark.parametrize("fragment", ["anew", "a+/9", "x" * 256])
    def test_names_of_any_allowed_size(self, fragment):
        assert reach(described(fragment), BEFORE).username == fragment

    def test_a_fingerprint_may_be_written_in_either_case(self):
        assert reach(described(digest=DIGEST.lower()), BEFORE).username == "anew"

    @pytest.mark.parametrize(
        ("sdp", "why"),
        [
            (BEFORE, "expected another ice-ufrag than before"),
            (described(sections=("audio",)), "expected the media sections of before, audio 0 sendrecv, app"),
            (described(sections=("application", "audio")), "media sections of before"),
            (described().replace("sendrecv", "inactive"), "got audio 0 inactive"),
            (described(digest=DIGEST.replace("AB", "CD")), "expected the DTLS fingerprints of before"),
            (described(others="else"), "one ice-ufrag and one ice-pwd for all media sections, got 2"),
            (described().replace(" 40000 UDP", " 0 UDP"), "for all media sections, got 0"),
            (described("new"), "RFC 8839"),
            (described("x" * 257), "RFC 8839"),
            (described("a b c"), "RFC 8839"),
            (described(password="x" * 21), "RFC 8839"),
            (described(password="?" * 22), "RFC 8839"),
            (described().replace("a=ice-ufrag", "a=ice-none"), "RFC 8839"),
        ],
    )
    def test_what_is_no_restart_is_refused(self, sdp, why):
        with pytest.raises(ValueError, match=why):
            reach(sdp, BEFORE)

    @pytest.mark.parametrize("sdp", ["hello", "v=0\r\nm=audio\r\n", described(candidates=("1 1 udp",))])
    def test_what_is_no_description_is_refused(self, sdp):
        with pytest.raises((ValueError, AssertionError, LookupError)):
            reach(sdp, BEFORE)
