// A page's script that knows the voice API from its documentation alone: the address is given.
// It changes the session, writes, and prints what it hears until it has been answered.

const ws = new WebSocket(process.argv[2]);

ws.onopen = () => {
  ws.send(JSON.stringify({ type: "session.update", session_update: { voice: "alloy", language: "en" } }));
  ws.send(
    JSON.stringify({
      type: "conversation.item.input",
      conversation_item_input: { type: "input_text", text: "Hello, how are you?" },
    }),
  );
};

ws.onmessage = (event) => {
  const message = JSON.parse(event.data);
  console.log(JSON.stringify(message));
  if (message.type === "response.done") ws.close();
};

ws.onerror = () => {
  process.exitCode = 1;
};
