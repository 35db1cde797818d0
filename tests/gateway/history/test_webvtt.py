from vivavoce.gateway.history.webvtt import webvtt


def item(role, words, start=None, end=None, *, created_at=1000.0, kind="transcript"):
    content = [{"type": "x", kind: words}]
    return {"role": role, "content": content, "start_ms": start, "end_ms": end, "created_at": created_at}


def test_captions_have_their_time_and_their_voice():
    items = [item("user", "Who are you?", 1500, 2750), item("assistant", "A voice.", 3_661_000, 3_662_500)]
    assert webvtt(items, started_at=1000.0) == (
        "WEBVTT\n"
        "\n"
        "00:00:01.500 --> 00:00:02.750\n"
        "<v User>Who are you?\n"
        "\n"
        "01:01:01.000 --> 01:01:02.500\n"
        "<v Assistant>A voice.\n"
    )


def test_they_come_in_the_order_of_their_time():
    text = webvtt([item("user", "late", 5000, 6000), item("assistant", "early", 100, 900)], started_at=0.0)
    assert text.index("early") < text.index("late")


def test_what_was_written_stands_where_it_came():
    text = webvtt([item("user", "Hi", created_at=1002.25, kind="text")], started_at=1000.0)
    assert "00:00:02.250 --> 00:00:05.250\n" in text


def test_nothing_that_is_said_can_end_a_caption_or_be_a_tag():
    text = webvtt([item("user", "a\n\nb --> c <b> & d", 0, 1000)], started_at=0.0)
    assert "<v User>a b --&gt; c &lt;b&gt; &amp; d\n" in text


def test_what_nobody_said_has_no_caption():
    system = item("system", "Be kind.", kind="text")
    call = {"role": "", "content": [], "start_ms": None, "end_ms": None, "created_at": 1.0}
    unknown = {"role": None, "content": None, "start_ms": None, "end_ms": None, "created_at": None}
    assert webvtt([system, call, unknown, item("user", " ", 0, 10)], started_at=0.0) == "WEBVTT\n"


def test_every_caption_can_be_read():
    assert "00:00:01.000 --> 00:00:01.500" in webvtt([item("assistant", "Oh.", 1000, 1010)], started_at=0.0)
    assert "00:00:01.000 --> 00:00:01.500" in webvtt([item("assistant", "Oh.", 1000)], started_at=0.0)
