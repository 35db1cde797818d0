/** German. */

/** @type {Record<string, string>} */
export const words = {
  // The card and its editor.
  Title: 'Titel',
  'The name of the agent, if it is left out; empty for none.':
    'Der Name des Agenten, wenn nichts angegeben ist; leer für keinen.',
  Agent: 'Agent',
  'By default, the first agent that you may talk with.':
    'Ohne Angabe der erste Agent, mit dem Sie sprechen dürfen.',
  'How to talk': 'Wie gesprochen wird',
  'It can be changed on the card.': 'Auf der Karte lässt es sich ändern.',
  'Show what is said': 'Zeigen, was gesagt wird',
  'Show the waveform': 'Die Lautstärke zeigen',
  'Offer to write': 'Auch schreiben lassen',
  'Mute the microphone while the agent speaks': 'Das Mikrofon stummschalten, während der Agent spricht',
  'Hands-free, against echoes. Switched off, you can interrupt by speaking: with headphones, or good echo cancellation.':
    'Beim Freisprechen, gegen Echos. Ausgeschaltet können Sie hineinsprechen: mit Kopfhörern oder guter Echounterdrückung.',
  'Speak straight to the server where it can be reached': 'Direkt mit dem Server sprechen, wo er erreichbar ist',
  'Over WebRTC. Otherwise, and from outside, speech goes through Home Assistant.':
    'Über WebRTC. Sonst, und von außerhalb, geht die Sprache durch Home Assistant.',
  // What goes on.
  'Not connected': 'Nicht verbunden',
  Connecting: 'Verbindet',
  Ready: 'Bereit',
  Listening: 'Hört zu',
  Thinking: 'Denkt nach',
  Speaking: 'Spricht',
  'The server loads: {0}': 'Der Server lädt: {0}',
  'Connecting again, try {0} …': 'Verbindet wieder, Versuch {0} …',
  // What can be done.
  'Press the button and talk, or write.': 'Drücken Sie die Taste und sprechen Sie, oder schreiben Sie.',
  'Press the button and talk.': 'Drücken Sie die Taste und sprechen Sie.',
  'Press the button to start': 'Zum Beginnen die Taste drücken',
  'Release to send': 'Zum Senden loslassen',
  'Write, or use the microphone': 'Schreiben oder das Mikrofon benutzen',
  'Speak to interrupt': 'Zum Unterbrechen sprechen',
  'Hold the button to interrupt': 'Zum Unterbrechen die Taste halten',
  'Hold the button or the space bar': 'Die Taste oder die Leertaste halten',
  'The microphone is muted': 'Das Mikrofon ist stumm',
  'Go on …': 'Weiter …',
  'Just speak': 'Einfach sprechen',
  Start: 'Beginnen',
  'Use the microphone': 'Das Mikrofon benutzen',
  'Unmute the microphone': 'Das Mikrofon einschalten',
  'Mute the microphone': 'Das Mikrofon stummschalten',
  'Hold to talk': 'Zum Sprechen halten',
  'Hands-free': 'Freisprechen',
  End: 'Beenden',
  Cancel: 'Abbrechen',
  Stop: 'Stopp',
  Message: 'Nachricht',
  'Or write it': 'Oder schreiben',
  Send: 'Senden',
  'Try again': 'Noch einmal',
  'Connect again': 'Wieder verbinden',
  Dismiss: 'Schließen',
  // What is said.
  Conversation: 'Gespräch',
  You: 'Sie',
  Voice: 'Stimme',
  'Spoken; the words were not recognised.': 'Gesprochen; die Worte wurden nicht erkannt.',
  'Speaking …': 'Spricht …',
  'No words.': 'Keine Worte.',
  'Spoken …': 'Gesprochen …',
  'Interrupted after {0} s.': 'Nach {0} s unterbrochen.',
  'Not finished.': 'Nicht zu Ende.',
  // What is wrong.
  'This address may not use sound': 'Unter dieser Adresse gibt es keinen Ton',
  'Browsers give the microphone and loudspeaker only to https and to localhost. Open this page as http://localhost on the computer that serves it, or serve it over https. You can still write.':
    'Browser geben Mikrofon und Lautsprecher nur über https frei. Öffnen Sie Home Assistant unter einer Adresse, die mit https beginnt. Schreiben können Sie trotzdem.',
  'The microphone is blocked': 'Das Mikrofon ist gesperrt',
  'Allow it for this page (the icon beside the address, or the settings of your system), then try again. You can still write.':
    'Erlauben Sie es für diese Seite (das Symbol neben der Adresse, oder die Einstellungen Ihres Systems) und versuchen Sie es noch einmal. Schreiben können Sie trotzdem.',
  'No microphone found': 'Kein Mikrofon gefunden',
  'Plug one in or switch it on, then try again. You can still write.':
    'Schließen Sie eines an oder schalten Sie es ein und versuchen Sie es noch einmal. Schreiben können Sie trotzdem.',
  'The microphone is in use': 'Das Mikrofon wird schon benutzt',
  'Another program holds it. Close that program, then try again. You can still write.':
    'Ein anderes Programm hält es. Schließen Sie das Programm und versuchen Sie es noch einmal. Schreiben können Sie trotzdem.',
  'The microphone went away': 'Das Mikrofon ist fort',
  'It was unplugged or switched off. Connect it, then try again. You can still write.':
    'Es wurde abgezogen oder ausgeschaltet. Schließen Sie es an und versuchen Sie es noch einmal. Schreiben können Sie trotzdem.',
  'The microphone does not start': 'Das Mikrofon startet nicht',
  'Reload the page; if that does not help, try another browser. You can still write.':
    'Laden Sie die Seite neu; wenn das nicht hilft, versuchen Sie einen anderen Browser. Schreiben können Sie trotzdem.',
  'This browser cannot play the answer': 'Dieser Browser kann die Antwort nicht abspielen',
  'The server does not answer': 'Der Server antwortet nicht',
  'See that it is running and that this device reaches it, then connect again.':
    'Sehen Sie nach, ob er läuft und dieses Gerät ihn erreicht, und verbinden Sie wieder.',
  'The server refuses': 'Der Server lehnt ab',
  'It answers, but opens no session now: it may be busy with others. Try again in a while.':
    'Er antwortet, eröffnet aber gerade keine Sitzung. Versuchen Sie es in einer Weile noch einmal.',
  'The connection is lost': 'Die Verbindung ist verloren',
  'The server went away, or the network did. Connect again: the words stay here, but the other side starts anew.':
    'Der Server oder das Netzwerk ist fort. Verbinden Sie wieder: Die Worte bleiben hier, die andere Seite fängt neu an.',
  'The session has reached its time limit': 'Die Sitzung hat ihre Höchstdauer erreicht',
  'Connect again: the words stay here, but the other side starts anew.':
    'Verbinden Sie wieder: Die Worte bleiben hier, die andere Seite fängt neu an.',
  'The network is too slow for your voice': 'Das Netzwerk ist zu langsam für Ihre Stimme',
  'Some of what you said was not sent. Move closer to the network, or write.':
    'Einiges wurde nicht gesendet. Gehen Sie näher an das Netzwerk, oder schreiben Sie.',
  'The server reports an error': 'Der Server meldet einen Fehler',
  'You can go on.': 'Es kann weitergehen.',
};
