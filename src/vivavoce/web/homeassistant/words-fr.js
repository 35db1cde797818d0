/** French. */

/** @type {Record<string, string>} */
export const words = {
  // The card and its editor.
  Title: 'Titre',
  'The name of the agent, if it is left out; empty for none.':
    'Sans indication, le nom de l’agent ; vide pour n’en avoir aucun.',
  Agent: 'Agent',
  'By default, the first agent that you may talk with.':
    'Sans indication, le premier agent avec lequel vous pouvez parler.',
  'How to talk': 'Façon de parler',
  'It can be changed on the card.': 'Elle peut être changée sur la carte.',
  'Show what is said': 'Afficher ce qui est dit',
  'Show the waveform': 'Afficher le volume des voix',
  'Offer to write': 'Proposer d’écrire',
  'Mute the microphone while the agent speaks': 'Couper le micro pendant que l’agent parle',
  'Hands-free, against echoes. Switched off, you can interrupt by speaking: with headphones, or good echo cancellation.':
    'En mains libres, contre l’écho. Sinon, vous pouvez interrompre en parlant : avec un casque, ou une bonne suppression d’écho.',
  'Speak straight to the server where it can be reached': 'Parler directement au serveur là où on peut l’atteindre',
  'Over WebRTC. Otherwise, and from outside, speech goes through Home Assistant.':
    'Par WebRTC. Sinon, et de l’extérieur, la voix passe par Home Assistant.',
  // What goes on.
  'Not connected': 'Non connecté',
  Connecting: 'Connexion',
  Ready: 'Prêt',
  Listening: 'Écoute',
  Thinking: 'Réfléchit',
  Speaking: 'Parle',
  'The server loads: {0}': 'Le serveur charge : {0}',
  'Connecting again, try {0} …': 'Nouvelle connexion, essai {0} …',
  // What can be done.
  'Press the button and talk, or write.': 'Appuyez sur le bouton et parlez, ou écrivez.',
  'Press the button and talk.': 'Appuyez sur le bouton et parlez.',
  'Press the button to start': 'Appuyez sur le bouton pour commencer',
  'Release to send': 'Relâchez pour envoyer',
  'Write, or use the microphone': 'Écrivez, ou utilisez le micro',
  'Speak to interrupt': 'Parlez pour interrompre',
  'Hold the button to interrupt': 'Maintenez le bouton pour interrompre',
  'Hold the button or the space bar': 'Maintenez le bouton ou la barre d’espace',
  'The microphone is muted': 'Le micro est coupé',
  'Go on …': 'Continuez …',
  'Just speak': 'Parlez, tout simplement',
  Start: 'Commencer',
  'Use the microphone': 'Utiliser le micro',
  'Unmute the microphone': 'Rétablir le micro',
  'Mute the microphone': 'Couper le micro',
  'Hold to talk': 'Maintenir pour parler',
  'Hands-free': 'Mains libres',
  End: 'Terminer',
  Cancel: 'Annuler',
  Stop: 'Arrêter',
  Message: 'Message',
  'Or write it': 'Ou écrivez',
  Send: 'Envoyer',
  'Try again': 'Réessayer',
  'Connect again': 'Se reconnecter',
  Dismiss: 'Fermer',
  // What is said.
  Conversation: 'Conversation',
  You: 'Vous',
  Voice: 'Voix',
  'Spoken; the words were not recognised.': 'Parole ; les mots n’ont pas été reconnus.',
  'Speaking …': 'Parle …',
  'No words.': 'Aucun mot.',
  'Spoken …': 'A parlé …',
  'Interrupted after {0} s.': 'Interrompu après {0} s.',
  'Not finished.': 'Inachevé.',
  // What is wrong.
  'This address may not use sound': 'Pas de son à cette adresse',
  'Browsers give the microphone and loudspeaker only to https and to localhost. Open this page as http://localhost on the computer that serves it, or serve it over https. You can still write.':
    'Les navigateurs ne donnent le micro et le haut-parleur qu’en https. Ouvrez Home Assistant à une adresse qui commence par https. Vous pouvez toujours écrire.',
  'The microphone is blocked': 'Le micro est bloqué',
  'Allow it for this page (the icon beside the address, or the settings of your system), then try again. You can still write.':
    'Autorisez-le pour cette page (l’icône à côté de l’adresse, ou les réglages de votre système), puis réessayez. Vous pouvez toujours écrire.',
  'No microphone found': 'Aucun micro trouvé',
  'Plug one in or switch it on, then try again. You can still write.':
    'Branchez-en un ou allumez-le, puis réessayez. Vous pouvez toujours écrire.',
  'The microphone is in use': 'Le micro est déjà utilisé',
  'Another program holds it. Close that program, then try again. You can still write.':
    'Un autre programme le tient. Fermez ce programme, puis réessayez. Vous pouvez toujours écrire.',
  'The microphone went away': 'Le micro a disparu',
  'It was unplugged or switched off. Connect it, then try again. You can still write.':
    'Il a été débranché ou éteint. Rebranchez-le, puis réessayez. Vous pouvez toujours écrire.',
  'The microphone does not start': 'Le micro ne démarre pas',
  'Reload the page; if that does not help, try another browser. You can still write.':
    'Rechargez la page ; si cela n’aide pas, essayez un autre navigateur. Vous pouvez toujours écrire.',
  'This browser cannot play the answer': 'Ce navigateur ne peut pas lire la réponse',
  'The server does not answer': 'Le serveur ne répond pas',
  'See that it is running and that this device reaches it, then connect again.':
    'Vérifiez qu’il fonctionne et que cet appareil l’atteint, puis reconnectez-vous.',
  'The server refuses': 'Le serveur refuse',
  'It answers, but opens no session now: it may be busy with others. Try again in a while.':
    'Il répond, mais n’ouvre pas de session pour l’instant. Réessayez dans un moment.',
  'The connection is lost': 'La connexion est perdue',
  'The server went away, or the network did. Connect again: the words stay here, but the other side starts anew.':
    'Le serveur ou le réseau a disparu. Reconnectez-vous : les mots restent ici, l’autre côté repart de zéro.',
  'The session has reached its time limit': 'La session a atteint sa durée limite',
  'Connect again: the words stay here, but the other side starts anew.':
    'Reconnectez-vous : les mots restent ici, l’autre côté repart de zéro.',
  'The network is too slow for your voice': 'Le réseau est trop lent pour votre voix',
  'Some of what you said was not sent. Move closer to the network, or write.':
    'Une partie n’a pas été envoyée. Rapprochez-vous du réseau, ou écrivez.',
  'The server reports an error': 'Le serveur signale une erreur',
  'You can go on.': 'Vous pouvez continuer.',
};
