// Types for the type checker; the browser never loads this.
import * as leaflet from 'leaflet';
export default leaflet;
