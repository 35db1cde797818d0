// The one door to Leaflet: the released file is a script that leaves a global behind; here it is a module without one.
import './leaflet/leaflet.js';

const leaflet = globalThis.L.noConflict();
export default leaflet;
