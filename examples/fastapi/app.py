"""An application of your own, which lets its users talk: it makes an ephemeral key for each session.

pip install fastapi uvicorn aiohttp
VOICE_SERVER=http://localhost:8000 VOICE_KEY=sk_… uvicorn app:app --port 8080
"""

import os
from typing import Annotated, Any

import aiohttp
from fastapi import Cookie, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

SERVER = os.environ.get("VOICE_SERVER", "http://localhost:8000")
"""Where Viva Voce is."""

KEY = os.environ.get("VOICE_KEY", "")
"""This application's key, or the token that the server printed. It never leaves this process."""

PAGE = f"""<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <meta name="color-scheme" content="light dark">
  <title>The library</title>
  <link rel="icon" href="data:,">
  <script type="module" src="{SERVER}/web/realtime-voice.js"></script>
  <h1>The library</h1>
  <realtime-voice token-url="/voice-key" greeting="Welcome to the library."></realtime-voice>
</html>"""

SESSION = {
    "type": "realtime",
    "instructions": "You are a librarian. You recommend one book, and say why in one sentence.",
    "audio": {"output": {"voice": "marin"}},
}

app = FastAPI()


@app.get("/")
async def page() -> HTMLResponse:
    """Send the page, and remember who it is: your application has its own way to sign in."""
    response = HTMLResponse(PAGE)
    response.set_cookie("user", "ada", httponly=True, samesite="strict")
    return response


@app.post("/voice-key")
async def voice_key(user: Annotated[str | None, Cookie()] = None) -> dict[str, Any]:
    """Make a key for one session of whoever is signed in; the session is what we say, not what the page asks for."""
    if user is None:
        raise HTTPException(401, "Sign in first.")
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{SERVER}/v1/realtime/client_secrets?single_use=true",
            headers={"OpenAI-Safety-Identifier": user, **({"Authorization": f"Bearer {KEY}"} if KEY else {})},
            json={"expires_after": {"anchor": "created_at", "seconds": 60}, "session": SESSION},
        ) as reply,
    ):
        if not reply.ok:
            raise HTTPException(503, "The voice is not there now.")
        key: dict[str, Any] = await reply.json()
    return {"value": key["value"], "expires_at": key["expires_at"]}
