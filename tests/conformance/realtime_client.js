// A client of the beta's time asks the server whose address is given, as its documentation shows it.
// Prints what it was left with as one JSON object.

import { RealtimeClient } from "openai-realtime-api";

const [url] = process.argv.slice(2);
const client = new RealtimeClient({ url, apiKey: "unused" });
const errors = [];
client.on("error", (event) => errors.push(event.error ?? event));
client.updateSession({ instructions: "Be brief.", voice: "echo", modalities: ["text", "audio"] });
await client.addTool({ name: "get_weather", description: "Weather.", parameters: { type: "object" } }, async () => "sunny");

let session;
client.realtime.on("server.session.updated", (event) => (session = event.session));
const answer = new Promise((resolve) =>
  client.on("conversation.item.completed", ({ item }) => item.role === "assistant" && resolve(item)),
);
await client.connect();
await client.waitForSessionCreated();
client.sendUserMessageContent([{ type: "input_text", text: "How are you?" }]);
const answered = await answer;
const asked = client.conversation.getItems()[0];

const seen = ({ role, status, formatted: { text, transcript, audio } }) => ({ role, status, text, transcript, samples: audio.length });
console.log(JSON.stringify({ session, asked: seen(asked), answered: seen(answered), errors }));
client.disconnect();
