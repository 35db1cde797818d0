// OpenAI's agents for JavaScript hold a conversation with the server whose address, and key, are given.
// Prints what happened as one JSON object.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { z } from "zod";

const [url, apiKey] = process.argv.slice(2);
const { resolve } = createRequire(import.meta.url);
const schemas = new URL("./openaiRealtimeEvents.mjs", pathToFileURL(resolve("@openai/agents-realtime")));
const { parseRealtimeEvent } = await import(schemas.href);

const weather = tool({
  name: "get_weather",
  description: "Get the weather of a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}` + ", today, tomorrow and ever after".repeat(10),
});
const agent = new RealtimeAgent({ name: "Ada", instructions: "You are Ada.", tools: [weather] });
const session = new RealtimeSession(agent, { transport: new OpenAIRealtimeWebSocket({ url }) });

const events = []; // what the server said
const strange = []; // what of it suits none of the package's schemas
const errors = [];
session.transport.on("*", (event) => {
  events.push(event);
  if (parseRealtimeEvent({ data: JSON.stringify(event) }).isGeneric) strange.push(event);
});
session.on("error", ({ error }) => errors.push(String(error?.message ?? JSON.stringify(error))));

let interruptions = 0;
session.on("audio_interrupted", () => (interruptions += 1));

/** Resolve when the answer that ends with a message has been given. */
function answered() {
  return new Promise((resolve) => {
    const listen = ({ response }) => {
      if (response.output.at(-1)?.type !== "message") return;
      session.transport.off("turn_done", listen);
      resolve();
    };
    session.transport.on("turn_done", listen);
  });
}

/** Make PCM16 at 24 kHz. */
function sound(seconds, amplitude) {
  return Int16Array.from({ length: seconds * 24_000 }, (_, n) => (n % 40 < 20 ? amplitude : -amplitude)).buffer;
}

await session.connect({ apiKey });
let answer = answered();
session.sendMessage("How is the weather in Paris?");
await answer;

answer = answered();
session.sendAudio(sound(1, 16_000)); // over the answer, which takes 18 seconds to play
session.sendAudio(sound(2.5, 0));
await answer;

console.log(JSON.stringify({ events, strange, errors, interruptions, history: session.history }));
session.close();
